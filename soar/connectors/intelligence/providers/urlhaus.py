"""URLhaus of abuse.ch: addresses and files with which malware is spread."""

from __future__ import annotations

from django.utils.translation import gettext_noop as _

from soar.connectors.intelligence.providers.abusech import AbuseCh
from soar.connectors.intelligence.providers.base import Opinion, Scores, number, part, provider_kind
from soar.connectors.kinds import Setting


class UrlHaus(AbuseCh):
    """A listed URL or file is malicious. A host is when enough of its addresses spread malware now, else weak: hosts
    where anybody may put something are listed too."""

    kind = "urlhaus"
    about = frozenset({"url", "domain", "ip", "md5", "sha256"})

    def check(self) -> str:
        """Ask for a host that it knows of. Raises ConnectorError."""
        self.query("test", "v1/host/", data={"host": "example.com"})
        return "Answers, and takes the key."

    def ask(self, type_: str, value: str) -> Scores | None:
        """What is listed of it. Raises ConnectorError."""
        place, name = {"url": ("url", "url"), "md5": ("payload", "md5_hash"), "sha256": ("payload", "sha256_hash")}.get(
            type_, ("host", "host")
        )
        found = self.query(f"look up {type_}", f"v1/{place}/", data={name: value})
        if found is None:
            return None
        urls = part(found, "urls")
        online = [one for one in urls if part(one, "url_status") == "online"] if isinstance(urls, list) else []
        return {
            "listed_as": place,
            "status": str(part(found, "url_status") or "")[:40],
            "threat": str(part(found, "threat") or part(found, "signature") or "")[:80],
            "urls": number(found, "url_count") or (len(urls) if isinstance(urls, list) else 0),
            "online": len(online),
        }

    def judge(self, scores: Scores) -> Opinion:
        """An exact hit is malicious; a host by the number of its addresses."""
        threat = scores.get("threat") or "malware"
        if scores.get("listed_as") != "host":
            state = f", {scores['status']}" if scores.get("status") else ""
            return Opinion("malicious", f"listed: {threat}{state}")
        online = number(scores, "online")
        text = f"{number(scores, 'urls')} addresses with malware, {online} online"
        return Opinion("malicious" if online >= max(1, self.threshold("malicious_at", 3)) else "weak", text)


KIND = provider_kind(
    UrlHaus,
    "URLhaus",
    "https://urlhaus-api.abuse.ch",
    Setting(
        "malicious_at",
        _("Addresses online on a host from which it counts as malicious"),
        form="number",
        default=3,
    ),
)
