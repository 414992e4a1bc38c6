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

CAP = 1000
SHORT_CAP = 500  # of figures beside the one that counts
TAG_SAMPLE = 500
TAGS_SHOWN = 20
COLUMNS = (
    "id",
    "severity",
    "status",
    "owner_id",
    "hostname",
    "username",
    "tags",
    "resolved_at",
    "updated_at",
    "suppression_id",
)
# In one message with its query, and so in one transaction with it.
NO_BITMAPS = "SET LOCAL enable_bitmapscan = off;"
OPEN = f"status < {AlertStatus.RESOLVED.value} AND suppression_id IS NULL"  # what stands in the queue
# An order that the indexes of open work have. A count of many rows that ends at its cap is asked for in it: else the
# database reads the whole index of each team before the first row, of which the count needs a thousand.
AS_QUEUED = "ORDER BY severity DESC, id DESC"
HELD = f"status < {AlertStatus.RESOLVED.value} AND suppression_id IS NOT NULL"


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


@dataclass(frozen=True, slots=True)
class Base:
    """A selection of alerts as SQL. Making SQL of one costs more than counting it, so it is made once and each
    figure adds its own condition, which the database puts into the same plan."""

    sql: str
    params: tuple[Any, ...]

    def where(self, condition: str = "true", *values: Any, cap: int = CAP, order: str = "") -> Count:
        """Those of the selection that meet ``condition``, a constant of the code over ``COLUMNS``. ``order`` is for
        the planner alone, ``AS_QUEUED`` or nothing."""
        sql = f"SELECT 1 FROM ({self.sql}) base WHERE {condition} {order} LIMIT {cap + 1}"  # noqa: S608 - constants
        return Count(sql, (*self.params, *values), cap)


@dataclass(frozen=True, slots=True)
class Count:
    """What is to be counted, to ``cap``."""

    sql: str
    params: tuple[Any, ...]
    cap: int = CAP


def base_of(rows: QuerySet[Alert]) -> Base:
    """The selection ``rows`` as SQL."""
    try:
        sql, params = rows.order_by().values(*COLUMNS).query.sql_with_params()
    except EmptyResultSet:
        return base_of(Alert.objects.extra(where=["false"]))
    return Base(sql, tuple(params))


def run(wanted: Mapping[str, Count], *, bitmaps: bool = True) -> dict[str, Figure]:
    """The numbers, all in one query; what is the same is counted once. Without ``bitmaps`` for conditions that leave
    few rows: the planner would read the index of all open work beside theirs."""
    if not wanted:
        return {}
    distinct: list[Count] = []  # no dictionary: values may be lists
    distinct.extend(one for one in wanted.values() if one not in distinct)
    sql = ", ".join(f"(SELECT count(*) FROM ({one.sql}) counted)" for one in distinct)  # noqa: S608 - Django's own SQL
    with connection.cursor() as cursor:
        cursor.execute(f"{'' if bitmaps else NO_BITMAPS}SELECT {sql}", [v for one in distinct for v in one.params])
        if not bitmaps:
            cursor.nextset()
        found: list[int] = list(cursor.fetchone())
    figures = [Figure(min(n, one.cap), n > one.cap) for n, one in zip(found, distinct, strict=True)]
    return {name: figures[distinct.index(one)] for name, one in wanted.items()}


def by_severity(base: Base, cap: int = SHORT_CAP) -> dict[str, Figure]:
    """Open work of each severity: facets help to choose what to do next. One plan for all of them: at this size
    planning costs more than counting."""
    some = f"{OPEN} AND base.severity = wanted.n {AS_QUEUED}"
    one = f"SELECT 1 FROM ({base.sql}) base WHERE {some} LIMIT {cap + 1}"  # noqa: S608
    words = ", ".join(f"({severity.value})" for severity in Severity)
    query = f"SELECT n, (SELECT count(*) FROM ({one}) counted) FROM (VALUES {words}) wanted (n)"  # noqa: S608
    with connection.cursor() as cursor:
        cursor.execute(query, base.params)
        found = dict(cursor.fetchall())
    return {one.word: Figure(min(found[one.value], cap), found[one.value] > cap) for one in Severity}


def severities_at_once(base: Base, cap: int = CAP) -> tuple[dict[str, Figure], Figure]:
    """Open work by severity and in all, in one reading of at most ``cap`` rows, for selections that are costly to read
    (free text). Behind the cap each number is the least that there are."""
    sql = f"SELECT severity FROM ({base.sql}) base WHERE {OPEN} LIMIT {cap + 1}"  # noqa: S608 - constants
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT severity, count(*) FROM ({sql}) counted GROUP BY severity", base.params)  # noqa: S608
        found = dict(cursor.fetchall())
    total = sum(found.values())
    more = total > cap
    figures = {severity.word: Figure(found.get(severity.value, 0), more) for severity in Severity}
    return figures, Figure(min(total, cap), more)


def common_tags(base: Base) -> list[str]:
    """The tags of the newest open alerts of a selection, most used first."""
    newest = f"SELECT tags FROM ({base.sql}) base WHERE {OPEN} ORDER BY id DESC LIMIT {TAG_SAMPLE}"  # noqa: S608
    query = (
        f"SELECT tag FROM ({newest}) newest, unnest(newest.tags) tag "  # noqa: S608 - constants
        f"GROUP BY tag ORDER BY count(*) DESC, tag LIMIT {TAGS_SHOWN}"
    )
    with connection.cursor() as cursor:
        cursor.execute(query, base.params)
        return [tag for (tag,) in cursor.fetchall()]
