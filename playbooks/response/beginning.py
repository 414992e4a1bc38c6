"""The first part of a run: claim it, gather its objects, rate them, and let it go on (response-playbooks.md 13).

Only this part has a lease, because providers may be asked: a worker that dies in it is followed by another, which
rates again."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.models import F, Q
from django.db.models.functions import Coalesce, Now

from cases.models import Alert
from playbooks.announce import announce, relock, skipped
from playbooks.choices import RunStatus, StepStatus
from playbooks.claims import STARTS_AT_MOST, lease_end, new_owner
from playbooks.models import Run, Step
from playbooks.response import objects, rating
from playbooks.response.advance import advance
from playbooks.response.locking import Held, hold, together

logger = logging.getLogger(__name__)


def begin(run_id: int) -> bool:
    """Claim the run, gather and rate its objects, and begin its first nodes. False if it is not to be had."""
    owner = new_owner()
    held = together(lambda: _claim(run_id, owner))
    if held is None or held.alert is None:
        return False
    targets = held.run.targets
    if targets is None:
        with _kept_alive(run_id, owner):
            targets = _gathered(held.alert, ask=not held.run.dry_run)
    return together(lambda: _go(run_id, owner, targets))


def _claim(run_id: int, owner: str) -> Held | None:
    """Take a run that is queued, or whose worker fell silent, and say so once."""
    held = hold(run_id)
    if held is None or held.alert is None:
        return None
    free = Q(status=RunStatus.QUEUED) | Q(status=RunStatus.IN_PROGRESS, lease_until__lt=Now())
    resumed = held.run.started_at is not None
    version = F("version") if held.run.version_id else held.run.playbook.current_id
    taken = Run.objects.filter(free, pk=run_id).update(
        status=RunStatus.IN_PROGRESS,
        lease_owner=owner,
        lease_until=lease_end(),
        attempts=F("attempts") + 1,
        started_at=Coalesce("started_at", Now()),
        version=version,
    )
    if not taken:
        return None
    held.run.refresh_from_db()
    if reason := _hindrance(held, resumed):
        _refuse(held, reason, resumed)
        return None
    if not resumed:
        for subject in held.subjects:
            announce("run.started", held.run, relock(subject))
    return held


def _hindrance(held: Held, resumed: bool) -> str:
    """Why the run must not begin; empty if it may."""
    run = held.run
    if run.cancel_requested:
        return "It was cancelled before it began."
    if not resumed and (hindrance := run.playbook.hindrance):
        return hindrance
    if run.acting_user and not run.acting_user.is_active:
        return f"The account of {run.acting_user.display_name()}, whose rights it would use, is disabled."
    if run.attempts > STARTS_AT_MOST:
        return f"Its worker stopped in the middle {run.attempts - 1} times."
    return "" if run.version_id else "It was never published."


def _refuse(held: Held, reason: str, resumed: bool) -> None:
    run = held.run
    run.status = RunStatus.NEEDS_DECISION if resumed and not run.cancel_requested else RunStatus.CANCELLED
    run.error, run.lease_owner, run.lease_until = reason, "", None
    run.save(update_fields=["status", "error", "lease_owner", "lease_until"])
    if run.state.is_final:
        Run.objects.filter(pk=run.pk).update(finished_at=Now())
    for subject in held.subjects:
        if run.dry_run:
            continue
        if resumed:
            announce("run.needs_decision", run, relock(subject), text=reason)
        else:
            relock(subject)
            skipped(subject, run.playbook.name, reason, playbook_id=run.playbook_id, run=run.pk)


def _gathered(alert: Alert, *, ask: bool) -> list[dict[str, Any]]:
    """The rated objects; may ask providers, so outside of any transaction."""
    found = objects.objects_of(alert)
    rating.rate(found, alert, ask_providers=ask)
    return found


def _go(run_id: int, owner: str, targets: list[dict[str, Any]]) -> bool:
    """Keep the objects, let the lease go, and begin the first nodes."""
    held = hold(run_id)
    if held is None or held.run.lease_owner != owner or held.run.status != RunStatus.IN_PROGRESS:
        return False
    run = held.run
    if run.targets is None:
        run.targets = targets
        if not run.dry_run:
            rating.keep(targets)
        _record(run, targets)
    run.lease_owner, run.lease_until, run.attempts = "", None, 0
    run.save(update_fields=["targets", "lease_owner", "lease_until", "attempts"])
    advance(held)
    return True


def _record(run: Run, targets: list[dict[str, Any]]) -> None:
    """The rating as the first step of the run."""
    counts = {risk: sum(one["risk"] == risk for one in targets) for risk in rating.RANK}
    step = Step(
        run=run,
        position=0,
        name="rating",
        key="",
        kind="rating",
        arguments_digest="",
        status=StepStatus.SUCCESSFUL,
        started_at=run.started_at,
        finished_at=Now(),
        result={"objects": len(targets), "risks": counts},
    )
    Step.objects.bulk_create([step], ignore_conflicts=True)


@contextmanager
def _kept_alive(run_id: int, owner: str) -> Iterator[None]:
    """Renew the lease of a run while providers are asked. A thread only for what takes long."""
    over = threading.Event()
    watch = threading.Timer(settings.LEASE_SECONDS / 3, _renew, (run_id, owner, over))
    watch.daemon = True
    watch.start()
    try:
        yield
    finally:
        over.set()
        watch.cancel()


def _renew(run_id: int, owner: str, over: threading.Event) -> None:
    try:
        while not over.is_set():
            until = Now() + timedelta(seconds=settings.LEASE_SECONDS)
            rows = Run.objects.filter(pk=run_id, lease_owner=owner, status=RunStatus.IN_PROGRESS)
            if not rows.update(lease_until=until):
                return
            over.wait(settings.LEASE_SECONDS / 3)
    finally:
        connection.close()
