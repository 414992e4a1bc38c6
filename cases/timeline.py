"""Writing the timeline: the entry and the queue rows of its readers, in the caller's transaction."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from django.db import connection

from cases.actors import Actor
from cases.chain import entry_hash, settled
from cases.models import Alert, Incident, TimelineEntry
from cases.timeline_append import appending, values_of
from cases.timeline_batch import current
from cases.timeline_kinds import KINDS
from soar.lib import clock
from soar.lib.database import prepared
from soar.lib.readers import readers_of

Subject = Alert | Incident
# The count finds a caller that did not lock the row.
RECORD: dict[tuple[type[Subject], bool], str] = {
    (model, touch): f"""
WITH head AS (
    SELECT id, timeline_count, timeline_head FROM {model._meta.db_table}
    WHERE id = %(subject)s AND timeline_count = %(count)s
), {appending(model, touch=touch)}
SELECT written.id, written.hash FROM written LEFT JOIN rung ON true"""  # noqa: S608  our own names
    for model in (Alert, Incident)
    for touch in (False, True)
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
    touch: bool = False,
) -> TimelineEntry:
    """Append one entry to the subject's chain and ring its readers (docs/architecture.md: the way of an alert).

    The caller holds the subject's row lock in an open transaction, taken before ``subject`` was read.
    With ``touch`` it counts as changed. Inside ``timeline_batch.collecting`` an alert's entry is written with those of
    the others, and has no id until then. ``data`` is plain JSON; a change says ``{"field", "old", "new"}``.
    Raises KeyError for a kind that is not registered and RuntimeError if the row was not locked."""
    entry = draft(kind, subject, actor, text=text, data=data, occurred_at=occurred_at, cause=cause)
    if isinstance(subject, Alert) and (batch := current()) is not None:
        batch.record(subject, entry)
        subject.timeline_count += 1
        subject.updated_at = entry.recorded_at if touch else subject.updated_at
        return entry
    values = {"subject": subject.pk, "count": subject.timeline_count, **values_for(entry, subject)}
    with prepared() as cursor:
        row = cursor.execute(RECORD[type(subject), touch], values, prepare=True).fetchone()
    if row is None:
        raise RuntimeError(f"{subject.number} was not locked while its timeline was written")
    entry.pk, entry.hash = row
    entry._state.adding = False
    entry._state.db = connection.alias
    subject.timeline_count += 1
    subject.timeline_head = entry.hash
    return entry


def draft(
    kind: str,
    subject: Subject,
    actor: Actor,
    *,
    text: str = "",
    data: dict[str, Any] | None = None,
    occurred_at: datetime | None = None,
    cause: uuid.UUID | None = None,
) -> TimelineEntry:
    """An entry that is not written yet; the statement that writes it gives it id and hash."""
    KINDS[kind]
    now = clock.now()
    return TimelineEntry(
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


def values_for(entry: TimelineEntry, subject: Subject) -> dict[str, Any]:
    """The parameters of ``appending`` for a draft, with the readers of its kind."""
    return values_of(entry, subject.number, [reader.task for reader in readers_of(entry.kind)])


def hash_of(entry: Any, number: str, previous: bytes | None) -> bytes:
    """The hash that this entry, or what was read of its row, must bear after ``previous``."""
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
