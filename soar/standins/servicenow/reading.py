"""Finding rows: what of a query is understood is run over all rows, cut to a page, and only then thinned by rights."""

from __future__ import annotations

from dataclasses import dataclass

from soar.standins.servicenow.access import Person
from soar.standins.servicenow.query import Condition, Query, holds, parse, sortable
from soar.standins.servicenow.schema import TABLES, Field, Row
from soar.standins.servicenow.store import BY_TIME, INDEXED, Store, chained
from soar.standins.servicenow.times import typed

NO_ROWS = "glide.invalid_query.returns_no_rows"


@dataclass(frozen=True, slots=True)
class Page:
    """``total``: rows that fit, hidden ones too; ``rows``: those of the page that may be seen."""

    rows: list[Row]
    total: int
    ignored: list[str]


def find(store: Store, person: Person, table: str, text: str, limit: int, offset: int) -> Page:
    """The page of a query. Rows without ORDERBY come in no order that means anything."""
    query = parse(text)
    _drop_invalid(store, person, table, query)
    if query.ignored and store.property(NO_ROWS, "false") == "true":
        return Page([], 0, query.ignored)
    found = [row for row in _candidates(store, table, query) if _fits(store, table, row, query)]
    found.sort(key=lambda row: row["sys_id"])
    for path, falling in reversed(query.order):
        found.sort(key=lambda row: sortable(value_of(store, table, row, path)), reverse=falling)
    page = found[offset : offset + limit]
    return Page([row for row in page if person.sees(store, table, row)], len(found), query.ignored)


def field_at(person: Person, table: str, path: str) -> Field | None:
    """The field that a path with dots leads to; None if there is none, or it may not be read."""
    for name in path.split(".")[:-1]:
        step = TABLES[table].fields.get(name)
        if step is None or not step.refers or not person.reads_field(name):
            return None
        table = step.refers
    last = path.rpartition(".")[2]
    return TABLES[table].fields.get(last) if person.reads_field(last) else None


def value_of(store: Store, table: str, row: Row, path: str) -> str:
    """The stored value at a path that leads somewhere; "" behind an empty reference."""
    name, _, rest = path.partition(".")
    if not rest:
        return row.get(name, "")
    refers = TABLES[table].fields[name].refers
    further = store.get(refers, row.get(name, ""))
    return value_of(store, refers, further, rest) if further else ""


def _drop_invalid(store: Store, person: Person, table: str, query: Query) -> None:
    """Parts about fields that are not there, or may not be read, or with times that are none, are not run."""
    for way in query.ways:
        for term in way:
            term[:] = [kept for one in term if (kept := _valid(person, table, one, query)) is not None]
        way[:] = [term for term in way if term]
    query.order = [one for one in query.order if field_at(person, table, one[0]) is not None]


def _valid(person: Person, table: str, condition: Condition, query: Query) -> Condition | None:
    """Times are meant in the zone of whoever asks."""
    field = field_at(person, table, condition.path)
    value: str | None = condition.value
    if field is None or field.kind == "journal":
        value = None
    elif field.kind == "datetime" and condition.value and condition.operator in ("=", "!=", ">", ">=", "<", "<="):
        try:
            value = typed(condition.value, person.zone)
        except ValueError:
            value = None
    if value is None:
        query.ignored.append(f"{condition.path}{condition.operator}{condition.value}")
        return None
    return Condition(condition.path, condition.operator, value)


def _candidates(store: Store, table: str, query: Query) -> list[Row]:
    """All rows that could fit: of the first condition that an index answers."""
    if len(query.ways) == 1:
        for by_time in (False, True):
            for term in query.ways[0]:
                if len(term) == 1 and (found := _indexed(store, table, term[0], by_time=by_time)) is not None:
                    return found
    return list(store.tables[table].values())


def _indexed(store: Store, table: str, one: Condition, *, by_time: bool) -> list[Row] | None:
    if by_time:
        timed = BY_TIME.get(table) == one.path and one.operator in (">", ">=")
        return store.since(table, one.value) if timed else None
    if one.operator not in ("=", "IN"):
        return None
    values = one.value.split(",") if one.operator == "IN" else [one.value]
    if one.path == "sys_id":
        return chained([[row] for value in values if (row := store.get(table, value))])
    if one.path in INDEXED.get(table, ()):
        return chained(store.by(table, one.path, value) for value in values)
    return None


def _fits(store: Store, table: str, row: Row, query: Query) -> bool:
    return any(
        all(any(holds(one, value_of(store, table, row, one.path)) for one in term) for term in way)
        for way in query.ways
    )
