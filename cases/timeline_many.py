"""Writing what was gathered of many alerts: entries with their hash chains, the rows, the bells of the readers."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import cache
from typing import Any

from django.db import connection

from cases.models import Alert, TimelineEntry
from cases.timeline import hash_of
from cases.timeline_batch import Batch, Changes
from cases.webhooks.bell import ANY, CONSIDER
from soar.lib.queue import enqueue_many
from soar.lib.readers import readers_of

IDS_A_BELL = 100  # a reader takes any number of entries in one call (rulings 24)
ALWAYS = ("version", "updated_at", "timeline_count", "timeline_head")
DRAW = "SELECT nextval('cases_timelineentry_id_seq') FROM generate_series(1, %s)"
ENTRIES = """
INSERT INTO cases_timelineentry (id, alert_id, kind, actor_type, actor_id, actor_name, text, data, occurred_at,
    recorded_at, cause, hash)
SELECT id, alert_id, kind, actor_type, actor_id, actor_name, text, data, occurred_at, recorded_at, cause, hash
FROM jsonb_to_recordset(%s::jsonb) AS n(id bigint, alert_id bigint, kind text, actor_type text, actor_id bigint,
    actor_name text, text text, data jsonb, occurred_at timestamptz, recorded_at timestamptz, cause uuid, hash bytea)"""


def write(batch: Batch) -> dict[int, int]:
    """Write the changes of locked alerts in the caller's transaction: the chains go on as if each entry had been
    recorded by itself. Returns the id of each alert's last entry."""
    changes = [one for one in batch.changes.values() if one.entries or one.fields]
    entries = [entry for one in changes for entry in one.entries]
    _chain(changes, _drawn(len(entries)))
    _execute(ENTRIES, [_entry_row(entry) for entry in entries])
    for fields in sorted({tuple(sorted(one.fields)) for one in changes}):
        same = [one.alert for one in changes if tuple(sorted(one.fields)) == fields]
        _execute(_update(fields), [_alert_row(alert, fields) for alert in same])
    enqueue_many(_bells(entries))
    return {one.alert.pk: one.entries[-1].pk for one in changes if one.entries}


def _drawn(number: int) -> Iterator[int]:
    """So many ids of entries, ascending."""
    with connection.cursor() as cursor:
        cursor.execute(DRAW, [number])
        return iter(sorted(pk for (pk,) in cursor.fetchall()))


def _chain(changes: Sequence[Changes], ids: Iterator[int]) -> None:
    """Give each entry its id and its hash, and the alerts their new heads."""
    for one in changes:
        head = bytes(one.alert.timeline_head) if one.alert.timeline_head else None
        for entry in one.entries:
            entry.pk = next(ids)
            head = entry.hash = hash_of(entry, one.alert.number, head)
        one.alert.timeline_head = head


def _entry_row(entry: TimelineEntry) -> dict[str, Any]:
    names = ("id", "alert_id", "kind", "actor_type", "actor_id", "actor_name", "text", "data", "cause")
    row = {name: getattr(entry, name) for name in names}
    times = {name: getattr(entry, name).isoformat() for name in ("occurred_at", "recorded_at")}
    return {**row, **times, "hash": _bytes(entry.hash)}


def _alert_row(alert: Alert, fields: Sequence[str]) -> dict[str, Any]:
    return {"id": alert.pk, **{_column(name)[0]: _plain(alert, name) for name in (*fields, *ALWAYS)}}


def _plain(alert: Alert, name: str) -> Any:
    """A field's value as JSON can hold it and PostgreSQL reads it."""
    field: Any = Alert._meta.get_field(name)
    value = getattr(alert, field.attname)
    if isinstance(value, datetime):
        return value.isoformat()
    return _bytes(value) if isinstance(value, bytes | memoryview) else value


def _bytes(value: bytes | memoryview) -> str:
    return "\\x" + bytes(value).hex()


@cache
def _column(name: str) -> tuple[str, str]:
    """A field's column and its type in the database."""
    field: Any = Alert._meta.get_field(name)
    return field.column, field.db_type(connection)


@cache
def _update(fields: tuple[str, ...]) -> str:
    """The statement that sets these fields of many rows."""
    columns = [_column(name) for name in (*fields, *ALWAYS)]
    sets = ", ".join(f"{column} = n.{column}" for column, _type in columns)
    types = ", ".join(f"{column} {type_}" for column, type_ in columns)
    return (
        f"UPDATE cases_alert a SET {sets} FROM jsonb_to_recordset(%s::jsonb) AS n(id bigint, {types})"  # noqa: S608  our own names
        " WHERE a.id = n.id"
    )


def _execute(statement: str, rows: Sequence[dict[str, Any]]) -> None:
    if rows:
        with connection.cursor() as cursor:
            cursor.execute(statement, [json.dumps(rows, default=str)])


def _bells(entries: Sequence[TimelineEntry]) -> list[tuple[str, tuple[int | str, ...]]]:
    """The readers' tasks, each with many entries."""
    wanted: dict[str, list[int]] = {}
    asleep = set() if not entries or _webhooks() else {CONSIDER}
    for entry in entries:
        for reader in readers_of(entry.kind):
            if reader.task not in asleep:
                wanted.setdefault(reader.task, []).append(entry.pk)
    return [
        (task, tuple(ids[first : first + IDS_A_BELL]))
        for task, ids in wanted.items()
        for first in range(0, len(ids), IDS_A_BELL)
    ]


def _webhooks() -> bool:
    """Whether any endpoint wants entries."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {ANY}")
        row = cursor.fetchone()
    return bool(row and row[0])
