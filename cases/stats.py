"""Figures of lists, each counted no further than a reader needs: many figures, one query."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import QuerySet

from cases.choices import AlertStatus, Severity
from cases.models import Alert
from soar.accounts.models import User

CAP = 1000
TAG_SAMPLE = 2000
TAGS_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Figure:
    """A number of rows, counted to ``CAP`` at most."""

    number: int
    more: bool = False

    def __str__(self) -> str:
        """``312`` or ``1,000+``."""
        return f"{self.number:,}+" if self.more else f"{self.number:,}"

    def __bool__(self) -> bool:
        return self.number > 0


def figures(wanted: Mapping[str, QuerySet[Alert]], cap: int = CAP) -> dict[str, Figure]:
    """How many rows each selection has, all in one query, each counted to ``cap``."""
    parts: list[str] = []
    values: list[Any] = []
    for rows in wanted.values():
        try:
            sql, params = rows.order_by().values("pk")[: cap + 1].query.sql_with_params()
        except EmptyResultSet:
            sql, params = "SELECT 1 WHERE false", ()
        parts.append(f"(SELECT count(*) FROM ({sql}) counted)")  # noqa: S608 - Django's own SQL
        values += params
    if not parts:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {', '.join(parts)}", values)
        found = cursor.fetchone()
    return {name: Figure(min(number, cap), number > cap) for name, number in zip(wanted, found, strict=True)}


def by_severity(rows: QuerySet[Alert]) -> dict[str, QuerySet[Alert]]:
    """A selection for each severity, for ``figures``. Only open work: facets help to choose what to do next."""
    return {
        f"severity {severity.word}": rows.filter(status__lt=AlertStatus.RESOLVED, severity=severity)
        for severity in Severity
    }


def common_tags(user: User) -> list[str]:
    """The tags of the newest open alerts that the person may see, most used first."""
    newest = Alert.objects.visible_to(user).open().order_by("-pk").values("tags")[:TAG_SAMPLE]
    try:
        sql, params = newest.query.sql_with_params()
    except EmptyResultSet:
        return []
    query = (
        f"SELECT tag FROM ({sql}) newest, unnest(newest.tags) tag "  # noqa: S608 - Django's own SQL
        f"GROUP BY tag ORDER BY count(*) DESC, tag LIMIT {TAGS_SHOWN}"
    )
    with connection.cursor() as cursor:
        cursor.execute(query, params)
        return [tag for (tag,) in cursor.fetchall()]
