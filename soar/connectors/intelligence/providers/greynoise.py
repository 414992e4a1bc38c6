"""GreyNoise, community API: who scans the whole internet, and which addresses belong to well-known services."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_noop as _

from soar.connectors.intelligence.providers.base import Opinion, Provider, Scores, part, provider_kind
from soar.connectors.kinds import Setting


class GreyNoise(Provider):
    """Its class: malicious scanners are malicious or weak, as the account says; benign ones and services are benign."""

    kind = "greynoise"
    about = frozenset({"ip"})

    def sign_in(self, secrets: dict[str, Any]) -> tuple[dict[str, str], tuple[str, str] | None]:
        """The key in a header of its own."""
        return {"key": str(secrets.get("token", ""))}, None

    def check(self) -> str:
        """Ask for an address that everybody knows. Raises ConnectorError."""
        self.ask("ip", "8.8.8.8")
        return "Answers, and takes the key."

    def ask(self, type_: str, value: str) -> Scores | None:
        """Class, noise and service. An address that was never seen answers 404. Raises ConnectorError."""
        found = self.fetch("look up address", "GET", f"v3/community/{value}")
        if found is None:
            return None
        return {
            "classification": str(part(found, "classification") or "unknown")[:40],
            "noise": part(found, "noise") is True,
            "riot": part(found, "riot") is True,
            "name": str(part(found, "name") or "")[:100],
            "last_seen": str(part(found, "last_seen") or "")[:40],
        }

    def judge(self, scores: Scores) -> Opinion:
        """By the class."""
        word, name = str(scores.get("classification", "unknown")), scores.get("name") or "no name"
        text = f"{word} ({name})" + (", scans the internet" if scores.get("noise") else "")
        if word == "malicious":
            return Opinion("malicious" if self.account.settings.get("strong", True) else "weak", text)
        return Opinion("benign" if word == "benign" or scores.get("riot") else "context", text)


KIND = provider_kind(
    GreyNoise,
    "GreyNoise",
    "https://api.greynoise.io",
    Setting("strong", _("Its class malicious is enough for highly suspicious"), form="flag", default=True),
    a_day=50,
)
