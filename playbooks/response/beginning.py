"""The first part of a run: claim it, gather its objects, rate them, and let it go on (response-playbooks.md 13).

Only this part has a lease, because providers may be asked: a worker that dies in it is followed by another, which
rates again."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.models.functions import Now
from django.utils import timezone

from playbooks.announce import announce, relock, skipped
from playbooks.choices import RunStatus, StepStatus
from playbooks.claims import STARTS_AT_MOST, new_owner
from playbooks.models import Run, Step
from playbooks.response import objects, rating, step_rows
from playbooks.response.advance import advance, first
from playbooks.response.locking import Held, hold, together
from soar.connectors.intelligence.consulting import enabled_providers
from soar.connectors.intelligence.providers.base import Provider
from soar.lib import rows
from soar.lib.database import UNHURRIED, prepared

_CLAIMED = ("status", "attempts", "started_at", "version")
_KEPT = ("status", "attempts", "started_at", "version_id", "targets", "lease_owner", "lease_until")
# If a crash of the database forgets the beginning, the run is queued again, and so is its bell; before anything leaves,
# an attempt is written, whose commit waits for this one too.
_UPDATE = f"UPDATE playbooks_run SET {rows.assigned(Run, _KEPT)} WHERE id = %(pk)s RETURNING {UNHURRIED}"  # noqa: S608


def begin(run_id: int) -> bool:
    """Claim the run, gather and rate its objects, and begin its first nodes. False if it is not to be had.

    All in one transaction where no provider is to be asked; else the rating is made in between, under a lease."""
    owner = new_owner()
    held = together(lambda: _claim(run_id, owner))
    if held is None or held.alert is None:
        return False
    if not held.run.lease_owner:
        return True
    with _kept_alive(run_id, owner):
        targets = _gathered(held, None, ask=True)
    return together(lambda: _go(run_id, owner, targets))


def _claim(run_id: int, owner: str) -> Held | None:
    """Take a run that is queued, or whose worker fell silent, and say so once. It has a lease afterwards, or has
    already gone on."""
    held = hold(run_id)
    if held is None or held.alert is None or not _is_free(held.run):
        return None
    run, resumed = held.run, held.run.started_at is not None
    run.status, run.attempts = RunStatus.IN_PROGRESS, run.attempts + 1
    run.started_at, run.version = run.started_at or timezone.now(), run.version or run.playbook.current
    if reason := _hindrance(held, resumed):
        _refuse(held, reason, resumed)
        return None
    if not resumed:
        for subject in held.subjects:
            announce("run.started", run, subject)  # whose row was locked and read just now
    if run.targets is not None:
        _proceed(held, run.targets)
    elif run.dry_run or not (providers := enabled_providers()):
        _proceed(held, _gathered(held, None if run.dry_run else providers, ask=False))
    else:
        run.lease_owner, run.lease_until = owner, Now() + timedelta(seconds=settings.LEASE_SECONDS)
        run.save(update_fields=[*_CLAIMED, "lease_owner", "lease_until"])
    return held


def _is_free(run: Run) -> bool:
    """By the database's clock: those of the workers' hosts differ."""
    if run.status != RunStatus.IN_PROGRESS:
        return run.status == RunStatus.QUEUED
    return Run.objects.filter(pk=run.pk, lease_until__lt=Now()).exists()


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
    run.save(update_fields=[*_CLAIMED, "error", "lease_owner", "lease_until"])
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


def _gathered(held: Held, providers: list[Provider] | None, *, ask: bool) -> list[dict[str, Any]]:
    """The rated objects; may ask providers, so outside of any transaction."""
    assert held.alert is not None, "a response playbook runs on an alert"
    held.named = objects.named_by(held.alert)
    found = objects.objects_of(held.alert, held.named)
    rating.rate(found, held.alert, ask, providers)
    return found


def _go(run_id: int, owner: str, targets: list[dict[str, Any]]) -> bool:
    """Go on with a run that is still ours."""
    held = hold(run_id)
    if held is None or held.run.lease_owner != owner or held.run.status != RunStatus.IN_PROGRESS:
        return False
    _proceed(held, targets)
    return True


def _proceed(held: Held, targets: list[dict[str, Any]]) -> None:
    """Keep the objects, let the lease go, and begin the first nodes."""
    run, fresh = held.run, held.run.targets is None
    run.targets = targets
    if fresh and not run.dry_run:
        rating.keep(targets)
    run.lease_owner, run.lease_until, run.attempts = "", None, 0
    _write(run)
    if fresh and not run.cancel_requested:
        first(held, _rated(run, targets))
        return
    if fresh:
        step_rows.insert([_rated(run, targets)])
    advance(held)


def _write(run: Run) -> None:
    values = {name: getattr(run, name) for name in _KEPT}
    with prepared() as cursor:
        cursor.execute(_UPDATE, {"pk": run.pk, **rows.given(Run, values)}, prepare=True)


def _rated(run: Run, targets: list[dict[str, Any]]) -> Step:
    """The rating as the first step of the run."""
    counts = {risk: sum(one["risk"] == risk for one in targets) for risk in rating.RANK}
    told = {"objects": len(targets), "risks": counts}
    return step_rows.draft(run, 0, "rating", "rating", StepStatus.SUCCESSFUL, told)


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
