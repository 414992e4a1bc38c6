"""Figures of lists, each counted no further than a reader needs: many figures, one query."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import QuerySet

from cases.choices import AlertStatus, Severity
from cases.models import Alert

CAP = 1000
SHORT_CAP = 200  # of figures beside the one that counts
WORDS_CAP = 300  # of alerts that hold a word: for each that is found many are read
TAG_SAMPLE = 200
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
    "incident_id",
    "acknowledged_at",
    "received_at",
)
# In the order of the queue's indexes: so the planner reads until the cap for who sees much, and gathers the alerts of
# teams and incidents only for who sees little.
QUEUED = " ORDER BY severity DESC, id DESC"
# In one message with its query, and so in one transaction with it.
NO_BITMAPS = "SET LOCAL enable_bitmapscan = off;"
OPEN = f"status < {AlertStatus.RESOLVED.value} AND suppression_id IS NULL"  # what stands in the queue
UNTAKEN = (
    f"status = {AlertStatus.NEW.value} AND acknowledged_at IS NULL AND incident_id IS NULL AND suppression_id IS NULL"
)
WAITING = " ORDER BY received_at, id"  # of one severity: in the order of the index of what waits for somebody
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

    def where(self, condition: str = "true", *values: Any, cap: int = CAP) -> Count:
        """Those of the selection that meet ``condition``, a constant of the code over ``COLUMNS``."""
        return Count(self, condition, values, cap)

    def waiting(self, spans: Mapping[Severity, tuple[datetime | None, datetime]], cap: int = CAP) -> Count:
        """Those that wait for somebody and came after the first moment (if there is one) and until the second that are
        told for their severity. Each severity is read by its index, however many wait, and all by one plan."""
        if not spans:
            return self.where("false", cap=cap)
        rows = ", ".join(["(%s::smallint, coalesce(%s::timestamptz, '-infinity'), %s::timestamptz)"] * len(spans))
        values = tuple(value for severity, span in spans.items() for value in (severity.value, *span))
        condition = f"{UNTAKEN} AND severity = span.severity AND received_at > since AND received_at <= until"
        return Count(self, condition, values, cap, each=f"(VALUES {rows}) span (severity, since, until)")


@dataclass(frozen=True, slots=True)
class Count:
    """What is to be counted of a selection, to ``cap``."""

    base: Base
    condition: str
    values: tuple[Any, ...]
    cap: int = CAP
    each: str = ""  # rows that the condition is asked with one after the other, until the cap is reached

    def sql(self, name: str) -> str:
        """The number as a subquery; ``name``: what the selection is called in the query around it."""
        order = QUEUED if OPEN in self.condition else WAITING if UNTAKEN in self.condition else ""
        most = f"LIMIT {self.cap + 1}"
        rows = f"SELECT 1 FROM {name} WHERE {self.condition}{order} {most}"  # noqa: S608 - constants
        if self.each:
            rows = f"SELECT 1 FROM {self.each}, LATERAL ({rows}) one {most}"  # noqa: S608 - constants
        return f"(SELECT count(*) FROM ({rows}) counted)"  # noqa: S608 - constants


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
    with connection.cursor() as cursor:
        query, values = _statement(distinct)
        cursor.execute(f"{'' if bitmaps else NO_BITMAPS}{query}", values)
        if not bitmaps:
            cursor.nextset()
        found: list[int] = list(cursor.fetchone())
    figures = [Figure(min(n, one.cap), n > one.cap) for n, one in zip(found, distinct, strict=True)]
    return {name: figures[distinct.index(one)] for name, one in wanted.items()}


def _statement(counts: list[Count]) -> tuple[str, list[Any]]:
    """One query for all. Each selection is written once, with its values, which may be thousands of grants: to send and
    to read them again for every figure costs more than to count."""
    bases: list[Base] = []
    bases.extend(one.base for one in counts if one.base not in bases)
    told = ", ".join(f"base{n} AS NOT MATERIALIZED ({base.sql})" for n, base in enumerate(bases))
    sql = ", ".join(one.sql(f"base{bases.index(one.base)}") for one in counts)
    values = [value for part in (*(base.params for base in bases), *(one.values for one in counts)) for value in part]
    return f"WITH {told} SELECT {sql}", values


def by_severity(base: Base, cap: int = SHORT_CAP) -> dict[str, Figure]:
    """Open work of each severity: facets help to choose what to do next. One plan for all of them: at this size
    planning costs more than counting."""
    one = f"SELECT 1 FROM ({base.sql}) base WHERE {OPEN} AND severity = wanted.n{QUEUED} LIMIT {cap + 1}"  # noqa: S608
    words = ", ".join(f"({severity.value})" for severity in Severity)
    query = f"SELECT n, (SELECT count(*) FROM ({one}) counted) FROM (VALUES {words}) wanted (n)"  # noqa: S608
    with connection.cursor() as cursor:
        cursor.execute(query, base.params)
        found = dict(cursor.fetchall())
    return {one.word: Figure(min(found[one.value], cap), found[one.value] > cap) for one in Severity}


def severities_at_once(base: Base, cap: int = WORDS_CAP) -> tuple[dict[str, Figure], Figure]:
    """Open work by severity and in all, in one reading of at most ``cap`` rows, for selections that are costly to read
    (free text). Behind the cap each number is the least that there are."""
    # In the order of the queue's smallest index: so it reads no further than the cap where all teams' work is mixed.
    sql = f"SELECT severity FROM ({base.sql}) base WHERE {OPEN} ORDER BY id DESC LIMIT {cap + 1}"  # noqa: S608 - constants
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
