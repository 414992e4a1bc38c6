"""AlienVault OTX: everything answers, with the pulses that name it; 403 for a bad key."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote

from soar.standins.base import Request, Response, json_response
from soar.standins.reputation import BAD_NAMES, EICAR, Reputation

SECTIONS = ("IPv4", "IPv6", "domain", "hostname", "url", "file")


class Otx(Reputation):
    """``known``: number of pulses by value, -1 for one that is known as harmless."""

    kind = "otx"
    key_header = "x-otx-api-key"

    def known(self) -> dict[str, Any]:
        """The test file and names of the demo."""
        return {**dict.fromkeys(EICAR, 40), **dict.fromkeys(BAD_NAMES[:4], 7), BAD_NAMES[4]: 1}

    def refused(self, status: int) -> Response:
        """A wrong key is 403 there."""
        return json_response({"detail": "Authentication required"}, 403)

    def look_up(self, request: Request) -> Response:
        """The general section of one indicator."""
        parts = request.path.strip("/").split("/")
        if parts == ["api", "v1", "users", "me"]:
            return json_response({"username": "practice"})
        if len(parts) != 6 or parts[:3] != ["api", "v1", "indicators"] or parts[3] not in SECTIONS:
            return json_response({"error": "not found"}, 404)
        value = unquote(parts[4])
        count = self.find(value) or 0
        pulses = [{"name": f"Campaign {number}"} for number in range(1, min(count, 5) + 1)]
        checks = [{"source": "whitelist", "name": "Whitelisted"}] if count < 0 else []
        pulse_info = {"count": max(count, 0), "pulses": pulses}
        return json_response({"indicator": value, "pulse_info": pulse_info, "validation": checks, "false_positive": []})
