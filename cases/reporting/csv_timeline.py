"""The timeline as a table: one line an entry, oldest first (casework.md 16)."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from io import StringIO
from typing import Any

from soar.accounts.audit_export import cell, json_cell

FIELDS = (
    "occurred_at", "recorded_at", "subject", "entry", "kind", "actor_type", "actor", "what", "text", "data", "hash",
    "tlp",
)  # fmt: skip
BOM = "\ufeff".encode()


def render(document: dict[str, Any], _progress: object = None) -> Iterator[bytes]:
    """In UTF-8 without a mark, as programs read it (RFC 4180). Times are ISO 8601 in UTC. Each
    line bears the TLP of the whole."""
    yield _line(FIELDS)
    for entry in document["timeline"]:
        # A spreadsheet takes a cell that begins with certain signs for a formula: an apostrophe goes before.
        yield _line([cell(value) for value in [*_values(entry), document["tlp"]]])


def render_bom(document: dict[str, Any], _progress: object = None) -> Iterator[bytes]:
    """The same behind a byte order mark, by which spreadsheets on Windows know UTF-8."""
    yield BOM
    yield from render(document)


def _values(entry: dict[str, Any]) -> list[Any]:
    actor = entry["actor"]
    return [
        entry["occurred_at"], entry["recorded_at"], entry["subject"], entry["id"], entry["kind"],
        actor["type"], actor["name"], entry.get("sentence", ""), entry["text"],
        json_cell(entry["data"]), entry["hash"],
    ]  # fmt: skip


def _line(values: Any) -> bytes:
    out = StringIO()
    csv.writer(out).writerow(values)
    return out.getvalue().encode("utf-8", "replace")
