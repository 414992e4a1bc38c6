"""Figures that stand beside each other on a page, counted together."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import QuerySet

Selection = tuple[str, list[Any]]


def selection(rows: Mapping[str, QuerySet[Any, Any]], most: int) -> Selection:
    """The statement for ``counted`` that counts each of these, to one beyond ``most``; "" where none of them can have
    anything."""
    asked: list[str] = []
    values: list[Any] = []
    for name, some in rows.items():
        with suppress(EmptyResultSet):
            sql, given = some.order_by().values("pk")[: most + 1].query.sql_with_params()
            asked.append(f"SELECT %s, count(*) FROM ({sql}) counted")  # noqa: S608 - Django's own
            values += [name, *given]
    return " UNION ALL ".join(asked), values


def counted(selected: Selection) -> dict[str, int]:
    """How many of each there are, in one query; what is known beforehand to have none is left out."""
    sql, values = selected
    if not sql:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return dict(cursor.fetchall())


def counted_together(rows: Mapping[str, QuerySet[Any, Any]], most: int) -> dict[str, int]:
    """``counted`` of what is chosen for this once."""
    return counted(selection(rows, most))
