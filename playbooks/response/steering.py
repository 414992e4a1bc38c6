"""What people do to a run of a response playbook: cancel it, retry it (spec 27).

Everything here works on rows that are locked already; who may is checked by ``playbooks.actions``."""

from __future__ import annotations

from uuid import uuid4

from django.db.models import F
from django.db.models.functions import Now

from playbooks.choices import RunStatus, StepStatus, TaskStatus
from playbooks.models import ResponseTask, Run, Step
from playbooks.response import approving, asking, tasks
from playbooks.response.advance import advance
from playbooks.response.locking import Held
from playbooks.response.starting import RESPOND_TASK
from soar.lib.queue import enqueue

RETRIED = (TaskStatus.UNSUCCESSFUL, TaskStatus.CANCELLED)


def cancel(held: Held, name: str) -> None:
    """Stop what has not begun: tasks that wait, nodes that were not reached. Calls that are under way end first, and
    what a product has taken is asked for until it ended; then the run is *cancelled*."""
    run, text = held.run, f"Cancelled by {name}."
    run.cancel_requested, run.error = True, text
    run.save(update_fields=["cancel_requested", "error"])
    approving.cancel(run.pk, text)
    ResponseTask.objects.filter(run=run, status=TaskStatus.QUEUED).update(
        status=TaskStatus.CANCELLED, reason=text, finished_at=Now(), due_at=None, version=F("version") + 1
    )
    if run.targets is None:
        _end_unbegun(held)
    else:
        advance(held)


def _end_unbegun(held: Held) -> None:
    """A run that rates its objects, or waits to: it has nothing to stop."""
    held.run.status, held.run.lease_owner, held.run.lease_until = RunStatus.CANCELLED, "", None
    held.run.save(update_fields=["status", "lease_owner", "lease_until"])
    Run.objects.filter(pk=held.run.pk).update(finished_at=Now())


def retry(held: Held) -> int:
    """Do again what failed or was cancelled, and go on from there; what succeeded is kept. What was rejected or expired
    stays so. Returns how many tasks are done again."""
    run = held.run
    run.cancel_requested, run.error, run.attempts = False, "", 0
    run.report = run.result = None
    if run.targets is None:
        run.status = RunStatus.QUEUED
        run.save()
        Run.objects.filter(pk=run.pk).update(finished_at=None, rung_at=Now())
        enqueue(RESPOND_TASK, run.pk)
        return 0
    run.input = {key: value for key, value in (run.input or {}).items() if key != "problems"}
    run.status = RunStatus.IN_PROGRESS
    run.save()
    Run.objects.filter(pk=run.pk).update(finished_at=None)
    _forget_stopped(run)
    again = list(ResponseTask.objects.filter(run=run, status__in=RETRIED).select_related("step"))
    _reopen(held, again)
    advance(held)
    return len(again)


def _forget_stopped(run: Run) -> None:
    """Nodes that took no action because an earlier one failed are reached anew. Their notifications were sent."""
    stopped = Step.objects.filter(run=run, kind="node", result__stopped=True).exclude(key="notify")
    ResponseTask.objects.filter(step__in=stopped).delete()
    stopped.delete()


def _reopen(held: Held, again: list[ResponseTask]) -> None:
    """Queue tasks once more. One that was cancelled while it waited for an approval is asked for again."""
    asked = [task for task in again if task.approval_id and task.attempts == 0]
    done = [task for task in again if task not in asked]
    Step.objects.filter(tasks__in=again).update(status=StepStatus.IN_PROGRESS, finished_at=None)
    for task in again:
        _refresh(task)
    tasks.release(task.pk for task in done)
    _ask_again(held, asked)


def _refresh(task: ResponseTask) -> None:
    """A task as new, under another key: a product would take the old one for the attempt that failed."""
    task.phase = task.reason = task.message = task.reference = task.remote = ""
    task.accepted_at = task.started_at = task.finished_at = task.decision = None
    task.idempotency_key = uuid4()
    task.attempts = 0
    task.save()


def _ask_again(held: Held, asked: list[ResponseTask]) -> None:
    """A new approval in the place of each one that was cancelled."""
    for old in {task.approval for task in asked if task.approval is not None}:
        own = [task for task in asked if task.approval_id == old.pk]
        fresh = asking.again(old)
        ResponseTask.objects.filter(pk__in=[task.pk for task in own]).update(
            status=TaskStatus.PENDING_APPROVAL, approval=fresh, reason=fresh.reason, updated_at=Now()
        )
        for task in own:
            task.approval_id = fresh.pk
        asking.tell(held, [fresh], own)
