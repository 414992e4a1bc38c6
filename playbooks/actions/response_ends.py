"""Ends that people put to tasks: cancelling what has not begun, deciding what nobody knows (rulings 6)."""

from __future__ import annotations

from django.db.models import F
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext as _

from cases.actions.base import text_of
from cases.actors import Actor
from cases.errors import Conflict, Missing, Refused
from playbooks import never_touch
from playbooks.actions.response_follow import case_of_task, response_task
from playbooks.actions.responses import announce
from playbooks.actions.rights import works_on_case
from playbooks.choices import APPROVAL_OPEN, ApprovalStatus, Outcome, TaskStatus
from playbooks.models import Approval, ResponseTask
from playbooks.response import protecting, tasks
from playbooks.response.advance import after_task
from playbooks.response.locking import together
from playbooks.response_selectors import task_for
from playbooks.steps import calls
from soar.lib.clock import iso

CANCELLABLE = (TaskStatus.QUEUED, TaskStatus.PENDING_APPROVAL)
AFTER = {Outcome.DONE: TaskStatus.SUCCESSFUL, Outcome.NOT_DONE: TaskStatus.UNSUCCESSFUL}


def cancel(actor: Actor, task_id: int | str) -> ResponseTask:
    """Cancel a task that has not begun. Its run goes on as after a failure. One that waits to be done again after an
    answer was lost is of unknown outcome then.

    Raises Missing, Forbidden, Conflict for a task that is under way (a call cannot be taken back) or over."""
    task = response_task(actor, task_id)

    def write() -> None:
        with after_task(task):
            _cancel(actor, task)

    together(write)
    return task_for(actor, task.pk)


def _cancel(actor: Actor, task: ResponseTask) -> None:
    row = _locked(actor, task)
    if row.status not in CANCELLABLE:
        raise Conflict(
            _("This task is %(label)s: only what has not begun can be cancelled.") % {"label": row.state.label.lower()}
        )
    ending = calls.cancelled(row, f"Cancelled by {actor.name}.")
    _end(task, TaskStatus(ending.status), ending.reason)
    if row.approval_id is None:
        return
    left = ResponseTask.objects.filter(approval=row.approval_id, status=TaskStatus.PENDING_APPROVAL).exists()
    if not left:
        open_ones = Approval.objects.filter(pk=row.approval_id, status__in=APPROVAL_OPEN)
        open_ones.update(status=ApprovalStatus.CANCELLED, decided_at=Now())


def decide(actor: Actor, task_id: int | str, outcome: str, comment: str = "") -> ResponseTask:
    """Say what happened to a task of unknown outcome: done, not_done, or repeat it under the same key.

    Raises Missing, Forbidden, Refused for another word and for no comment on what is to be repeated although the
    never-touch list names it, Conflict for a task that is not of unknown outcome."""
    if outcome not in Outcome.values:
        raise Refused(_("outcome is one of: %(values)s.") % {"values": ", ".join(Outcome.values)}, field="outcome")
    note = text_of(comment or "", "comment", most=5000, required=False)
    task = response_task(actor, task_id)

    def write() -> None:
        with after_task(task):
            _decide(actor, task, Outcome(outcome), note)

    together(write)
    return task_for(actor, task.pk)


def _decide(actor: Actor, task: ResponseTask, outcome: Outcome, note: str) -> None:
    row = _locked(actor, task)
    if row.status != TaskStatus.UNKNOWN_OUTCOME:
        raise Conflict(_("This task is %(label)s: there is nothing to decide.") % {"label": row.state.label.lower()})
    decision = {"outcome": outcome.value, "by": actor.name, "comment": note, "at": iso(timezone.now())}
    ResponseTask.objects.filter(pk=task.pk).update(decision=decision)
    if outcome == Outcome.REPEAT:
        _allow(row, note)
        ResponseTask.objects.filter(pk=task.pk).update(phase="")
        tasks.release([task.pk])
        task.status = TaskStatus.QUEUED
    else:
        said = "it happened" if outcome == Outcome.DONE else "it did not happen"
        _end(task, AFTER[outcome], f"{actor.name} decided that {said}.")
    if task.run_id is not None or outcome == Outcome.REPEAT:  # the end of others is told by itself
        announce(actor, case_of_task(task), "response.decided", [row], note, outcome=outcome.value)


def _allow(row: ResponseTask, note: str) -> None:
    """What is on the never-touch list by now is done again with a reason only (response-playbooks.md 18)."""
    if protecting.reasons(row, never_touch.rules()) and not note:
        text = _("%(target_value)s is on the never-touch list: say why it may be touched.") % {
            "target_value": row.target_value
        }
        raise Refused(text, field="comment")
    protecting.allow([row])


def _locked(actor: Actor, task: ResponseTask) -> ResponseTask:
    """The row as it is now, of a case that the actor may still work on; its locks are held (after_task)."""
    row = ResponseTask.objects.select_for_update(of=("self",)).filter(pk=task.pk).first()
    if row is None:
        raise Missing(_("There is no response task %(task_pk)s.") % {"task_pk": task.pk})
    works_on_case(actor, row.alert, row.incident)
    return row


def _end(task: ResponseTask, status: TaskStatus, reason: str) -> None:
    """Write the end on the row, and on the object that the caller's locks look at."""
    ResponseTask.objects.filter(pk=task.pk).update(
        status=status, reason=reason, due_at=None, phase="", lease_owner="", lease_until=None,
        finished_at=Now() if status.is_final else None,
        version=F("version") + 1, updated_at=Now(),
    )  # fmt: skip
    task.status, task.reason = status, reason
