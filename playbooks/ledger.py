# ruff: noqa: S608  the statements are put together from constants of this file
"""The record of a run's calls. Every write names the lease's owner: who lost the lease writes nothing more.

Plain SQL, planned once, one round trip each: these few statements are most of what a run costs."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from typing import Any

from django.db import connection

from soar.lib.database import prepared

MINE = (
    "WITH mine AS (SELECT id, cancel_requested FROM playbooks_run"
    " WHERE id = %s AND lease_owner = %s AND status = 'in_progress' FOR NO KEY UPDATE)"
)
BEGIN = f"""{MINE}
INSERT INTO playbooks_step AS step (run_id, parent_id, position, name, key, kind, arguments, arguments_digest, status,
  attempts, started_at, error, idempotent, timeout, idempotency_key, stale)
SELECT id, %s, %s, %s, %s, %s, %s::jsonb, %s, 'in_progress', 1, clock_timestamp(), '', %s, %s, %s, false
FROM mine WHERE NOT cancel_requested
ON CONFLICT (run_id, name, key) DO UPDATE SET status = 'in_progress', attempts = step.attempts + 1,
  started_at = clock_timestamp(), finished_at = NULL, result = NULL, error = '', stale = false,
  arguments = excluded.arguments, arguments_digest = excluded.arguments_digest
  WHERE step.status IN ('queued', 'in_progress', 'cancelled')
RETURNING id, idempotency_key"""
END = f"""{MINE}
UPDATE playbooks_step step SET status = %s, result = %s::jsonb, error = %s, finished_at = clock_timestamp(),
  attempts = step.attempts + %s
FROM mine WHERE step.id = %s AND step.run_id = mine.id"""
WHOLE = f"""{MINE}
INSERT INTO playbooks_step AS step (run_id, parent_id, position, name, key, kind, arguments, arguments_digest, status,
  attempts, started_at, finished_at, result, error, idempotent, timeout, idempotency_key, stale)
SELECT id, %s, %s, %s, %s, %s, %s::jsonb, %s, %s, 1, now(), clock_timestamp(), %s::jsonb, %s, true, %s, %s, false
FROM mine WHERE NOT cancel_requested
ON CONFLICT (run_id, name, key) DO UPDATE SET status = excluded.status, attempts = step.attempts + 1,
  started_at = excluded.started_at, finished_at = excluded.finished_at, result = excluded.result,
  error = excluded.error, stale = false, arguments = excluded.arguments, arguments_digest = excluded.arguments_digest
  WHERE step.status IN ('queued', 'in_progress', 'cancelled')
RETURNING id"""
REMEMBER = f"""{MINE}
UPDATE playbooks_run run SET input = jsonb_set(coalesce(run.input, '{{}}'), ARRAY[%s], %s::jsonb)
FROM mine WHERE run.id = mine.id"""


class LostLease(BaseException):
    """Another worker has this run, or somebody cancelled it, or the database is away. Nothing more is written.

    No Exception, so that a playbook's ``except Exception`` cannot hold it up."""


class Cancelled(BaseException):
    """A person cancelled the run: nothing new begins. No Exception either."""


@dataclass(frozen=True, slots=True)
class Line:
    """What is known of a call before its effect. ``arguments`` are masked already."""

    parent: int | None
    position: int
    name: str
    key: str
    kind: str
    arguments: dict[str, Any]
    digest: str
    idempotent: bool
    timeout: float


@dataclass(frozen=True, slots=True)
class Ledger:
    """The record of one run, as long as ``owner`` holds its lease."""

    run: int
    owner: str

    def begin(self, line: Line) -> tuple[int, uuid.UUID]:
        """Write *in progress*, committed before the effect. Returns the step's id and its idempotency key.

        Raises LostLease or Cancelled."""
        row = self._one(
            BEGIN, line.parent, line.position, line.name, line.key, line.kind, json.dumps(line.arguments), line.digest,
            line.idempotent, line.timeout, uuid.uuid4(),
        )  # fmt: skip
        return row[0], row[1]

    def end(self, step: int, status: str, *, result: Any = None, error: str = "", repeats: int = 0) -> None:
        """Write how it went. ``repeats`` are the attempts beyond the first. Raises LostLease."""
        values: list[Any] = [self.run, self.owner, status, json.dumps(result), error[:20_000], repeats, step]
        with prepared() as cursor:
            if cursor.execute(END, values, prepare=True).rowcount != 1:
                raise LostLease

    def whole(self, line: Line, status: str, *, result: Any = None, error: str = "") -> int:
        """Write a call that is over, in the transaction of its effect. Raises LostLease."""
        row = self._one(
            WHOLE, line.parent, line.position, line.name, line.key, line.kind, json.dumps(line.arguments), line.digest,
            status, json.dumps(result), error[:20_000], line.timeout, uuid.uuid4(),
        )  # fmt: skip
        return int(row[0])

    def remember(self, key: str, value: Any) -> None:
        """Keep what the run was given under ``key``, for a second beginning. Raises LostLease."""
        with connection.cursor() as cursor:
            cursor.execute(REMEMBER, [self.run, self.owner, key, json.dumps(value)])
            if cursor.rowcount != 1:
                raise LostLease

    def _one(self, statement: str, *values: Any) -> Any:
        with prepared() as cursor:
            row = cursor.execute(statement, [self.run, self.owner, *values], prepare=True).fetchone()
        if row is None:
            raise Cancelled if self._cancelled() else LostLease
        return row

    def _cancelled(self) -> bool:
        with connection.cursor() as cursor:
            cursor.execute(f"{MINE} SELECT cancel_requested FROM mine", [self.run, self.owner])
            row = cursor.fetchone()
        return bool(row and row[0])
