"""Beginning and ending a run: conditional updates with a lease, and the timeline, in one transaction each."""

from __future__ import annotations

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
from playbooks import catalog
from playbooks.announce import Subject, announce, lock_subject, relock, skipped
from playbooks.catalog import Entry
from playbooks.choices import OPEN, OnFailure, RunStatus
from playbooks.ledger import LostLease
from playbooks.models import Run
from playbooks.subject import SubjectView, alert_state, alert_view, incident_state, incident_view

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
    known = catalog.current()
    with transaction.atomic():
        run = _fetch(run_id)
        return _take(run, known) if run else None


def _fetch(run_id: int) -> Run | None:
    return Run.objects.select_related("playbook", "sequence", "acting_user").filter(pk=run_id).first()


def _take(run: Run, known: catalog.Catalog) -> Claim | None:
    subject = lock_subject(run)
    owner = new_owner()
    entry = known.entries.get(run.playbook_id)
    rows = Run.objects.filter(claimable(), pk=run.pk)
    values: dict[str, Any] = {"status": RunStatus.IN_PROGRESS, "lease_owner": owner, "lease_until": lease_end()}
    resumed = run.started_at is not None
    if run.input is None:
        run.input = state_of(subject)
        values["input"] = run.input
    if not resumed:
        values["started_at"] = Now()
        values["version_id"] = entry.version if entry else None
    if rows.update(**values, attempts=run.attempts + 1) != 1:
        return None
    run.status, run.lease_owner, run.attempts = RunStatus.IN_PROGRESS, owner, run.attempts + 1
    if entry is None or (hindrance := _hindrance(run, resumed)):
        text = "The code of this playbook cannot be loaded." if entry is None else hindrance
        return _refuse(run, subject, text, known, resumed)
    if not resumed:
        announce("run.started", run, subject)
    return Claim(run, owner, entry, view_of(run, subject), subject, resumed)


def _hindrance(run: Run, resumed: bool) -> str:
    """Why the run must not begin, or begin again; empty if it may."""
    if not resumed and (hindrance := run.playbook.hindrance):
        return hindrance
    if run.acting_user and not run.acting_user.is_active:
        return f"The account of {run.acting_user.display_name()}, whose rights it would use, is disabled."
    if run.attempts > STARTS_AT_MOST:
        return f"Its worker stopped in the middle {run.attempts - 1} times."
    return ""


def _refuse(run: Run, subject: Any, text: str, known: catalog.Catalog, resumed: bool) -> Claim | None:
    """A run that has begun waits for a person; one that has not is cancelled, and the sequence goes on."""
    status = RunStatus.NEEDS_DECISION if resumed else RunStatus.CANCELLED
    _close(run, Outcome(status, error=text))
    if resumed:
        announce("run.needs_decision", run, subject, text=text)
        return None
    if subject is not None and not run.dry_run:
        skipped(subject, run.playbook.name, text, playbook_id=run.playbook_id, run=run.pk)
    return _next(run, status, known)


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
    last = held.run.sequence is None or held.run.position >= held.run.sequence.total
    known = None if last else catalog.current()
    with transaction.atomic():
        subject = relock(held.subject)
        _close(held.run, outcome, version=held.entry.version)
        if outcome.status == RunStatus.NEEDS_DECISION:
            announce("run.needs_decision", held.run, subject, text=outcome.error)
            return None
        announce("run.finished", held.run, subject, text=outcome.error, status=outcome.status.value)
        return _next(held.run, outcome.status, known) if known else None


def _close(run: Run, outcome: Outcome, **more: Any) -> None:
    values = {
        "status": outcome.status,
        "result": outcome.result,
        "error": outcome.error[:20_000],
        "traceback": outcome.traceback,
        "lease_owner": "",
        "lease_until": None,
        "finished_at": Now() if outcome.status.is_final else None,
    }
    if more:
        values["version_id"] = more["version"]
    rows = Run.objects.filter(pk=run.pk, lease_owner=run.lease_owner, status=RunStatus.IN_PROGRESS)
    if rows.update(**values) != 1:
        raise LostLease
    run.status = outcome.status


def _next(run: Run, status: RunStatus, known: catalog.Catalog) -> Claim | None:
    following = following_run(run, status)
    waiting = _fetch(following) if following else None
    return _take(waiting, known) if waiting else None


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
