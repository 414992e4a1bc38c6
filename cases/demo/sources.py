"""The demo's alert sources. None has a token, so nothing can be posted to them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from cases.demo.people import EU_SOC, PLATFORM


@dataclass(frozen=True, slots=True)
class Source:
    """Key in the templates, slug, name, kind, team ("" for none) and other columns of AlertSource."""

    key: str
    name: str
    kind: str
    team: str
    fields: dict[str, Any] = field(default_factory=dict)

    @property
    def slug(self) -> str:
        """``demo-vision-one``: plain slugs stay free for real sources."""
        return f"demo-{self.key}"


SOURCES = [
    Source("vision-one", "Vision One, EU tenant", "visionone", EU_SOC, {"delivers": "endpoint,email"}),
    Source("elastic", "Elastic Security, endpoints", "elastic", EU_SOC),
    Source("splunk", "Splunk, enterprise searches", "splunk", EU_SOC),
    Source("mail", "Mail gateway, reported messages", "generic", EU_SOC, {"delivers": "email"}),
    # One alert for a rule, a sender and a machine, and a new one when it begins again after it was resolved.
    Source(
        "wazuh",
        "Wazuh, servers",
        "wazuh",
        PLATFORM,
        {"key_fields": ["rule.id", "agent.name", "data.srcip", "syscheck.path"], "repeat_rule": "new"},
    ),
    Source("alertmanager", "Alertmanager, clusters", "alertmanager", PLATFORM, {"close_on_resolved": True}),
    Source("partner", "Brand watch, partner feed", "opensoar", "", {"default_tlp": "green"}),
]
