"""What stands in the queue, counted by the values of a filter's fields (casework.md 2). Honest and bounded: each field
is counted for the reader, under the rest of the filter, in one reading of at most ``ROWS`` alerts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import QuerySet

from cases.attack.shown import label
from cases.choices import AlertStatus, Determination, Severity, Words
from cases.filters import AlertFilter
from cases.models import Alert, AlertSource
from cases.stats import CAP, OPEN, Figure
from soar.accounts.models import User

ROWS = 20_000  # the newest ones; behind them each number is the least that there are
VALUES = 8
# Field of the filter -> its column; arrays count each of their values.
COLUMNS = {
    "status": "status", "severity": "severity", "determination": "determination", "owner": "owner_id",
    "source": "source_id", "model": "detection_model", "tag": "tags", "host": "hostname", "technique": "techniques",
}  # fmt: skip
ARRAYS = ("tag", "technique")
CHOICES: dict[str, type[Words]] = {"status": AlertStatus, "severity": Severity, "determination": Determination}
READ = ("id", "suppression_id", *dict.fromkeys(COLUMNS.values()))


@dataclass(frozen=True, slots=True)
class Value:
    """One value of a field: as the filter names it, as people read it, and how many alerts have it."""

    word: str
    label: str
    number: Figure


def facets(user: User, chosen: AlertFilter, rows: QuerySet[Alert]) -> dict[str, list[Value]]:
    """The most common values of each field among what stands in the queue. ``rows`` is all that the person may see.
    A field leaves out its own choice, so that it shows what else could be chosen."""
    asked = [name for name in COLUMNS if name in chosen.params]
    counted = _count(chosen.apply(rows, user), [name for name in COLUMNS if name not in asked])
    for name in asked:
        counted |= _count(chosen.without(name).apply(rows, user), [name])
    return {name: _values(name, counted[name]) for name in COLUMNS}


def _count(rows: QuerySet[Alert], names: Sequence[str]) -> dict[str, tuple[list[tuple[Any, int]], bool]]:
    """Values and numbers of these fields, most common first, and whether there are more rows than were read."""
    if not names:
        return {}
    try:
        sql, params = rows.order_by().values(*READ).query.sql_with_params()
    except EmptyResultSet:
        return {name: ([], False) for name in names}
    base = f"SELECT * FROM ({sql}) base WHERE {OPEN} ORDER BY id DESC LIMIT {ROWS + 1}"  # noqa: S608 - Django's own SQL
    each = " UNION ALL ".join(_one(name) for name in names)
    with connection.cursor() as cursor:
        cursor.execute(f"WITH b AS MATERIALIZED ({base}) SELECT '', '', count(*) FROM b UNION ALL {each}", params)  # noqa: S608
        found = cursor.fetchall()
    more = found[0][2] > ROWS
    return {name: ([(value, n) for field, value, n in found[1:] if field == name], more) for name in names}


def _one(name: str) -> str:
    """The statement that counts one field over the rows that were read; names are constants of this file."""
    column, table = COLUMNS[name], "b"
    if name in ARRAYS:
        column, table = "one", f"b, unnest(b.{COLUMNS[name]}) one"
    some = f"WHERE {column} <> ''" if name in ("model", "host") else ""
    return (
        f"(SELECT '{name}', {column}::text, count(*) FROM {table} {some} "  # noqa: S608 - constants
        f"GROUP BY {column} ORDER BY count(*) DESC, {column} LIMIT {VALUES})"
    )


def _values(name: str, found: tuple[list[tuple[Any, int]], bool]) -> list[Value]:
    rows, more = found
    words = _words(name, [value for value, _number in rows])
    values = [
        Value(*words[value], Figure(min(number, CAP), more or number > CAP)) for value, number in rows if value in words
    ]
    return sorted(values, key=lambda one: _rank(name, one.word)) if name in CHOICES else values


def _rank(name: str, word: str) -> int:
    """Choices in their own order, the worst severity first."""
    place = list(CHOICES[name].words()).index(word)
    return -place if name == "severity" else place


def _words(name: str, values: Iterable[Any]) -> dict[Any, tuple[str, str]]:
    """What the filter calls a value of the column, and what people read."""
    listed = list(values)
    if name in CHOICES:
        members = {str(one.value): one for one in CHOICES[name]}
        return {value: (members[value].word, str(members[value].label)) for value in listed}
    if name == "owner":
        people = User.objects.in_bulk([int(value) for value in listed if value is not None])
        named = {str(pk): (one.username, one.display_name()) for pk, one in people.items()}
        return {**named, None: ("none", "")}
    if name == "source":
        rows = AlertSource.objects.filter(pk__in=[int(value) for value in listed])
        return {str(pk): (slug, label) for pk, slug, label in rows.values_list("pk", "slug", "name")}
    if name == "technique":
        return {value: (value, label(value)) for value in listed}
    return {value: (value, value) for value in listed}
