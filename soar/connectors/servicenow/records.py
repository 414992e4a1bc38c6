"""What ServiceNow's tables hold, as raw values: texts, never links, times in UTC."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from soar.connectors.base import ConnectorError
from soar.connectors.servicenow.times import parsed

# Asked for with every record: without them no change can be told from another.
ALWAYS = ("sys_id", "number", "sys_updated_on", "sys_updated_by", "sys_mod_count")


@dataclass(frozen=True, slots=True)
class Record:
    """One row. ``fields``: raw values by name, of those that the integration user may read; a reference is a sys_id."""

    table: str
    sys_id: str
    number: str
    fields: dict[str, str]
    updated_on: datetime
    updated_by: str
    mod_count: int


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """One note. ``element``: work_notes or comments. ``created_by``: the user name, or what the record shows (a display
    name) where sys_journal_field may not be read; the ``sys_id`` is then made of the text."""

    sys_id: str
    record: str
    element: str
    value: str
    created_on: datetime
    created_by: str


@dataclass(frozen=True, slots=True)
class Attached:
    """One attachment. ``size`` in bytes; ``sha256`` in hex, "" when ServiceNow does not tell it."""

    sys_id: str
    record: str
    name: str
    size: int
    content_type: str
    sha256: str
    created_on: datetime
    created_by: str


@dataclass(frozen=True, slots=True)
class Choice:
    """What a field may hold, with the words people see. Of a user also ``name`` (the user name) and ``email``."""

    value: str
    label: str
    name: str = ""
    email: str = ""


def flat(row: dict[str, Any]) -> dict[str, str]:
    """A row with texts only: of a reference its value, of nothing ""."""
    return {name: _text(value) for name, value in row.items()}


def record_of(table: str, row: dict[str, Any]) -> Record:
    """The row as a record. Raises ConnectorError when what tells changes apart is missing: it may not be read."""
    fields = flat(row)
    hidden = [name for name in ALWAYS if name != "number" and not fields.get(name)]
    if hidden:
        text = f"ServiceNow does not show {', '.join(hidden)} of {table}: the integration user may not read them."
        raise ConnectorError(text, permanent=True)
    try:
        updated, count = parsed(fields["sys_updated_on"]), int(fields["sys_mod_count"])
    except ValueError:
        text = f"ServiceNow describes the record {fields['sys_id']:.40} of {table} in a way that is not known."
        raise ConnectorError(text, permanent=True) from None
    number, by = fields.get("number", ""), fields["sys_updated_by"]
    return Record(table, fields["sys_id"], number, fields, updated, by, count)


def _text(value: Any) -> str:
    if isinstance(value, dict):
        value = value.get("value")
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)
