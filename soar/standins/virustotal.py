"""VirusTotal v3: 404 NotFoundError is "not known", 429 QuotaExceededError, URLs in base64 without padding."""

from __future__ import annotations

import base64
import binascii
from typing import Any
from urllib.parse import unquote

from soar.standins.base import Request, Response, json_response
from soar.standins.reputation import BAD_NAMES, EICAR, Reputation

PLACES = {"files": "file", "ip_addresses": "ip_address", "domains": "domain", "urls": "url"}


class VirusTotal(Reputation):
    """``known``: engines that say malicious, by value."""

    kind = "virustotal"
    key_header = "x-apikey"

    def known(self) -> dict[str, Any]:
        """The test file, and names of the demo."""
        return {**dict.fromkeys(EICAR, 66), **dict.fromkeys(BAD_NAMES, 12), BAD_NAMES[-1]: 2}

    def hurried(self) -> Response:
        """The quota is spent."""
        return _error("QuotaExceededError", "Quota exceeded", 429)

    def refused(self, status: int) -> Response:
        """A wrong key."""
        if status == 401:
            return _error("WrongCredentialsError", "Wrong API key", 401)
        return _error("ForbiddenError", "You are not allowed to perform the requested operation", 403)

    def look_up(self, request: Request) -> Response:
        """One object."""
        place, _, name = request.path.strip("/").partition("/")
        if place not in PLACES or request.method != "GET":
            return _error("NotFoundError", "Resource not found.", 404)
        value = _url(name) if place == "urls" else unquote(name)
        bad = self.find(value)
        if bad is None:
            return _error("NotFoundError", f'{PLACES[place]} "{value}" not found', 404)
        stats = {"malicious": bad, "suspicious": 0, "harmless": 20, "undetected": 70 - bad, "timeout": 0}
        about = {"last_analysis_stats": stats, "reputation": -bad, "last_analysis_date": 1_790_000_000}
        return json_response({"data": {"id": value, "type": PLACES[place], "attributes": about}})


def _url(name: str) -> str:
    try:
        return base64.urlsafe_b64decode(name + "=" * (-len(name) % 4)).decode()
    except (binascii.Error, UnicodeDecodeError):
        return ""


def _error(code: str, message: str, status: int) -> Response:
    return json_response({"error": {"code": code, "message": message}}, status)
