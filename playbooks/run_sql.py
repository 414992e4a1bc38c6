"""The statements that begin and end a run: each with its timeline entry, in one trip. A run costs little else.

Every one is conditional: it changes nothing, and says so by returning no row, if the run is not to be had."""

from __future__ import annotations

from typing import Any

from cases.models import Alert, Incident
from cases.timeline_append import appending
from playbooks.announce import Subject
from playbooks.choices import OPEN
from soar.lib.database import prepared

_OPEN = ", ".join(f"'{status}'" for status in OPEN)
# Queued behind nothing unfinished, or left by a worker that fell silent: playbooks.claims.claimable.
TAKE = f"""
UPDATE playbooks_run run SET status = 'in_progress', lease_owner = %(owner)s, attempts = attempts + 1,
    lease_until = statement_timestamp() + %(lease)s * interval '1 second', input = coalesce(input, %(input)s::jsonb),
    started_at = coalesce(started_at, statement_timestamp()),
    version_id = CASE WHEN started_at IS NULL THEN %(version)s::bigint ELSE version_id END
WHERE id = %(run)s AND (status = 'in_progress' AND lease_until < statement_timestamp() OR status = 'queued'
    AND NOT EXISTS (SELECT 1 FROM playbooks_run before WHERE before.sequence_id = run.sequence_id
        AND before.position < run.position AND before.status IN ({_OPEN})))
RETURNING id"""  # noqa: S608  our own names
_CLOSE = """
UPDATE playbooks_run run SET status = %(status)s, result = %(result)s::jsonb, error = %(error)s,
    traceback = %(traceback)s, lease_owner = '', lease_until = NULL,
    finished_at = CASE WHEN %(final)s THEN statement_timestamp() END,
    version_id = coalesce(%(version)s::bigint, version_id)
{subject}
WHERE run.id = %(run)s AND run.lease_owner = %(owner)s AND run.status = 'in_progress' RETURNING run.id"""
CLOSE = _CLOSE.format(subject="")


def _take_and_say(model: type[Subject]) -> str:
    return f"""
WITH taken AS ({TAKE}),
head AS (
    SELECT s.id, s.timeline_count, s.timeline_head FROM {model._meta.db_table} s, taken WHERE s.id = %(subject)s
), {appending(model)}
SELECT written.id FROM written LEFT JOIN rung ON true"""  # noqa: S608  our own names


def _close_and_say(model: type[Subject]) -> str:
    return f"""
WITH subject AS (
    SELECT id, timeline_count, timeline_head FROM {model._meta.db_table} WHERE id = %(subject)s FOR UPDATE
), closed AS ({_CLOSE.format(subject="FROM subject")}),
head AS (SELECT subject.* FROM subject, closed), {appending(model, locked=True)}
SELECT written.id FROM written LEFT JOIN rung ON true"""  # noqa: S608  our own names


# With an entry on the subject, which the caller of the first has locked. The second locks it, and then the run.
TAKE_AND_SAY: dict[type[Subject], str] = {model: _take_and_say(model) for model in (Alert, Incident)}
CLOSE_AND_SAY: dict[type[Subject], str] = {model: _close_and_say(model) for model in (Alert, Incident)}


def execute(statement: str, values: dict[str, Any]) -> tuple[Any, ...] | None:
    """Execute one of these statements. Returns its row; None if it changed nothing."""
    with prepared() as cursor:
        return cursor.execute(statement, values, prepare=True).fetchone()
