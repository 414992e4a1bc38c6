"""The one statement that appends to a timeline: it draws the id, makes the hash, moves the subject's head, writes the
entry and rings the readers, in one trip. It stands in larger statements too, where every trip counts.

The hash is made of the same canonical text as in ``cases.chain``, so the same function verifies it."""

from __future__ import annotations

import json
from typing import Any

from cases.chain import after_id
from cases.models import Alert, Incident, TimelineEntry
from cases.webhooks.bell import RUNG

COLUMN: dict[type[Alert | Incident], str] = {Alert: "alert_id", Incident: "incident_id"}


def appending(model: type[Alert | Incident], *, touch: bool = False, locked: bool = False) -> str:
    """CTEs for a statement that has one named ``head`` already: the subject's ``id, timeline_count, timeline_head``,
    locked by this transaction; no row of it, no entry. Their parameters are those of ``values_of``.

    ``locked``: ``head`` takes the lock in this very statement. When it had to wait for it, the head is newer than the
    row that the rest of the statement sees at first, so the count is not compared: PostgreSQL goes on to the new row.
    With ``touch`` the subject counts as changed at that moment. ``written`` has ``id, hash`` of the entry. The
    statement must end with ``FROM written LEFT JOIN rung ON true``."""
    touched = ", updated_at = %(entry_recorded)s::timestamptz" if touch else ""
    same = "" if locked else " AND s.timeline_count = made.timeline_count"
    return f"""
drawn AS MATERIALIZED (SELECT head.*, nextval('cases_timelineentry_id_seq') AS entry FROM head),
made AS MATERIALIZED (
    SELECT id, timeline_count, entry, sha256(convert_to('[' || coalesce('"' || encode(timeline_head, 'hex') || '"',
        'null') || ',' || entry || ',' || %(entry_rest)s::text, 'UTF8')) AS hash FROM drawn
), moved AS (
    UPDATE {model._meta.db_table} s SET timeline_count = made.timeline_count + 1, timeline_head = made.hash{touched}
    FROM made WHERE s.id = made.id{same}
    RETURNING s.id, made.entry, made.hash
), written AS (
    INSERT INTO cases_timelineentry (id, {COLUMN[model]}, kind, actor_type, actor_id, actor_name, text, data,
        occurred_at, recorded_at, cause, hash)
    SELECT entry, id, %(entry_kind)s, %(entry_actor)s, %(entry_actor_id)s::bigint, %(entry_actor_name)s,
        %(entry_text)s, %(entry_data)s::jsonb, %(entry_at)s::timestamptz, %(entry_recorded)s::timestamptz,
        %(entry_cause)s::uuid, hash FROM moved
    RETURNING id, hash
), bells AS (
    INSERT INTO soar_queue (task, args)
    SELECT t.task, jsonb_build_array(written.id) FROM written, unnest(%(entry_tasks)s::text[]) AS t(task)
    WHERE {RUNG} RETURNING 1
), rung AS (
    SELECT pg_notify('soar_queue', '') FROM bells LIMIT 1
)"""  # noqa: S608  our own names


def values_of(entry: TimelineEntry, number: str, tasks: list[str]) -> dict[str, Any]:
    """The parameters for an entry without id and hash on the subject with this number; ``tasks`` are its readers'."""
    rest = after_id(
        subject=number,
        kind=entry.kind,
        actor={"type": entry.actor_type, "id": entry.actor_id, "name": entry.actor_name},
        occurred_at=entry.occurred_at,
        recorded_at=entry.recorded_at,
        text=entry.text,
        data=entry.data,
    )
    return {
        "entry_rest": rest,
        "entry_kind": entry.kind,
        "entry_actor": entry.actor_type,
        "entry_actor_id": entry.actor_id,
        "entry_actor_name": entry.actor_name,
        "entry_text": entry.text,
        "entry_data": json.dumps(entry.data),
        "entry_at": entry.occurred_at,
        "entry_recorded": entry.recorded_at,
        "entry_cause": entry.cause,
        "entry_tasks": tasks,
    }
