"""The instance as its control shows it, to tests and to the page of the practice range."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from soar.standins.servicenow.schema import TABLES, TICKETS, Row
from soar.standins.servicenow.store import Store
from soar.standins.servicenow.times import stamp


def ticket(store: Store, table: str, row: Row) -> dict[str, Any]:
    """One ticket: raw fields, labels of choices and names of references, journal and attachments, oldest first."""
    entries = store.by("sys_journal_field", "element_id", row["sys_id"])
    return {
        "table": table,
        "sys_id": row["sys_id"],
        "number": row["number"],
        "fields": {name: text for name, text in row.items() if name not in ("work_notes", "comments")},
        "labels": _labels(store, table, row),
        "hidden": row["sys_id"] in store.state["hidden"],
        "journal": [dict(one) for one in entries],
        "attachments": [dict(one) for one in store.by("sys_attachment", "table_sys_id", row["sys_id"])],
    }


def tickets(store: Store, asked: dict[str, str]) -> list[dict[str, Any]]:
    """All tickets, last changed first, without journal and attachments; at most ``limit`` of each table."""
    most = int(asked.get("limit", 200))
    shown = []
    for table in TICKETS:
        rows = sorted(store.tables[table].values(), key=lambda row: row["sys_updated_on"], reverse=True)[:most]
        shown += [{"table": table, "fields": row, "labels": _labels(store, table, row)} for row in rows]
    return sorted(shown, key=lambda one: one["fields"]["sys_updated_on"], reverse=True)


def state(store: Store, *, tickets: bool = True) -> dict[str, Any]:
    """What there is."""
    rows = [(table, row) for table in TICKETS for row in store.tables[table].values()] if tickets else []
    return {
        "clock": stamp(store.now()),
        "settings": store.settings,
        "down": time.time() < store.settings["down_until"],
        "tokens": len(store.state["tokens"]),
        "tickets": [ticket(store, table, row) for table, row in rows],
    }


def choices(store: Store, asked: dict[str, str]) -> dict[str, list[dict[str, str]]]:
    """By element, the active English choices of a table."""
    table = asked.get("table", "incident")
    fields = [field.name for field in TABLES[table].fields.values() if field.kind == "choice"]
    return {
        name: [{"value": one["value"], "label": one["label"]} for one in store.choices(table, name)] for name in fields
    }


def people(store: Store, asked: dict[str, str]) -> dict[str, list[dict[str, str]]]:
    """Users and groups."""
    users = sorted(store.tables["sys_user"].values(), key=lambda row: row["name"])
    groups = sorted(store.tables["sys_user_group"].values(), key=lambda row: row["name"])
    named = ("sys_id", "user_name", "name", "email", "time_zone", "active")
    return {
        "users": [{name: row[name] for name in named} for row in users],
        "groups": [{"sys_id": row["sys_id"], "name": row["name"]} for row in groups],
    }


def _labels(store: Store, table: str, row: Row) -> dict[str, str]:
    found = {}
    for name, field in TABLES[table].fields.items():
        if field.refers:
            found[name] = store.display(field.refers, row[name])
        elif field.kind == "choice":
            found[name] = store.label(table, name, row[name])
    return found


VERBS: dict[str, Callable[[Store, dict[str, str]], Any]] = {"tickets": tickets, "choices": choices, "people": people}
