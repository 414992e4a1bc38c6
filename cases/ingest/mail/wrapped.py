"""Addresses that a mail gateway has wrapped into one of its own: the one behind is what the sender wrote."""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

DEEPEST = 3  # gateways behind gateways
# The end of a host, and the parameter that holds the address.
GATEWAYS: tuple[tuple[str, str], ...] = (
    (".safelinks.protection.outlook.com", "url"),
    (".safelinks.protection.office365.us", "url"),
    ("statics.teams.cdn.office.net", "url"),
    ("linkprotect.cudasvc.com", "a"),
    ("urldefense.proofpoint.com", "u"),
    ("l.facebook.com", "u"),
    ("www.google.com", "q"),
    (".mimecastprotect.com", "url"),
    (".trendmicro.com", "url"),
    (".fireeye.com", "u"),
)
REDIRECTS = {"www.google.com": "/url", "l.facebook.com": "/l.php", ".trendmicro.com": "/wis/clicktime"}
PROOFPOINT_3 = re.compile(r"https?://urldefense(?:\.us|\.com|\.proofpoint\.com)/v3/__(.{1,4000}?)__;([A-Za-z0-9_=-]*)!")
RUN = re.compile(r"\*(?:\*([A-Za-z0-9_-]))?")
LENGTHS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


def unwrapped(url: str) -> str:
    """The address behind ``url``, ``url`` itself where no gateway is known to have wrapped it."""
    for _ in range(DEEPEST):
        behind = _once(url)
        if not behind.lower().startswith(("http://", "https://")):
            return url
        url = behind
    return url


def _once(url: str) -> str:
    if match := PROOFPOINT_3.match(url):
        return _proofpoint(match[1], match[2])
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").lower()
        name = next((name for end, name in GATEWAYS if _is(host, end) and _fits(parts, end)), "")
        found = dict(parse_qsl(parts.query, max_num_fields=60)).get(name, "") if name else ""
    except ValueError:
        return ""
    if host == "urldefense.proofpoint.com" and "/v2/" in parts.path:
        found = unquote(found.replace("-", "%").replace("_", "/"))
    return found


def _is(host: str, end: str) -> bool:
    return host.endswith(end) if end.startswith(".") else host == end


def _fits(parts: SplitResult, end: str) -> bool:
    return parts.path.startswith(REDIRECTS.get(end, ""))


def _proofpoint(text: str, letters: str) -> str:
    """Version 3: each ``*`` stands for a sign, ``**X`` for a run of them, and those follow in base64."""
    try:
        signs = urlsafe_b64decode(letters + "=" * (-len(letters) % 4)).decode("utf-8", "replace")
    except ValueError:
        return ""
    at = 0

    def fill(match: re.Match[str]) -> str:
        nonlocal at
        number = LENGTHS.index(match[1]) + 2 if match[1] else 1
        at += number
        return signs[at - number : at]

    return RUN.sub(fill, text)
