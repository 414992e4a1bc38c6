"""AlienVault OTX: in how many reports (pulses) of its members a value stands."""

from __future__ import annotations

import ipaddress
from typing import Any
from urllib.parse import quote

from django.utils.translation import gettext_noop as _

from soar.connectors.base import ConnectorError
from soar.connectors.intelligence.providers.base import HASHES, Opinion, Provider, Scores, number, part, provider_kind
from soar.connectors.intelligence.values import registered
from soar.connectors.kinds import Setting


class Otx(Provider):
    """Pulses against the threshold ``malicious_at``; what its own checks hold for well known is benign."""

    kind = "otx"
    about = HASHES | {"ip", "domain", "url"}

    def sign_in(self, secrets: dict[str, Any]) -> tuple[dict[str, str], tuple[str, str] | None]:
        """The key in a header of its own."""
        return {"X-OTX-API-KEY": str(secrets.get("token", ""))}, None

    def check(self) -> str:
        """Ask who the key belongs to. Raises ConnectorError."""
        found = self.fetch("test", "GET", "api/v1/users/me")
        return f"Answers, and takes the key of {str(part(found, 'username') or 'somebody')[:60]}."

    def ask(self, type_: str, value: str) -> Scores | None:
        """Number of pulses and what its own checks say. Raises ConnectorError."""
        path = f"api/v1/indicators/{_section(type_, value)}/{quote(value, safe='')}/general"
        found = self.fetch(f"look up {type_}", "GET", path)
        if found is None:
            return None
        if not isinstance(part(found, "pulse_info", "count"), int):
            raise ConnectorError(f"{self.account.name} answered without pulses.", permanent=True)
        checks = part(found, "validation")
        sources = [part(one, "source") for one in checks[:5]] if isinstance(checks, list) else []
        wrong = part(found, "false_positive")
        pulses = part(found, "pulse_info", "pulses")
        names = [str(part(one, "name") or "")[:80] for one in (pulses if isinstance(pulses, list) else [])[:3]]
        return {
            "pulses": number(found, "pulse_info", "count"),
            "validation": [str(one)[:40] for one in sources if one],
            "false_positive": isinstance(wrong, list) and bool(wrong),
            "names": [name for name in names if name],
        }

    def judge(self, scores: Scores) -> Opinion:
        """By the number of pulses."""
        count = number(scores, "pulses")
        names = ", ".join(map(str, scores.get("names", [])))
        text = f"in {count or 'no'} pulse{'' if count in (0, 1) else 's'}" + (f": {names}" if names else "")
        if scores.get("validation") or scores.get("false_positive"):
            return Opinion("benign", f"known as harmless there; {text}")
        if count >= max(1, self.threshold("malicious_at", 5)):
            return Opinion("malicious", text)
        return Opinion("weak" if count else "context", text)


def _section(type_: str, value: str) -> str:
    if type_ == "ip":
        return f"IPv{ipaddress.ip_address(value).version}"
    if type_ == "domain":
        return "domain" if registered(value) == value else "hostname"
    return "url" if type_ == "url" else "file"


KIND = provider_kind(
    Otx,
    "AlienVault OTX",
    "https://otx.alienvault.com",
    Setting("malicious_at", _("Pulses from which it counts as malicious"), form="number", default=5),
)
