"""A page of a list in the browser: what was asked for, its rows, and the addresses of the pages beside it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar
from urllib.parse import urlencode

from django.db.models import Model, QuerySet
from django.http import HttpRequest

from soar.lib.keyset import SIZE, BadCursor, Order, keyset_page

M = TypeVar("M", bound=Model)
TEXT_AT_MOST = 200


@dataclass(frozen=True, slots=True)
class Listed(Generic[M]):
    """``rows`` of one page; ``newer_url`` and ``older_url`` for ``components/paging.html``, "" where there is nothing;
    ``here``: the query string that leads to this page again."""

    rows: list[M]
    newer_url: str
    older_url: str
    here: str


def asked(given: Mapping[str, str], name: str = "q") -> str:
    """A text of the query string, without what the database does not take."""
    return given.get(name, "").replace("\x00", "").strip()[:TEXT_AT_MOST]


def paged(
    request: HttpRequest,
    rows: QuerySet[M],
    order: Order,
    *,
    keep: Mapping[str, str] | None = None,
    name: str = "cursor",
    size: int = SIZE,
    at: str = "",
) -> Listed[M]:
    """The page that ``name`` of the query string asks for; the first one for a cursor that means nothing. ``keep``:
    what else stays in the addresses; ``at``: the place of the list on its page, as ``#rules``."""
    cursor = request.GET.get(name, "")
    try:
        page = keyset_page(rows, order, cursor, size)
    except BadCursor:
        cursor, page = "", keyset_page(rows, order, "", size)
    kept = {key: value for key, value in (keep or {}).items() if value}

    def url(to: str) -> str:
        return f"?{urlencode({**kept, name: to})}{at}" if to else ""

    here = urlencode({**kept, name: cursor} if cursor else kept)
    return Listed(page.rows, url(page.previous), url(page.next), here)
