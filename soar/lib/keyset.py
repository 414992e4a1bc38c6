"""Paging by key, never by OFFSET: a deep page costs what the first one costs."""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar

from django.db import models
from django.db.models.expressions import RawSQL
from django.db.models.functions import Lower
from django.utils.translation import gettext as _

M = TypeVar("M", bound=models.Model)
SIZE = 50
SIZE_AT_MOST = 200
TEXT_AT_MOST = 600


class BadCursor(ValueError):
    """The cursor is not one that this list gave out."""


@dataclass(frozen=True, slots=True)
class Order:
    """An order by columns of the list's own table, all ascending or all descending; the last is unique. Texts of
    ``folded`` are compared in lower case."""

    name: str
    columns: tuple[str, ...]
    descending: bool = True
    folded: tuple[str, ...] = ()


@dataclass(slots=True)
class Page(Generic[M]):
    """One page. ``next`` and ``previous`` are cursors, empty where there is nothing more."""

    rows: list[M]
    next: str
    previous: str


def keyset_page(rows: models.QuerySet[M], order: Order, cursor: str = "", size: int = SIZE) -> Page[M]:
    """The page of ``rows`` behind ``cursor`` (before it, if the cursor came as ``previous``).

    Raises BadCursor. ``size`` is cut to 1..200."""
    size = max(1, min(size, SIZE_AT_MOST))
    key, backwards = _decode(cursor, order, rows.model) if cursor else ([], False)
    descending = order.descending != backwards
    if key:
        rows = rows.filter(_beyond(rows.model, order, key, descending))
    by = [Lower(one) if one in order.folded else models.F(one) for one in order.columns]
    found = list(rows.order_by(*(one.desc() if descending else one.asc() for one in by))[: size + 1])
    more, found = len(found) > size, found[:size]
    if backwards:
        found.reverse()
    has_next, has_previous = (True, more) if backwards else (more, bool(cursor))
    return Page(
        found,
        _encode(found[-1], order, False) if found and has_next else "",
        _encode(found[0], order, True) if found and has_previous else "",
    )


def _beyond(model: type[models.Model], order: Order, key: list[Any], descending: bool) -> RawSQL:
    """``(a, b) < (%s, %s)``: a row comparison, which an index on these columns answers directly."""
    table = model._meta.db_table
    columns = ", ".join(_folded(f'"{table}"."{one}"', one, order) for one in order.columns)
    marks = ", ".join(_folded("%s", one, order) for one in order.columns)
    sign = "<" if descending else ">"
    return RawSQL(f"({columns}) {sign} ({marks})", key, output_field=models.BooleanField())  # noqa: S611 - names are the code's own


def _folded(sql: str, column: str, order: Order) -> str:
    return f"LOWER({sql})" if column in order.folded else sql


def _encode(row: models.Model, order: Order, backwards: bool) -> str:
    values = [getattr(row, column) for column in order.columns]
    plain = [value.isoformat() if isinstance(value, datetime) else value for value in values]
    body = json.dumps([order.name, int(backwards), *plain], separators=(",", ":"))
    return base64.urlsafe_b64encode(body.encode()).decode().rstrip("=")


def _decode(cursor: str, order: Order, model: type[models.Model]) -> tuple[list[Any], bool]:
    try:
        body = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        name, backwards, *key = body
        if name != order.name or len(key) != len(order.columns):
            raise BadCursor(_("The cursor belongs to another order of the list."))
        fields = [model._meta.get_field(column) for column in order.columns]
        return [_checked(value, field) for value, field in zip(key, fields, strict=True)], bool(backwards)
    except (ValueError, TypeError, OverflowError, RecursionError, binascii.Error) as error:
        raise BadCursor(_("The cursor is not one of this list.")) from error


def _checked(value: Any, field: Any) -> int | str | datetime:
    """A key is what the column holds: a time, a text, or a whole number within the database's range. A cursor from a
    client may hold anything, and the database must not be asked whether a number is before a time."""
    if isinstance(field, models.DateTimeField):
        moment = datetime.fromisoformat(value)
        if moment.tzinfo is None:
            raise BadCursor(_("The cursor is not one of this list."))
        return moment.astimezone(UTC)  # the database takes no zone further than 16 hours from it
    if isinstance(field, models.CharField):
        if not isinstance(value, str) or "\x00" in value or len(value) > TEXT_AT_MOST:
            raise BadCursor(_("The cursor is not one of this list."))
        return value.encode().decode()  # raises for lone surrogates
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) >= 2**63:
        raise BadCursor(_("The cursor is not one of this list."))
    return value
