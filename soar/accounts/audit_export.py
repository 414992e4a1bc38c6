"""The audit log as a file: CSV or JSON lines, streamed from the database; the export is itself an entry."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator
from io import StringIO
from typing import Any

from django.db import transaction

from soar.accounts import audit
from soar.accounts.audit_filter import AuditFilter
from soar.accounts.models import AuditEntry, User
from soar.lib.clock import iso

FIELDS = ("id", "at", "actor_id", "actor", "via", "verb", "object", "data", "address", "request")
FORMATS = {"csv": "text/csv; charset=utf-8", "jsonl": "application/x-ndjson"}
BATCH = 1000
# A table calculation takes a cell that begins so for a formula (OWASP: CSV injection).
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
# Where the semicolon parts cells (as in much of Europe), a line of commas is torn apart at those inside its texts, and
# at their line breaks, since quotation marks count at the beginning of a cell alone.
_BEGINS_INSIDE = re.compile(r"([;\t\r\n])(?=\"*[=+\-@＝＋－＠])")


def as_dict(entry: AuditEntry) -> dict[str, Any]:
    """An entry in JSON, as the API, the export and the stream give it."""
    return {
        "id": entry.pk,
        "at": iso(entry.at),
        "actor_id": entry.actor_id,
        "actor": entry.actor_name,
        "via": entry.via,
        "verb": entry.verb,
        "object": entry.target,
        "data": entry.data,
        "address": entry.address,
        "request": entry.request,
    }


def line(entry: AuditEntry) -> str:
    """An entry as one line of JSON; control characters are escaped, so a value makes no second line."""
    return json.dumps(as_dict(entry), separators=(",", ":"), ensure_ascii=True)


def export(user: User, wanted: AuditFilter, kind: str) -> Iterator[bytes]:
    """Note the export, then the entries that there are at this moment, newest first, in ``kind`` (one of FORMATS).

    Memory stays flat: batches by key, each its own query."""
    newest = AuditEntry.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    with transaction.atomic():
        audit.record(user, "audit.exported", "audit log", format=kind, filter=wanted.params, up_to=newest)
    rows = _entries(wanted, newest)
    return _csv(rows) if kind == "csv" else (f"{line(row)}\n".encode() for row in rows)


def cell(value: Any) -> str:
    """A value as a cell that no table calculation runs: an apostrophe stands before what looks like a formula, also
    before what would be one in a program that takes another sign than the comma for the end of a cell."""
    text = _BEGINS_INSIDE.sub(r"\1'", "" if value is None else str(value))
    return f"'{text}" if text.startswith(FORMULA) else text


def json_cell(value: Any) -> str:
    """JSON as a cell: the same JSON, without a sign that a table calculation may take for the end of a cell."""
    return json.dumps(value, ensure_ascii=False).replace(";", "\\u003b") if value else ""


def _entries(wanted: AuditFilter, newest: int) -> Iterator[AuditEntry]:
    last = newest + 1
    while batch := list(wanted.rows().filter(pk__lt=last).order_by("-pk")[:BATCH]):
        yield from batch
        last = batch[-1].pk


def _csv(rows: Iterator[AuditEntry]) -> Iterator[bytes]:
    yield _row(FIELDS)
    for row in rows:
        values = as_dict(row)
        values["data"] = json_cell(row.data)
        yield _row([cell(values[name]) for name in FIELDS])


def _row(values: Any) -> bytes:
    out = StringIO()
    csv.writer(out).writerow(values)
    return out.getvalue().encode()
