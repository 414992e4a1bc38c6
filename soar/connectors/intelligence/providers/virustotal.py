"""VirusTotal v3: how many engines hold a file, address, name or URL for malicious."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from typing import Any

from django.utils.translation import gettext_noop as _

from soar.connectors.base import ConnectorError
from soar.connectors.intelligence.providers.base import HASHES, Opinion, Provider, Scores, number, part, provider_kind
from soar.connectors.kinds import Setting

EICAR = "44d88612fea8a8f36de82e1278abb02f"
PLACES = {"ip": "ip_addresses", "domain": "domains", **dict.fromkeys(HASHES, "files")}


class VirusTotal(Provider):
    """Engines that say malicious against the threshold ``malicious_at``; one or more, or suspicious ones, are weak."""

    kind = "virustotal"
    about = HASHES | {"ip", "domain", "url"}

    def sign_in(self, secrets: dict[str, Any]) -> tuple[dict[str, str], tuple[str, str] | None]:
        """The key in a header of its own."""
        return {"x-apikey": str(secrets.get("token", ""))}, None

    def check(self) -> str:
        """Ask for the file that every engine knows. Raises ConnectorError."""
        scores = self.ask("md5", EICAR)
        return "Answers, and takes the key." if scores else "Answers, but does not know the test file."

    def ask(self, type_: str, value: str) -> Scores | None:
        """Counts of the last analysis. Raises ConnectorError."""
        found = self.fetch(f"look up {type_}", "GET", _path(type_, value))
        if found is None:
            return None
        about = part(found, "data", "attributes")
        stats = part(about, "last_analysis_stats")
        if not isinstance(stats, dict):
            raise ConnectorError(f"{self.account.name} answered without an analysis.", permanent=True)
        names = ("malicious", "suspicious", "harmless", "undetected")
        counts = {name: number(stats, name) for name in names}
        analysed = _day(number(about, "last_analysis_date"))
        return {**counts, "reputation": number(about, "reputation"), "analysed": analysed}

    def judge(self, scores: Scores) -> Opinion:
        """By the number of engines."""
        bad, odd = number(scores, "malicious"), number(scores, "suspicious")
        total = sum(number(scores, name) for name in ("malicious", "suspicious", "harmless", "undetected"))
        text = f"{bad} of {total} engines say malicious"
        text += f", {odd} suspicious" if odd else ""
        if bad >= max(1, self.threshold("malicious_at", 5)):
            return Opinion("malicious", text)
        return Opinion("weak" if bad or odd else "context", text)


def _path(type_: str, value: str) -> str:
    if type_ == "url":
        return f"urls/{base64.urlsafe_b64encode(value.encode()).decode().rstrip('=')}"
    return f"{PLACES[type_]}/{value}"


def _day(seconds: int) -> str:
    """Seconds of Unix as a date, "" for none and for one beyond all calendars."""
    return datetime.fromtimestamp(seconds, UTC).date().isoformat() if 0 < seconds < 10**11 else ""


KIND = provider_kind(
    VirusTotal,
    "VirusTotal",
    "https://www.virustotal.com/api/v3",
    Setting(
        "malicious_at",
        _("Engines that say malicious, from which it counts as such"),
        form="number",
        default=5,
    ),
    a_minute=4,
    a_day=500,
)
