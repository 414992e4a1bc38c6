"""Insert, update and delete: cleaning what is wished, running the rules, counting; the journal is only added to."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from soar.standins.servicenow import rules
from soar.standins.servicenow.access import DELETERS, WRITERS, Person
from soar.standins.servicenow.answers import no_record, security
from soar.standins.servicenow.schema import TABLES, Field, Row
from soar.standins.servicenow.store import Store, new_id
from soar.standins.servicenow.times import typed

JOURNALS = ("work_notes", "comments")
UTC_ZONE = ZoneInfo("UTC")


class Writer:
    """Writes of one person. ``typed_in``: names instead of identities and times of the user's zone are understood
    (sysparm_input_display_value). ``forced``: no rule is asked."""

    def __init__(self, store: Store, person: Person, *, typed_in: bool = False, forced: bool = False) -> None:
        self.store, self.person, self.typed_in, self.forced = store, person, typed_in, forced

    def insert(self, table: str, values: dict[str, Any]) -> Row:
        """A new row. Raises Refusal."""
        if not (self.person.all_rights or (table in WRITERS and self.person.may(WRITERS, table))):
            raise security("Insert")
        blank = {name: field.default for name, field in TABLES[table].fields.items()}
        wish = self._cleaned(table, values)
        now = self.store.stamp()
        made = {"sys_id": new_id(), "sys_created_on": now, "sys_created_by": self.person.name}
        row = {**blank, **made, **{name: text for name, text in wish.items() if name not in JOURNALS}}
        if TABLES[table].ticket:
            row |= {"sys_class_name": table, "opened_at": row["opened_at"] or now}
            row["opened_by"] = row["opened_by"] or self.person.sys_id
        return self._settle(table, None, row, {name: wish[name] for name in JOURNALS if wish.get(name)})

    def update(self, table: str, row: Row, values: dict[str, Any]) -> Row:
        """The row as it stands afterwards; nothing is counted when nothing changes. Raises Refusal."""
        if not (self.person.all_rights or (table in WRITERS and self.person.may(WRITERS, table))):
            raise security("Update")
        wish = self._cleaned(table, values)
        after = {**row, **{name: text for name, text in wish.items() if name not in JOURNALS}}
        return self._settle(table, row, after, {name: wish[name] for name in JOURNALS if wish.get(name)})

    def delete(self, table: str, row: Row) -> None:
        """With journal and attachments. Raises Refusal."""
        if not (self.person.all_rights or (table in DELETERS and self.person.may(DELETERS, table))):
            raise security("Delete")
        for entry in self.store.by("sys_journal_field", "element_id", row["sys_id"]):
            self.store.remove("sys_journal_field", entry["sys_id"])
        for told in self.store.by("sys_audit", "documentkey", row["sys_id"]):
            self.store.remove("sys_audit", told["sys_id"])
        for one in self.store.by("sys_attachment", "table_sys_id", row["sys_id"]):
            self.store.remove("sys_attachment", one["sys_id"])
            self.store.state["contents"].pop(one["sys_id"], None)
        self.store.remove(table, row["sys_id"])

    def touch(self, table: str, sys_id: str) -> Row:
        """Count a change of which no field of the row tells. Raises Refusal (404)."""
        row = self.store.get(table, sys_id)
        if row is None:
            raise no_record()
        return self.store.put(table, self._counted(row))

    def _settle(self, table: str, before: Row | None, after: Row, notes: Row) -> Row:
        if TABLES[table].ticket and not self.forced:
            rules.apply(rules.Write(self.store, self.person, table, before, after, notes))
        if before is not None and before == after and not notes:
            return before
        if before is None and TABLES[table].ticket:
            after["number"] = self.store.next_number(table)
        row = self.store.put(table, self._counted(after, first=before is None))
        if before is not None and TABLES[table].ticket:
            self._audit(table, before, row)
        for element, text in notes.items():
            self._write_journal(table, row["sys_id"], element, text)
        return row

    def _counted(self, row: Row, *, first: bool = False) -> Row:
        count = "0" if first else str(int(row["sys_mod_count"] or 0) + 1)
        return {**row, "sys_mod_count": count, "sys_updated_on": self.store.stamp(), "sys_updated_by": self.person.name}

    def _write_journal(self, table: str, sys_id: str, element: str, text: str) -> None:
        now, who = self.store.stamp(), self.person.name
        entry = {"sys_id": new_id(), "name": table, "element": element, "element_id": sys_id}
        entry["value"] = text[: self.store.settings["journal_limit"]]
        entry |= {"sys_created_on": now, "sys_created_by": who, "sys_updated_on": now, "sys_updated_by": who}
        self.store.put("sys_journal_field", {**entry, "sys_mod_count": "0"})

    def _audit(self, table: str, before: Row, row: Row) -> None:
        """What became of each field, with the count of changes that the record has by it."""
        now, who = row["sys_updated_on"], row["sys_updated_by"]
        told = {
            "tablename": table,
            "documentkey": row["sys_id"],
            "user": who,
            "record_checkpoint": row["sys_mod_count"],
        }
        told |= {"sys_created_on": now, "sys_created_by": who, "sys_updated_on": now, "sys_updated_by": who}
        for name in TABLES[table].fields:
            if not name.startswith("sys_") and before.get(name, "") != row.get(name, ""):
                values = {"fieldname": name, "oldvalue": before.get(name, ""), "newvalue": row.get(name, "")}
                self.store.put("sys_audit", {"sys_id": new_id(), **told, **values, "sys_mod_count": "0"})

    def _cleaned(self, table: str, values: dict[str, Any]) -> Row:
        """What is really written: unknown, read-only and forbidden fields are dropped without a word."""
        wish: Row = {}
        for name, value in values.items():
            field = TABLES[table].fields.get(name)
            if field is None or not self.person.writes_field(name):
                continue
            if field.fixed and not (self.forced and name != "sys_id"):
                continue
            text = self._value(field, _text(value))
            if text is not None:
                wish[name] = text
        return wish

    def _value(self, field: Field, text: str) -> str | None:
        """As it is stored; None for what is not taken."""
        if field.kind == "journal":
            return text
        if not text:
            return None if field.kind == "choice" and not self.forced else ""
        if field.kind == "reference":
            return self._reference(field, text)
        if field.kind == "datetime":
            return self._moment(text)
        if field.kind == "choice" and self.typed_in:
            text = self._choice(field, text)
        return text[: field.longest]

    def _reference(self, field: Field, text: str) -> str | None:
        if self.store.get(field.refers, text) is not None:
            return text
        if not self.typed_in:
            return None
        named = self.store.by(field.refers, "name", text) or self.store.by(field.refers, "user_name", text)
        return named[0]["sys_id"] if named else None

    def _moment(self, text: str) -> str | None:
        zone = self.person.zone if self.typed_in else UTC_ZONE
        try:
            return typed(text, zone)
        except ValueError:
            return None

    def _choice(self, field: Field, label: str) -> str:
        found = [row for row in self.store.by("sys_choice", "element", field.name) if row["label"] == label]
        return found[0]["value"] if found else label


def _text(value: Any) -> str:
    if isinstance(value, dict):
        value = value.get("value", value.get("display_value"))
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)
