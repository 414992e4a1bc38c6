"""AbuseIPDB v2: how sure its reporters are that an address does harm, 0 to 100."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_noop as _

from soar.connectors.base import ConnectorError
from soar.connectors.intelligence.providers.base import Opinion, Provider, Scores, number, part, provider_kind
from soar.connectors.kinds import Setting


class AbuseIPDB(Provider):
    """The confidence against the thresholds ``malicious_at`` and ``suspicious_at``; its own whitelist is benign."""

    kind = "abuseipdb"
    about = frozenset({"ip"})

    def sign_in(self, secrets: dict[str, Any]) -> tuple[dict[str, str], tuple[str, str] | None]:
        """The key in a header of its own."""
        return {"Key": str(secrets.get("token", ""))}, None

    def check(self) -> str:
        """Ask for the address that its documentation asks for. Raises ConnectorError."""
        self.ask("ip", "118.25.6.39")
        return "Answers, and takes the key."

    def ask(self, type_: str, value: str) -> Scores | None:
        """Confidence and number of reports. Raises ConnectorError."""
        params = {"ipAddress": value, "maxAgeInDays": self.threshold("days", 90)}
        data = part(self.fetch("check address", "GET", "check", params=params), "data")
        if not isinstance(part(data, "abuseConfidenceScore"), int):
            raise ConnectorError(f"{self.account.name} answered without a score.", permanent=True)
        return {
            "confidence": number(data, "abuseConfidenceScore"),
            "reports": number(data, "totalReports"),
            "reporters": number(data, "numDistinctUsers"),
            "whitelisted": part(data, "isWhitelisted") is True,
            "tor": part(data, "isTor") is True,
            "usage": str(part(data, "usageType") or "")[:100],
        }

    def judge(self, scores: Scores) -> Opinion:
        """By the confidence."""
        confidence, reports = number(scores, "confidence"), number(scores, "reports")
        text = f"{confidence} % confidence of abuse, {reports} reports"
        if scores.get("whitelisted"):
            return Opinion("benign", f"on its whitelist; {text}")
        if confidence >= max(1, self.threshold("malicious_at", 75)):
            return Opinion("malicious", text)
        return Opinion("weak" if confidence >= max(1, self.threshold("suspicious_at", 25)) else "context", text)


KIND = provider_kind(
    AbuseIPDB,
    "AbuseIPDB",
    "https://api.abuseipdb.com/api/v2",
    Setting(
        "malicious_at",
        _("Confidence from which it counts as malicious (1 to 100)"),
        form="number",
        default=75,
    ),
    Setting("suspicious_at", _("Confidence from which it is suspicious (1 to 100)"), form="number", default=25),
    Setting("days", _("Reports of how many days"), form="number", default=90),
    a_day=1000,
)
