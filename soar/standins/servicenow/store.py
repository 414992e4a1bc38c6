"""The rows of the instance, found fast by what they are asked for by: identity, correlation id, number, time."""

from __future__ import annotations

import hashlib
import uuid
from bisect import bisect_left, insort
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from soar.standins.servicenow.schema import TABLES, Row
from soar.standins.servicenow.settings import SETTINGS
from soar.standins.servicenow.times import moment_of, stamp

INDEXED: dict[str, tuple[str, ...]] = {
    "incident": ("number", "correlation_id"),
    "sn_si_incident": ("number", "correlation_id"),
    "sys_journal_field": ("element_id",),
    "sys_audit": ("documentkey",),
    "sys_attachment": ("table_sys_id",),
    "sys_user": ("user_name", "name", "email"),
    "sys_user_group": ("name",),
    "sys_choice": ("element",),
    "sys_user_has_role": ("user",),
    "sys_user_grmember": ("user", "group"),
    "sys_properties": ("name",),
}
BY_TIME = {
    "incident": "sys_updated_on",
    "sn_si_incident": "sys_updated_on",
    "sys_journal_field": "sys_created_on",
    "sys_attachment": "sys_created_on",
}


class Store:
    """What stands in ``state`` (JSON), with indexes beside it. A row is never changed but replaced by ``put``.

    Nothing here locks: the stand-in's lock is held by whoever calls. ``changes`` counts the writes."""

    def __init__(self, state: dict[str, Any]) -> None:
        self.state = state
        self.tables: dict[str, dict[str, Row]] = state["tables"]
        state["settings"] = {**SETTINGS, **state["settings"]}  # one of before may know fewer
        self.settings: dict[str, Any] = state["settings"]
        self.changes = 0
        self._index: dict[tuple[str, str], dict[str, dict[str, None]]] = {}
        self._times: dict[str, list[tuple[str, str]]] = {name: [] for name in BY_TIME}
        for table in TABLES:
            self.tables.setdefault(table, {})
            for row in self.tables[table].values():
                self._enter(table, row)

    def now(self) -> datetime:
        """The clock of the instance, which may be wrong or stand still."""
        if self.settings["frozen"]:
            return moment_of(self.settings["frozen"])
        return datetime.now(UTC) + timedelta(seconds=self.settings["skew"])

    def stamp(self) -> str:
        """Now, as it is stored: whole seconds."""
        return stamp(self.now())

    def get(self, table: str, sys_id: str) -> Row | None:
        """One row."""
        return self.tables[table].get(sys_id)

    def by(self, table: str, field: str, value: str) -> list[Row]:
        """The rows with this value in an indexed field."""
        found = self._index.get((table, field), {}).get(value, {})
        return [self.tables[table][one] for one in found]

    def since(self, table: str, moment: str) -> list[Row]:
        """The rows of a table of ``BY_TIME`` from this time on."""
        times = self._times[table]
        rows = self.tables[table]
        return [rows[sys_id] for _, sys_id in times[bisect_left(times, (moment, "")) :]]

    def put(self, table: str, row: Row) -> Row:
        """Insert or replace."""
        if before := self.tables[table].get(row["sys_id"]):
            self._leave(table, before)
        self.tables[table][row["sys_id"]] = row
        self._enter(table, row)
        self.changes += 1
        return row

    def remove(self, table: str, sys_id: str) -> None:
        """Delete, with nothing of what hangs on it."""
        if before := self.tables[table].pop(sys_id, None):
            self._leave(table, before)
            self.changes += 1

    def next_number(self, table: str) -> str:
        """The number of a new ticket."""
        counters: dict[str, int] = self.state["counters"]
        counters[table] = counters.get(table, 10000) + 1
        return f"{TABLES[table].number}{counters[table]:07d}"

    def property(self, name: str, default: str = "") -> str:
        """A system property."""
        found = self.by("sys_properties", "name", name)
        return found[0]["value"] if found else default

    def choices(self, table: str, element: str) -> list[Row]:
        """The active English choices of a field; of its parent table if it has none of its own."""
        for name in (table, *TABLES[table].parents):
            found = [
                row
                for row in self.by("sys_choice", "element", element)
                if row["name"] == name and row["language"] == "en" and row["inactive"] == "false"
            ]
            if found:
                return sorted(found, key=lambda row: int(row["sequence"] or 0))
        return []

    def label(self, table: str, element: str, value: str) -> str:
        """What a choice is called; the value itself if it is none."""
        return next((row["label"] for row in self.choices(table, element) if row["value"] == value), value)

    def display(self, table: str, sys_id: str) -> str:
        """How a row is called where it is referred to."""
        row = self.tables.get(table, {}).get(sys_id)
        return self.shown_name(table, row) if row else ""

    def shown_name(self, table: str, row: Row) -> str:
        """The display value of a row."""
        field = TABLES[table].fields[TABLES[table].display]
        return self.display(field.refers, row[field.name]) if field.refers else row[field.name]

    def _enter(self, table: str, row: Row) -> None:
        for field in INDEXED.get(table, ()):
            self._index.setdefault((table, field), {}).setdefault(row.get(field, ""), {})[row["sys_id"]] = None
        if table in BY_TIME:
            insort(self._times[table], (row[BY_TIME[table]], row["sys_id"]))

    def _leave(self, table: str, row: Row) -> None:
        for field in INDEXED.get(table, ()):
            self._index[table, field][row.get(field, "")].pop(row["sys_id"], None)
        if table in BY_TIME:
            times = self._times[table]
            times.pop(bisect_left(times, (row[BY_TIME[table]], row["sys_id"])))


def new_id() -> str:
    """A sys_id: 32 hexadecimal digits."""
    return uuid.uuid4().hex


def fixed_id(*words: str) -> str:
    """A sys_id that is the same at every start, for what an instance has from the beginning."""
    return hashlib.sha256("/".join(words).encode()).hexdigest()[:32]


def chained(parts: Iterable[Iterable[Row]]) -> list[Row]:
    """Rows of several lookups, each once."""
    return list({row["sys_id"]: row for part in parts for row in part}.values())
