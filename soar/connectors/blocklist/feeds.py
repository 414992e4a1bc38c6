"""The feeds: plain text, one value a line, as firewalls and proxies pull them (connectors.md 4).

``GET /feeds/blocklist/{type}.txt?token=``. The token may also come as ``Authorization: Bearer`` or as the password of
HTTP Basic, which is what External Dynamic Lists offer. Expired entries and those that an exception protects are left
out. Addresses of the web come without ``https://``, as such lists want them; ``&scheme=keep`` leaves it."""

from __future__ import annotations

import base64
import binascii
import hashlib
import ipaddress
from collections.abc import Callable, Iterator

from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.http import parse_etags
from django.views.decorators.csrf import csrf_exempt

from soar.connectors.blocklist import tokens
from soar.connectors.blocklist.values import BLOCKABLE
from soar.connectors.intelligence.lookup import own_digests
from soar.connectors.intelligence.values import subject
from soar.connectors.models import BlockEntry, ExceptionEntry
from soar.lib import clock

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
PLAIN = "text/plain; charset=utf-8"


@csrf_exempt
def feed(request: HttpRequest, type: str) -> HttpResponse:
    """The values of one type. 401 without a token that opens it, 304 for one who has it already."""
    if request.method not in ("GET", "HEAD"):
        return _text("GET only\n", 405, Allow="GET, HEAD")
    if type not in BLOCKABLE:
        return _text(f"There are feeds of: {', '.join(BLOCKABLE)}\n", 404)
    if not tokens.opens(type, _token(request)):
        return _text("A token for this feed is needed: ?token=...\n", 401, **{"WWW-Authenticate": 'Basic realm="feed"'})
    body = "".join(f"{line}\n" for line in lines(type, keep_scheme=request.GET.get("scheme") == "keep"))
    tag = f'"{hashlib.sha256(body.encode()).hexdigest()[:32]}"'
    if tag in [one.removeprefix("W/") for one in parse_etags(request.headers.get("If-None-Match", ""))]:
        return _text("", 304, ETag=tag)
    return _text("" if request.method == "HEAD" else body, 200, ETag=tag)


def lines(type_: str, *, keep_scheme: bool = False) -> Iterator[str]:
    """The values that count now, oldest first."""
    spared = sparing()
    rows = current().filter(type=type_).order_by("pk").values_list("value", flat=True)
    for value in rows.iterator(chunk_size=5000):
        if not spared(type_, value):
            yield value if keep_scheme or type_ != "url" else value.partition("://")[2] or value


def current() -> QuerySet[BlockEntry]:
    """Entries that are neither removed nor expired."""
    return BlockEntry.objects.filter(
        Q(expires_at__isnull=True) | Q(expires_at__gt=clock.now()), removed_at__isnull=True
    )


def sparing() -> Callable[[str, str], str]:
    """A function of type and value: the reason of the exception that spares the value, "" without one.

    The exceptions are read once, for any number of values."""
    living = ExceptionEntry.objects.filter(Q(expires_at__isnull=True) | Q(expires_at__gt=clock.now()))
    rows = list(living.values_list("digest", "type", "value", "reason"))
    by_digest = {digest: reason for digest, _type, _value, reason in rows}
    networks = [(ipaddress.ip_network(value), why) for _digest, type_, value, why in rows if type_ in ("ip", "cidr")]

    def why(type_: str, value: str) -> str:
        if not rows:
            return ""
        each = subject(type_, value)
        found = next((by_digest[key] for key in own_digests(each) if key in by_digest), "")
        return found or (_overlap(ipaddress.ip_network(each.address), networks) if each.address else "")

    return why


def _overlap(wanted: Network, networks: list[tuple[Network, str]]) -> str:
    return next((why for one, why in networks if one.version == wanted.version and one.overlaps(wanted)), "")


def _token(request: HttpRequest) -> str:
    kind, _, rest = request.headers.get("Authorization", "").partition(" ")
    if kind.lower() == "bearer":
        return rest.strip()
    if kind.lower() == "basic":
        try:
            return base64.b64decode(rest).decode().partition(":")[2]
        except (binascii.Error, UnicodeDecodeError):
            return ""
    return request.GET.get("token", "")


def _text(body: str, status: int, **headers: str) -> HttpResponse:
    answer = HttpResponse(body, status=status, content_type=PLAIN, headers={"Cache-Control": "no-cache", **headers})
    answer["X-Content-Type-Options"] = "nosniff"
    return answer
