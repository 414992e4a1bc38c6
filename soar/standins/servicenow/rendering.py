"""Rows as the REST API shows them: raw or displayed values, links of references, fields by path, journals as text."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from soar.standins.base import Request
from soar.standins.servicenow import times
from soar.standins.servicenow.access import Person
from soar.standins.servicenow.reading import field_at, value_of
from soar.standins.servicenow.schema import TABLES, Field, Row
from soar.standins.servicenow.store import Store

Columns = list[tuple[str, Field]]


@dataclass(slots=True)
class View:
    """How rows are wished. ``display``: false, true or all; ``fields``: paths, none for all."""

    store: Store
    person: Person
    base: str
    display: str = "false"
    links: bool = True
    fields: tuple[str, ...] = ()
    _columns: dict[str, Columns] = field(default_factory=dict)

    @classmethod
    def of(cls, store: Store, person: Person, request: Request) -> View:
        """As the parameters of a request wish it."""
        fields = tuple(name for one in request.argument("sysparm_fields").split(",") if (name := one.strip()))
        links = request.argument("sysparm_exclude_reference_link") != "true"
        return cls(store, person, request.base, request.argument("sysparm_display_value", "false"), links, fields)

    def shown(self, table: str, row: Row) -> dict[str, Any]:
        """One row. Fields that are not there or may not be read are left out without a word."""
        if table not in self._columns:
            names = self.fields or tuple(TABLES[table].fields)
            known = ((name, field_at(self.person, table, name)) for name in names)
            self._columns[table] = [(name, column) for name, column in known if column is not None]
        return {name: self._cell(table, row, name, column) for name, column in self._columns[table]}

    def _cell(self, table: str, row: Row, path: str, column: Field) -> Any:
        raw = "" if column.kind == "journal" else value_of(self.store, table, row, path)
        link = f"{self.base}/api/now/table/{column.refers}/{raw}" if column.refers and raw and self.links else ""
        if self.display == "false":
            return {"link": link, "value": raw} if link else raw
        text = self.text(table, row, path, column, raw)
        if self.display == "all":
            both = {"display_value": text, "value": raw}
            return {**both, "link": link} if link else both
        return {"display_value": text, "link": link} if link else text

    def text(self, table: str, row: Row, path: str, column: Field, raw: str) -> str:
        """The display value."""
        if column.kind == "journal":
            return self._journal(row, column) if "." not in path else ""
        if column.refers:
            return self.store.display(column.refers, raw)
        if column.kind == "choice":
            return self.store.label(table, column.name, raw)
        return times.shown(raw, self.person.zone, self.person.row["date_format"]) if column.kind == "datetime" else raw

    def _journal(self, row: Row, column: Field) -> str:
        """All entries of the column as one text, newest first, times in the user's zone."""
        entries = [
            entry
            for entry in self.store.by("sys_journal_field", "element_id", row["sys_id"])
            if entry["element"] == column.name
        ]
        return "".join(self._entry(entry, column) for entry in reversed(entries))

    def _entry(self, entry: Row, column: Field) -> str:
        who = next(iter(self.store.by("sys_user", "user_name", entry["sys_created_by"])), None)
        name = who["name"] if who else entry["sys_created_by"]
        at = times.shown(entry["sys_created_on"], self.person.zone, self.person.row["date_format"])
        return f"{at} - {name} ({column.label})\n{entry['value']}\n\n"
