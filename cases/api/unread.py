"""What of a refused delivery goes to the dead letters (ingest-and-api.md 5). Its sender has shown its token by then."""

from __future__ import annotations

from collections.abc import Sequence

from django.http import HttpRequest

from cases.ingest import dead_letters
from cases.ingest.dead_letters import Delivery, Refused
from cases.ingest.pipeline import Outcome
from cases.ingest.reading import Unreadable
from soar.lib.context import address

JSON = "application/json"


def keep_whole(request: HttpRequest, source_id: int, error: Unreadable, plain: bytes | None, *, wrapped: bool) -> None:
    """Keep a delivery of which nothing could be read. ``plain`` is its body once unpacked, None if it did not come to
    that; ``wrapped``: the body as it came was not JSON but held it."""
    kind = JSON if wrapped and plain is not None else request.META.get("CONTENT_TYPE", "")
    raw: bytes = getattr(request, "_body", b"") if plain is None else plain
    encoding = request.META.get("HTTP_CONTENT_ENCODING", "").strip().lower() if plain is None else ""
    size = max(len(raw), _announced(request) if not raw else 0)
    delivery = Delivery(address.get(), kind, encoding)
    dead_letters.keep(source_id, delivery, [Refused(error.status, error.message, raw, size)])


def keep_items(request: HttpRequest, source_id: int, outcomes: Sequence[Outcome]) -> None:
    """Keep the items of a list that were refused, each by itself; the others are stored already."""
    refused = [
        Refused(one.status, one.detail, text := one.text.encode("utf-8", "surrogatepass"), len(text), place)
        for place, one in enumerate(outcomes, 1)
        if one.detail
    ]
    if refused:
        dead_letters.keep(source_id, Delivery(address.get(), JSON), refused)


def _announced(request: HttpRequest) -> int:
    given = request.META.get("CONTENT_LENGTH") or "0"
    return int(given) if given.isdecimal() and len(given) < 18 else 0
