"""Cursor pages as the API gives them: ``{"next", "previous", "results"}`` with absolute addresses."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeVar
from urllib.parse import urlencode

from django.db.models import Model, QuerySet
from django.utils.translation import gettext as _
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

from cases.query_filter import VALUE_AT_MOST
from soar.lib.keyset import SIZE, SIZE_AT_MOST, BadCursor, Order, Page, keyset_page

M = TypeVar("M", bound=Model)
PAGE_PARAMS = ("cursor", "page_size", "fields")
NEWEST = Order("-id", ("id",))
OLDEST = Order("id", ("id",), descending=False)
BY_ID = {order.name: order for order in (NEWEST, OLDEST)}


def check_params(request: Request, known: Iterable[str]) -> None:
    """Refuse parameters that mean nothing here, and over-long values: a typing error must not widen a list."""
    allowed = [*known, *PAGE_PARAMS]
    errors = {}
    for name, values in request.query_params.lists():
        if name not in allowed:
            errors[name[:60]] = [_("Not known here. Known: %(allowed)s.") % {"allowed": ", ".join(allowed)}]
        elif any(len(value) > VALUE_AT_MOST for value in values):
            errors[name] = [_("At most %(value_at_most)s characters.") % {"value_at_most": VALUE_AT_MOST}]
        elif any("\x00" in value for value in values):
            errors[name] = [_("Holds a NUL character.")]
    if errors:
        raise ValidationError(errors)


def page(request: Request, rows: QuerySet[M], order: Order = NEWEST) -> Page[M]:
    """The page that the request asks for. Raises ValidationError for a bad cursor or size."""
    try:
        return keyset_page(rows, order, request.query_params.get("cursor", ""), page_size(request))
    except BadCursor as error:
        raise ValidationError({"cursor": [str(error)]}) from error


def order_of(request: Request, orders: dict[str, Order], default: str = "-id") -> Order:
    """The order asked for with ``ordering``. Raises ValidationError that names those there are."""
    name = request.query_params.get("ordering") or default
    if name not in orders:
        raise ValidationError({"ordering": [_("One of: %(orders)s.") % {"orders": ", ".join(orders)}]})
    return orders[name]


def page_size(request: Request) -> int:
    """``page_size``, 1 to 200, 50 if not given. Raises ValidationError."""
    given = request.query_params.get("page_size", "")
    if not given:
        return SIZE
    if not (given.isascii() and given.isdecimal()) or len(given) > 4 or not 1 <= int(given) <= SIZE_AT_MOST:
        raise ValidationError(
            {"page_size": [_("A number from 1 to %(size_at_most)s.") % {"size_at_most": SIZE_AT_MOST}]}
        )
    return int(given)


def paged(request: Request, found: Page[Any], results: list[dict[str, Any]]) -> dict[str, Any]:
    """The answer's body."""
    return {
        "next": _address(request, found.next),
        "previous": _address(request, found.previous),
        "results": results,
    }


def _address(request: Request, cursor: str) -> str | None:
    if not cursor:
        return None
    pairs = [(name, value) for name, values in request.query_params.lists() for value in values if name != "cursor"]
    return request.build_absolute_uri(f"{request.path}?{urlencode([*pairs, ('cursor', cursor)])}")
