"""AbuseIPDB v2: every address has a score; errors in a list; 422 for what is no address."""

from __future__ import annotations

import ipaddress
from typing import Any

from soar.standins.base import Request, Response, json_response
from soar.standins.reputation import Reputation


class AbuseIPDB(Reputation):
    """``known``: confidence by address; others have 0. ``whitelist``: addresses."""

    kind = "abuseipdb"
    key_header = "key"

    def fresh(self) -> dict[str, Any]:
        """See Standin."""
        return {**super().fresh(), "whitelist": ["8.8.8.8"]}

    def known(self) -> dict[str, Any]:
        """The address of its documentation."""
        return {"118.25.6.39": 100}

    def hurried(self) -> Response:
        """The day's checks are spent."""
        limited = _error("Daily rate limit of 1000 requests exceeded for this endpoint.", 429)
        limited.headers |= {"Retry-After": "29241", "X-RateLimit-Limit": "1000", "X-RateLimit-Remaining": "0"}
        return limited

    def refused(self, status: int) -> Response:
        """A wrong key."""
        return _error("Authentication failed. Your API key is either missing, incorrect, or revoked.", status)

    def look_up(self, request: Request) -> Response:
        """One address."""
        value = request.argument("ipAddress")
        try:
            ipaddress.ip_address(value)
        except ValueError:
            return _error("The ip address must be a valid IPv4 or IPv6 address (e.g. 8.8.8.8).", 422)
        if request.path != "/check":
            return _error("Not found.", 404)
        score = self.find(value) or 0
        about = {"abuseConfidenceScore": score, "totalReports": score, "numDistinctUsers": score // 2, "isTor": False}
        listed = value in self.state["whitelist"]
        return json_response(
            {
                "data": {
                    "ipAddress": value,
                    "isPublic": True,
                    "isWhitelisted": listed,
                    "usageType": "Data Center",
                    **about,
                }
            }
        )


def _error(detail: str, status: int) -> Response:
    return json_response({"errors": [{"detail": detail, "status": status}]}, status)
