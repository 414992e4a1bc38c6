"""Beginning and ending a run: conditional updates with a lease, and the timeline, in one transaction each."""

from __future__ import annotations

import json
import os
import socket
import uuid
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.db.models.functions import Now

from cases.models import Incident
from playbooks import questions, waiting
from playbooks.announce import Subject, announce, announcement, skipped
from playbooks.catalog import Entry
from playbooks.choices import OPEN, OnFailure, RunStatus
from playbooks.ledger import LostLease
from playbooks.models import Run
from playbooks.run_sql import CLOSE, CLOSE_AND_SAY, TAKE, TAKE_AND_SAY, execute
from playbooks.subject import SubjectView, alert_state, alert_view, incident_state, incident_view
from playbooks.waiting import Waiting

STARTS_AT_MOST = 5


@dataclass(frozen=True, slots=True)
class Claim:
    """A run that this process may work on, as ``owner``, until its lease runs out."""

    run: Run
    owner: str
    entry: Entry
    view: SubjectView
    subject: Subject | None
    resumed: bool


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an execution ended."""

    status: RunStatus
    result: Any = None
    error: str = ""
    traceback: str = ""


def new_owner() -> str:
    """A name for one claim: unique, so that even this process cannot take itself for its former self."""
    return f"{socket.gethostname()[:60]}:{os.getpid()}:{uuid.uuid4().hex[:12]}"


def lease_end() -> Any:
    """When a lease that is given or renewed now runs out."""
    return Now() + timedelta(seconds=settings.LEASE_SECONDS)


def claimable() -> Q:
    """Runs that may be worked on: queued behind nothing unfinished, or left by a worker that fell silent."""
    before = Run.objects.filter(sequence=OuterRef("sequence"), position__lt=OuterRef("position"), status__in=OPEN)
    free = Q(status=RunStatus.QUEUED) & (Q(sequence=None) | ~Exists(before))
    return free | Q(status=RunStatus.IN_PROGRESS, lease_until__lt=Now())


def claim(run_id: int) -> Claim | None:
    """Take the run, and record that it started. None if it is not to be had, or is not to run at all."""
    with transaction.atomic():
        found = waiting.this(run_id)
        return _take(found) if found else None


def claim_next() -> Claim | None:
    """Take the oldest run on an alert that waits for anybody. None if there is none."""
    while True:
        with transaction.atomic():
            found = waiting.next_free()
            held = _take(found) if found else None
        if found is None:
            # An alert that was passed over may have been let go without anybody looking at its run again.
            left = waiting.any_next()
            if left is None:
                return None
            held = claim(left)
        if held is not None:
            return held


def _take(found: Waiting) -> Claim | None:
    run, subject = found.run, found.subject
    owner, entry, resumed = new_owner(), found.known.entries.get(run.playbook_id), run.started_at is not None
    run.attempts += 1
    text = _hindrance(run, resumed)
    if failed := entry is None and not text:
        text = _without_code(found)
        if not text:
            return None
    if run.input is None:
        run.input = state_of(subject)
    values: dict[str, Any] = {
        "run": run.pk,
        "owner": owner,
        "lease": settings.LEASE_SECONDS,
        "input": json.dumps(run.input),
        "version": entry.version if entry else None,
    }
    statement = TAKE
    if subject is not None and not (resumed or text or run.dry_run):
        statement = TAKE_AND_SAY[type(subject)]
        values |= {"subject": subject.pk, **announcement("run.started", run, subject)}
    if execute(statement, values) is None:
        return None
    run.status, run.lease_owner = RunStatus.IN_PROGRESS, owner
    if entry is None or text:
        return _refuse(run, subject, text, resumed, failed=failed)
    return Claim(run, owner, entry, view_of(run, subject), subject, resumed)


def _without_code(found: Waiting) -> str:
    """Why a run fails whose code this process could not load; empty as long as another worker may come for it."""
    why = found.known.unloaded.get(found.run.playbook_id)
    if why is None:  # it was switched off, and nobody looks for its code any more
        return "Its code cannot be loaded."
    if not waiting.nobody_came(found.run):
        return ""
    return f"No worker could load its code for {waiting.CODE_PATIENCE // 60} minutes. {why}"


def _hindrance(run: Run, resumed: bool) -> str:
    """Why the run must not begin, or begin again; empty if it may."""
    if not resumed and (hindrance := run.playbook.off):
        return hindrance
    if run.acting_user and not run.acting_user.is_active:
        return f"The account of {run.acting_user.display_name()}, whose rights it would use, is disabled."
    if run.attempts > STARTS_AT_MOST:
        return f"Its worker stopped in the middle {run.attempts - 1} times."
    return ""


def _refuse(run: Run, subject: Subject | None, text: str, resumed: bool, *, failed: bool) -> Claim | None:
    """A run that has begun waits for a person; one that has not is cancelled, or failed for want of its code, and the
    sequence goes on."""
    ended = RunStatus.UNSUCCESSFUL if failed else RunStatus.CANCELLED
    status = RunStatus.NEEDS_DECISION if resumed else ended
    _close(run, Outcome(status, error=text))
    if resumed:
        announce("run.needs_decision", run, subject, text=text)
        return None
    if failed:
        announce("run.finished", run, subject, text=text, status=status.value)
    elif subject is not None and not run.dry_run:
        skipped(subject, run.playbook.name, text, playbook_id=run.playbook_id, run=run.pk)
    return _next(run, status)


def state_of(subject: Any) -> dict[str, Any]:
    """What may change of the subject, kept with the run."""
    if subject is None:
        return {}
    return incident_state(subject) if isinstance(subject, Incident) else alert_state(subject)


def view_of(run: Run, subject: Any) -> SubjectView:
    """What the playbook is given: ``{}`` when it runs on nothing."""
    state = run.input or {}
    if subject is None:
        return SubjectView({}, {}, "nothing")
    return incident_view(subject, state) if isinstance(subject, Incident) else alert_view(subject, state)


def finish(held: Claim, outcome: Outcome) -> Claim | None:
    """Write how the run ended and start the next of its sequence, in one transaction. Returns that next one.

    Raises LostLease if the run is no longer held."""
    if outcome.status == RunStatus.PENDING_APPROVAL:
        _sleep(held, outcome)
        return None
    waits = outcome.status == RunStatus.NEEDS_DECISION
    if waits or held.run.sequence is None or held.run.position >= held.run.sequence.total:
        _end(held, outcome)
        return None
    with transaction.atomic():
        _end(held, outcome)
        return _next(held.run, outcome.status)


def _sleep(held: Claim, outcome: Outcome) -> None:
    """Put the run to sleep until people have decided, who may have done so meanwhile."""
    with transaction.atomic():
        _close(held.run, outcome, version=held.entry.version)
        questions.go_on(held.run.pk)


def _end(held: Claim, outcome: Outcome) -> None:
    said: dict[str, Any] = {"text": outcome.error}
    kind = "run.needs_decision"
    if outcome.status != RunStatus.NEEDS_DECISION:
        kind, said = "run.finished", {**said, "status": outcome.status.value}
    run, subject = held.run, held.subject
    if subject is None or run.dry_run:
        _close(run, outcome, version=held.entry.version)
    else:
        values = {"subject": subject.pk, **announcement(kind, run, subject, **said)}
        _close(run, outcome, CLOSE_AND_SAY[type(subject)], version=held.entry.version, **values)


def _close(run: Run, outcome: Outcome, statement: str = CLOSE, *, version: int | None = None, **said: Any) -> None:
    values = {
        "run": run.pk,
        "owner": run.lease_owner,
        "status": outcome.status.value,
        "result": None if outcome.result is None else json.dumps(outcome.result),
        "error": outcome.error[:20_000],
        "traceback": outcome.traceback,
        "final": outcome.status.is_final,
        "version": version,
        **said,
    }
    if execute(statement, values) is None:
        raise LostLease
    run.status = outcome.status


def _next(run: Run, status: RunStatus) -> Claim | None:
    following = following_run(run, status)
    found = waiting.this(following) if following else None
    return _take(found) if found else None


def following_run(run: Run, status: RunStatus) -> int | None:
    """The run whose turn it is now. A failure of a playbook that says so ends the sequence (on_failure)."""
    if run.sequence is None or run.position >= run.sequence.total:
        return None
    waiting = Run.objects.filter(sequence=run.sequence_id, status=RunStatus.QUEUED, position__gt=run.position)
    if status != RunStatus.SUCCESSFUL and run.playbook.on_failure == OnFailure.STOP:
        why = f"{run.playbook.name} was {RunStatus(status).label.lower()}, and its failure stops the sequence."
        waiting.update(status=RunStatus.CANCELLED, finished_at=Now(), error=why)
        return None
    return waiting.order_by("position").values_list("pk", flat=True).first()
