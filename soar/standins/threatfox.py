"""ThreatFox: JSON in, 200 with ``query_status`` out; addresses stand there with their port."""

from __future__ import annotations

from typing import Any

from soar.standins.base import Request, Response, json_response
from soar.standins.reputation import BAD_NAMES, EICAR, Reputation


class ThreatFox(Reputation):
    """``known``: confidence by value. It finds what begins like the value too, as the real one does."""

    kind = "threatfox"
    key_header = "auth-key"

    def known(self) -> dict[str, Any]:
        """The test file and names of the demo."""
        return {**dict.fromkeys(EICAR, 100), BAD_NAMES[0]: 100, BAD_NAMES[1]: 50}

    def refused(self, status: int) -> Response:
        """A wrong key."""
        return json_response({"error": "unknown_auth_key"}, status)

    def look_up(self, request: Request) -> Response:
        """Indicators."""
        try:
            question = request.json()
            value = str(question.get("search_term") or question.get("hash") or "")
        except (ValueError, AttributeError):
            return json_response({"query_status": "illegal_json"})
        self.find(value)
        rows = [_row(name, level) for name, level in self.state["known"].items() if value and name.startswith(value)]
        if not rows:
            return json_response({"query_status": "no_result", "data": "Your search did not yield any results"})
        return json_response({"query_status": "ok", "data": rows})


def _row(name: str, level: int) -> dict[str, Any]:
    address = name.replace(".", "").isdigit()
    kind = "ip:port" if address else "domain"
    about = {"threat_type": "botnet_cc", "malware_printable": "Cobalt Strike", "first_seen": "2026-10-01 10:00:00 UTC"}
    return {"ioc": f"{name}:443" if address else name, "ioc_type": kind, "confidence_level": level, **about}
