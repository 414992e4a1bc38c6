"""ThreatFox of abuse.ch: indicators of malware, each with a confidence of 0 to 100."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_noop as _

from soar.connectors.intelligence.providers.abusech import AbuseCh
from soar.connectors.intelligence.providers.base import HASHES, Opinion, Scores, number, part, provider_kind
from soar.connectors.kinds import Setting


class ThreatFox(AbuseCh):
    """The highest confidence among its indicators that are exactly this value, against ``malicious_at``."""

    kind = "threatfox"
    about = frozenset({"ip", "domain", "url", "md5", "sha256"})

    def check(self) -> str:
        """Ask for an address that it need not know. Raises ConnectorError."""
        self.query("test", "api/v1/", json={"query": "search_ioc", "search_term": "192.0.2.1", "exact_match": True})
        return "Answers, and takes the key."

    def ask(self, type_: str, value: str) -> Scores | None:
        """Its indicators of this value. Raises ConnectorError."""
        question = {"query": "search_ioc", "search_term": value}
        if type_ in HASHES:
            question = {"query": "search_hash", "hash": value}
        rows = part(self.query(f"look up {type_}", "api/v1/", json=question), "data")
        found = [one for one in rows if type_ in HASHES or _is(one, value)] if isinstance(rows, list) else []
        if not found:
            return None
        best = max(found, key=lambda one: number(one, "confidence_level"))
        return {
            "confidence": number(best, "confidence_level"),
            "malware": str(part(best, "malware_printable") or part(best, "malware") or "")[:80],
            "threat": str(part(best, "threat_type") or "")[:40],
            "last_seen": str(part(best, "last_seen") or part(best, "first_seen") or "")[:40],
            "indicators": len(found),
        }

    def judge(self, scores: Scores) -> Opinion:
        """By the confidence."""
        confidence = number(scores, "confidence")
        text = f"{scores.get('malware') or 'malware'}, {confidence} % confidence"
        return Opinion("malicious" if confidence >= max(1, self.threshold("malicious_at", 75)) else "weak", text)


def _is(row: Any, value: str) -> bool:
    """Whether an indicator is the value itself: it finds parts too, and writes addresses with their port."""
    text = str(part(row, "ioc") or "")
    if part(row, "ioc_type") == "ip:port":
        text = text.rpartition(":")[0].strip("[]")
    return text.lower() == value.lower()


KIND = provider_kind(
    ThreatFox,
    "ThreatFox",
    "https://threatfox-api.abuse.ch",
    Setting(
        "malicious_at",
        _("Confidence from which it counts as malicious (1 to 100)"),
        form="number",
        default=75,
    ),
)
