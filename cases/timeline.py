"""Writing the timeline: the entry and the queue rows of its readers, in the caller's transaction."""

from __future__ import annotations

import json
import uuid
from datetime import datetime
from typing import Any

from django.db import connection

from cases.actors import Actor
from cases.chain import entry_hash, settled
from cases.models import Alert, Incident, TimelineEntry
from cases.timeline_kinds import KINDS
from soar.lib import clock
from soar.lib.queue import enqueue
from soar.lib.readers import readers_of

Subject = Alert | Incident
APPEND: dict[type[Subject], str] = {
    model: f"""
WITH moved AS (UPDATE {model._meta.db_table} SET timeline_count = %s, timeline_head = %s
               WHERE id = %s AND timeline_count = %s RETURNING id)
INSERT INTO cases_timelineentry (id, {column}, kind, actor_type, actor_id, actor_name, text, data,
                                 occurred_at, recorded_at, cause, hash)
SELECT %s, id, %s, %s, %s::bigint, %s, %s, %s::jsonb, %s::timestamptz, %s::timestamptz, %s::uuid, %s FROM moved"""  # noqa: S608  our own names
    for model, column in ((Alert, "alert_id"), (Incident, "incident_id"))
}


def record(
    kind: str,
    subject: Subject,
    actor: Actor,
    *,
    text: str = "",
    data: dict[str, Any] | None = None,
    occurred_at: datetime | None = None,
    cause: uuid.UUID | None = None,
) -> TimelineEntry:
    """Append one entry to the subject's chain and ring its readers (ARCHITECTURE: how one alert travels).

    The caller holds the subject's row lock in an open transaction: the chain's head is read from
    ``subject`` and written back. ``data`` is plain JSON; a change says ``{"field", "old", "new"}``.
    Raises KeyError for a kind that is not registered and RuntimeError if the row was not locked."""
    KINDS[kind]
    now = clock.now()
    entry = TimelineEntry(
        id=_next_id(),
        alert=subject if isinstance(subject, Alert) else None,
        incident=subject if isinstance(subject, Incident) else None,
        kind=kind,
        actor_type=actor.type,
        actor_id=actor.id,
        actor_name=actor.name,
        text=text,
        data=settled({**(data or {}), **({"run": actor.run} if actor.run else {})}),
        occurred_at=occurred_at or now,
        recorded_at=now,
        cause=cause or subject.cause,
    )
    entry.hash = hash_of(entry, subject.number, _head(subject))
    _append(subject, entry)
    for reader in readers_of(kind):
        enqueue(reader.task, entry.pk)
    return entry


def hash_of(entry: TimelineEntry, number: str, previous: bytes | None) -> bytes:
    """The hash that this entry must bear after ``previous``."""
    return entry_hash(
        bytes(previous) if previous else None,
        id=entry.pk,
        subject=number,
        kind=entry.kind,
        actor={"type": entry.actor_type, "id": entry.actor_id, "name": entry.actor_name},
        occurred_at=entry.occurred_at,
        recorded_at=entry.recorded_at,
        text=entry.text,
        data=entry.data,
    )


def _head(subject: Subject) -> bytes | None:
    """The hash before the next entry; the driver may hand out a memoryview."""
    return bytes(subject.timeline_head) if subject.timeline_head else None


def _next_id() -> int:
    """The id is part of the hash, so it is drawn before the row is written."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval(pg_get_serial_sequence('cases_timelineentry', 'id'))")
        return int(cursor.fetchone()[0])


def _append(subject: Subject, entry: TimelineEntry) -> None:
    """Move the subject's head and write the row, in one statement: this is the most frequent write of all.

    The count in the WHERE finds a caller that did not lock the row."""
    values: list[Any] = [
        subject.timeline_count + 1, entry.hash, subject.pk, subject.timeline_count,
        entry.pk, entry.kind, entry.actor_type, entry.actor_id, entry.actor_name, entry.text, json.dumps(entry.data),
        entry.occurred_at, entry.recorded_at, entry.cause, entry.hash,
    ]  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(APPEND[type(subject)], values)
        if cursor.rowcount != 1:
            raise RuntimeError(f"{subject.number} was not locked while its timeline was written")
    entry._state.adding = False
    entry._state.db = connection.alias
    subject.timeline_count += 1
    subject.timeline_head = entry.hash
