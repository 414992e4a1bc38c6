# ruff: noqa: S608  the statements are put together from constants of our own
"""Reading a run that waits, with all that beginning it takes: one statement, which locks its alert.

Runs on an incident or on nothing are rare and read by the ORM."""

from __future__ import annotations

import json
from collections.abc import Sequence as Values
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.db import models

from cases import alert_rows
from playbooks import catalog
from playbooks.announce import Subject, lock_subject
from playbooks.catalog import Catalog
from playbooks.models import Run, Sequence
from soar.accounts.models import User
from soar.lib.database import UNHURRIED, prepared

_LEFT_OUT = {"result", "error", "traceback", "targets", "report"}
_THIS = "r.id = %s FOR UPDATE OF a"
CODE_PATIENCE = 300  # seconds for which a run waits for a worker that can load its code
# A run on an alert that nobody has begun, first of its sequence, whose code this process could load.
_FREE = (
    "r.status = 'queued' AND r.position = 1 AND r.sequence_id IS NOT NULL AND r.started_at IS NULL"
    " AND r.alert_id IS NOT NULL AND NOT r.cancel_requested AND r.playbook_id <> ALL(%s::bigint[])"
)
# The oldest. Alerts that somebody works on are passed over.
_NEXT = _FREE + " ORDER BY r.id LIMIT 1 FOR UPDATE OF a SKIP LOCKED"
_ANY_NEXT = "SELECT r.id FROM playbooks_run r WHERE " + _NEXT.partition(" FOR UPDATE")[0]

# Its turn came when it was queued, when those before it ended, when its worker fell silent, when people had decided. As
# long as older runs wait, who has its code may only be busy.
_LATE = f"""
SELECT greatest(w.queued_at, w.lease_until,
        (SELECT max(b.finished_at) FROM playbooks_run b
            WHERE b.sequence_id = w.sequence_id AND b.position < w.position),
        (SELECT max(s.finished_at) FROM playbooks_step s WHERE s.run_id = w.id)
    ) < now() - interval '{CODE_PATIENCE} seconds'
    AND NOT EXISTS (SELECT FROM playbooks_run r WHERE r.id < w.id AND {_FREE})
FROM playbooks_run w WHERE w.id = %s"""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A run with playbook and sequence, its locked subject, and the code as it is at this moment."""

    run: Run
    subject: Subject | None
    known: Catalog


@cache
def _fields() -> tuple[models.Field[Any, Any], ...]:
    return tuple(field for field in Run._meta.concrete_fields if field.attname not in _LEFT_OUT)


@cache
def _statement(which: str, also: str = "NULL") -> str:
    columns = ", ".join(f"r.{field.column}" for field in _fields())
    return (
        f"SELECT {also}, coalesce(g.number, 0), q.total, {columns}, {alert_rows.columns()} FROM playbooks_run r"
        f" JOIN cases_alert a ON a.id = r.alert_id {alert_rows.JOINS}"
        " LEFT JOIN playbooks_sequence q ON q.id = r.sequence_id LEFT JOIN playbooks_codegeneration g ON g.id = 1"
        f" WHERE {which}"
    )


def this(run_id: int) -> Waiting | None:
    """The run with this id, if there is one. In a transaction of the caller."""
    with prepared() as cursor:
        row = cursor.execute(_statement(_THIS), [run_id], prepare=True).fetchone()
    return _waiting(row) if row else _of_another_kind(run_id)


def next_free() -> Waiting | None:
    """The oldest run on an alert that nobody has begun and whose alert nobody works on.

    In a transaction of the caller, which then does not wait for the disk when it commits: a claim that a crash of the
    database forgets is made again, and the first call that is recorded waits for both."""
    with prepared() as cursor:
        row = cursor.execute(_statement(_NEXT, UNHURRIED), [catalog.unloaded_here()], prepare=True).fetchone()
    return _waiting(row) if row else None


def any_next() -> int | None:
    """The oldest run on an alert that waits for anybody who has its code."""
    with prepared() as cursor:
        row = cursor.execute(_ANY_NEXT, [catalog.unloaded_here()], prepare=True).fetchone()
    return row[0] if row else None


def nobody_came(run: Run) -> bool:
    """Whether the run has waited for longer than ``CODE_PATIENCE``, and for nothing but a worker that can load its
    code, which this process could not for as long: a file may be half written in this moment, and the database's clock
    may have been set."""
    if catalog.lacked_for(run.playbook_id) < CODE_PATIENCE:
        return False
    with prepared() as cursor:
        row = cursor.execute(_LATE, [catalog.unloaded_here(), run.pk]).fetchone()
    return bool(row and row[0])


def _waiting(row: Values[Any]) -> Waiting:
    _also, generation, total, *values = row
    fields = _fields()
    run = Run.from_db("default", [field.attname for field in fields], values[: len(fields)])
    run.input = json.loads(run.input) if isinstance(run.input, str) else run.input
    known = catalog.current(generation)
    if run.playbook_id in known.rows:
        run.playbook = known.rows[run.playbook_id]
    if run.sequence_id:
        run.sequence = Sequence.from_db("default", ["id", "total"], [run.sequence_id, total])
    if run.acting_user_id:
        run.acting_user = User.objects.get(pk=run.acting_user_id)  # asked anew: the catalogue is older
    return Waiting(run, alert_rows.alert_of(values[len(fields) :]), known)


def _of_another_kind(run_id: int) -> Waiting | None:
    known = catalog.current()
    run = Run.objects.select_related("playbook", "sequence", "acting_user").filter(pk=run_id).first()
    return Waiting(run, lock_subject(run), known) if run else None
