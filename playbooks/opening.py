# ruff: noqa: S608  the statements are put together from constants of our own
"""Opening sequences: a row for the timeline entry that triggers them, and a run of each playbook in order.

One statement each, however many. The unique entry decides, whoever is quickest: a doorbell that rings twice starts
nothing twice."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from django.conf import settings

from cases.models import Alert, Incident
from cases.timeline_append import appending
from playbooks.announce import announcement
from playbooks.catalog import Entry, Unloaded
from playbooks.choices import RunStatus, StartedBy
from playbooks.claims import Claim, new_owner, state_of, view_of
from playbooks.incoming import Incoming
from playbooks.models import Run, Sequence
from playbooks.run_sql import execute
from soar.lib.database import UNHURRIED, prepared

TRIGGER_OF = {
    "alert.opened": "webhook",
    "alert.reopened": "webhook",
    "alert.released": "webhook",
    "incident.opened": "incident",
}
RUN_TASK = "playbooks.tasks.run"  # this run
DRAIN_TASK = "playbooks.tasks.drain"  # whatever waits on an alert
_RUNS = """
    INSERT INTO playbooks_run (id, playbook_id, version_id, sequence_id, position, alert_id, incident_id, status,
        trigger, acting_user_id, dry_run, depth, error, traceback, cause, attempts, cancel_requested, rung_at,
        lease_owner, lease_until, started_at, input)
    SELECT r.id, r.playbook, r.version, seq.id, r.position, g.alert, g.incident, r.status, 'automatic', r.acting, false,
        g.depth, '', '', g.cause, r.attempts, false, CASE WHEN r.position = 1 THEN statement_timestamp() END, r.owner,
        statement_timestamp() + r.lease * interval '1 second',
        CASE WHEN r.attempts > 0 THEN statement_timestamp() END, r.input
    FROM seq JOIN given g ON g.entry = seq.entry_id, json_to_recordset(g.runs) AS r(id bigint, playbook bigint,
        version bigint, position int, status text, acting bigint, attempts int, owner text, lease float8, input jsonb)
    ORDER BY r.id RETURNING id, position, incident_id"""
_SEQUENCES = f"""
given AS MATERIALIZED (
    SELECT * FROM json_to_recordset(%(given)s::json) AS g(entry bigint, trigger text, alert bigint, incident bigint,
        total int, cause uuid, depth int, runs json)
), seq AS (
    INSERT INTO playbooks_sequence (entry_id, trigger, alert_id, incident_id, total, cause)
    SELECT entry, trigger, alert, incident, total, cause FROM given {{locked}} ORDER BY alert, incident
    ON CONFLICT (entry_id) DO NOTHING RETURNING id, entry_id
), runs AS ({_RUNS})"""
QUEUE = f"""
WITH {_SEQUENCES.format(locked="")}, bells AS (
    INSERT INTO soar_queue (task, args)
    SELECT '{DRAIN_TASK}', '[]' FROM generate_series(1, %(bells)s) WHERE EXISTS (SELECT 1 FROM runs)
    UNION ALL SELECT '{RUN_TASK}', jsonb_build_array(id) FROM runs WHERE incident_id IS NOT NULL AND position = 1
    RETURNING 1
)
SELECT pg_notify('soar_queue', '') FROM bells LIMIT 1"""
BEGIN = {
    model: f"""
WITH subject AS (
    SELECT id, timeline_count, timeline_head FROM {model._meta.db_table} WHERE id = %(subject)s FOR UPDATE
), {_SEQUENCES.format(locked=", subject")},
head AS (SELECT subject.* FROM subject, seq), {appending(model, locked=True)}
SELECT (SELECT id FROM seq), {UNHURRIED} FROM written LEFT JOIN rung ON true"""
    for model in (Alert, Incident)
}


@dataclass(frozen=True, slots=True)
class Opening:
    """The playbooks that an entry starts, in their order, and how many runs led to it."""

    entry: Incoming
    matched: list[Entry | Unloaded]
    depth: int


def begin(one: Opening, code: Entry) -> Claim | None:
    """Open the sequence and take its first run, whose ``code`` this process has. None if the entry was considered
    before.

    Its commit need not wait for the disk: the queue's row is still there, and the entry is considered again if a
    crash of the database forgets it."""
    subject, runs = one.entry.subject, _runs(one, _draw(len(one.matched)))
    first = runs[0]
    first.status, first.lease_owner, first.attempts = RunStatus.IN_PROGRESS, new_owner(), 1
    first.input = state_of(subject)
    values = {
        "given": json.dumps([_given(one, runs)]),
        "subject": subject.pk,
        **announcement("run.started", first, subject),
    }
    row = execute(BEGIN[type(subject)], values)
    if row is None:
        return None
    first.sequence = Sequence(pk=row[0], total=len(runs))
    return Claim(first, first.lease_owner, code, view_of(first, subject), subject, resumed=False)


def queue(many: list[Opening], *, at_least: int = 0) -> None:
    """Open the sequences. The workers are rung: as many as there are sequences, but ``at_least`` so many; at most all
    of them, and once more should one of them die."""
    ids = _draw(sum(len(one.matched) for one in many))
    if ids:
        given = [_given(one, _runs(one, [ids.pop(0) for _ in one.matched])) for one in many]
        bells = min(max(len(given), at_least), settings.TASK_WORKERS + 1)
        with prepared() as cursor:
            cursor.execute(QUEUE, {"given": json.dumps(given), "bells": bells}, prepare=True)


def _draw(number: int) -> list[int]:
    """Ids for so many runs, ascending."""
    if not number:
        return []
    with prepared() as cursor:
        cursor.execute(
            "SELECT nextval('playbooks_run_id_seq') FROM generate_series(1, %s::int)", [number], prepare=True
        )
        return sorted(pk for (pk,) in cursor.fetchall())


def _runs(one: Opening, ids: list[int]) -> list[Run]:
    subject = one.entry.subject
    sequence = Sequence(total=len(ids))
    on_alert = isinstance(subject, Alert)
    return [
        Run(
            pk=pk,
            playbook=candidate.row,
            version_id=candidate.version,
            sequence=sequence,
            position=position,
            alert_id=subject.pk if on_alert else None,
            incident_id=None if on_alert else subject.pk,
            trigger=StartedBy.AUTOMATIC,
            acting_user=candidate.row.published_by,
            depth=one.depth,
            cause=subject.cause,
        )
        for position, (pk, candidate) in enumerate(zip(ids, one.matched, strict=True), 1)
    ]


def _given(one: Opening, runs: list[Run]) -> dict[str, Any]:
    """The sequence and its runs as the statements take them."""
    return {
        "entry": one.entry.pk,
        "trigger": TRIGGER_OF[one.entry.kind],
        "alert": runs[0].alert_id,
        "incident": runs[0].incident_id,
        "total": len(runs),
        "cause": str(runs[0].cause),
        "depth": one.depth,
        "runs": [_row(run) for run in runs],
    }


def _row(run: Run) -> dict[str, Any]:
    return {
        "id": run.pk,
        "playbook": run.playbook_id,
        "version": run.version_id,
        "position": run.position,
        "status": run.status,
        "acting": run.acting_user_id,
        "attempts": run.attempts,
        "owner": run.lease_owner,
        "lease": settings.LEASE_SECONDS if run.lease_owner else None,
        "input": run.input,
    }
