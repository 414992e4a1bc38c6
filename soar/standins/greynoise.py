"""GreyNoise, community API: 404 in JSON for an address that was never seen."""

from __future__ import annotations

from typing import Any

from soar.standins.base import Request, Response, json_response
from soar.standins.reputation import Reputation


class GreyNoise(Reputation):
    """``known``: class by address, ``riot`` for a well-known service."""

    kind = "greynoise"
    key_header = "key"

    def known(self) -> dict[str, Any]:
        """A service and a scanner."""
        return {"8.8.8.8": "riot", "118.25.6.39": "malicious"}

    def hurried(self) -> Response:
        """The community's limit."""
        return json_response({"message": "You have hit your daily rate limit", "plan": "Community"}, 429)

    def refused(self, status: int) -> Response:
        """A wrong key."""
        return json_response({"message": "Invalid API key"}, status)

    def look_up(self, request: Request) -> Response:
        """One address."""
        start, _, value = request.path.rpartition("/")
        if start != "/v3/community":
            return json_response({"message": "not found"}, 404)
        word = self.find(value)
        if word is None:
            text = "IP not observed scanning the internet or contained in RIOT data set."
            return json_response({"ip": value, "noise": False, "riot": False, "message": text}, 404)
        about = {
            "noise": word != "riot",
            "riot": word == "riot",
            "classification": "benign" if word == "riot" else word,
        }
        return json_response({"ip": value, **about, "name": "unknown", "last_seen": "2026-11-01", "message": "Success"})
