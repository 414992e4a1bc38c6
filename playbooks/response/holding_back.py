"""A task that was about to be done waits for people instead: the never-touch list names it since it was let run."""

from __future__ import annotations

from django.db.models.functions import Now

from cases import timeline
from cases.actors import Actor
from playbooks.announce import relock
from playbooks.choices import APPROVAL_OPEN, TaskStatus
from playbooks.models import Approval, ResponseTask
from playbooks.response import asking, by_hand, tasks
from playbooks.response.advance import advance, after_task
from playbooks.response.facts import graph_of
from playbooks.response.locking import Held
from playbooks.response.protecting import KNOWN, known_of
from playbooks.response.tasks import Claimed, Ending, LostLease
from playbooks.response_words import label_of
from playbooks.steps.calls import MAY_BE_DONE, acted, cancelled
from soar.lib.queue import enqueue


def ask_first(held: Claimed, why: str) -> None:
    """Let the task wait for an approval that names ``why``. One of which an earlier call may have had its effect is of
    unknown outcome: a rejection would say that nothing happened. In a transaction. Raises LostLease, locking.Moved."""
    task = held.task
    with after_task(task) as run:
        if not ResponseTask.objects.filter(pk=task.pk, lease_owner=held.owner, status=TaskStatus.IN_PROGRESS).exists():
            raise LostLease
        if ending := _over(run, task, why):
            tasks.end(held, ending)
            return
        data = {**task.data, KNOWN: known_of(task)}
        approval, fresh = _approval(run, task, why)
        tasks.wait_for(held, approval, why, data)
        if fresh:
            _tell(run, approval, task)
        if run is not None:
            advance(run)


def _over(run: Held | None, task: ResponseTask, why: str) -> Ending | None:
    """The end of a task about which nobody is asked."""
    if run is not None and run.run.cancel_requested and not run.run.state.is_final:
        return cancelled(task, run.run.error or "Its run was cancelled.")
    return Ending("unknown_outcome", reason=f"{why} {MAY_BE_DONE}") if acted(task) else None


def _approval(run: Held | None, task: ResponseTask, why: str) -> tuple[Approval, bool]:
    """The approval that asks just this of other tasks of the same step, or the same response by hand, already; else a
    new one. The second says whether it is new."""
    same = Approval.objects.filter(reason=why, cause=task.cause, status__in=APPROVAL_OPEN, expires_at__gt=Now())
    same = same.filter(run=task.run_id, step=task.step_id, alert=task.alert_id, incident=task.incident_id)
    if task.run_id is None:
        same = same.filter(requested_by=task.created_by, tasks__action=task.action)
    if (found := same.order_by("pk").first()) is not None:
        return found, False
    if run is not None and run.run.version is not None and task.step is not None:
        return asking.make(run, graph_of(run.run.version).node(task.node), task.step, why), True
    made = Approval.objects.create(
        run=task.run,
        alert=task.alert,
        incident=task.incident,
        title=f"{label_of(task.action, task.capability)}: {task.target_value}"[:300],
        reason=why,
        requested_by=task.created_by,
        expires_at=asking.expires(),
        cause=task.cause,
    )
    return made, True


def _tell(run: Held | None, approval: Approval, task: ResponseTask) -> None:
    if run is not None:
        asking.tell(run, [approval], [task])
        return
    data = {"approval": approval.pk, "title": approval.title, "reason": approval.reason}
    data |= {"tasks": [by_hand.named(task)], "count": 1}
    actor = Actor.of(task.created_by) if task.created_by else Actor.system()
    incident = task.incident or (task.alert.incident if task.alert is not None else None)
    for subject in (task.alert, incident):
        if subject is not None and relock(subject) is not None:
            timeline.record("approval.requested", subject, actor, text=approval.reason, data=data, cause=task.cause)
    enqueue(asking.TELL_TASK, approval.pk)
