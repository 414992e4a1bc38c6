"""What people do to a run of a response playbook: cancel it, retry it (spec 27).

Everything here works on rows that are locked already; who may is checked by ``playbooks.actions``."""

from __future__ import annotations

from uuid import uuid4

from django.db.models import F
from django.db.models.functions import Now

from playbooks.choices import RunStatus, StepStatus, TaskStatus
from playbooks.graph.model import Graph
from playbooks.models import ResponseTask, Run, Step
from playbooks.response import approving, asking, incident, tasks
from playbooks.response.advance import advance
from playbooks.response.desk import ASKED, Desk, Place
from playbooks.response.facts import graph_of
from playbooks.response.locking import Held
from playbooks.response.protecting import KNOWN, known_of
from playbooks.response.starting import RESPOND_TASK
from playbooks.steps.calls import LEFT, MAY_BE_DONE, acted_among
from soar.lib.queue import enqueue

RETRIED = (TaskStatus.UNSUCCESSFUL, TaskStatus.CANCELLED)


def cancel(held: Held, name: str) -> None:
    """Stop what has not begun: tasks that wait, nodes that were not reached. Calls that are under way end first, and
    what a product has taken is asked for until it ended; then the run is *cancelled*."""
    run, text = held.run, f"Cancelled by {name}."
    run.cancel_requested, run.error = True, text
    run.save(update_fields=["cancel_requested", "error"])
    approving.cancel(run.pk, text)
    _withdraw(run, text)
    if run.targets is None:
        _end_unbegun(held)
    else:
        advance(held)


def _withdraw(run: Run, text: str) -> None:
    """Tasks that wait to be done will not be. Of one that waits to be done again, nobody knows whether it was."""
    queued = ResponseTask.objects.filter(run=run, status=TaskStatus.QUEUED)
    unsure = acted_among(list(queued.filter(attempts__gt=0).only("idempotency_key", "cause")))
    over = {"due_at": None, "version": F("version") + 1, "updated_at": Now()}
    reason = f"{text} {MAY_BE_DONE}"
    queued.filter(pk__in=unsure).update(status=TaskStatus.UNKNOWN_OUTCOME, reason=reason, **over)
    queued.update(status=TaskStatus.CANCELLED, reason=text, finished_at=Now(), **over)


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
    run.status = RunStatus.IN_PROGRESS
    run.save()
    Run.objects.filter(pk=run.pk).update(finished_at=None)
    assert run.version is not None
    incident.ask_again(held, graph_of(run.version))
    _forget_stopped(run)
    again = list(ResponseTask.objects.filter(run=run, status__in=RETRIED).select_related("step", "approval"))
    _reopen(held, again)
    advance(held)
    return len(again)


def _forget_stopped(run: Run) -> None:
    """Nodes that took no action because an earlier one failed are reached anew. Notifications were sent; whether what
    follows them is stopped is asked of what came before."""
    stopped = Step.objects.filter(run=run, kind="node", result__stopped=True)
    for step in stopped.filter(key="notify"):
        step.result = {name: value for name, value in (step.result or {}).items() if name != "stopped"}
        step.save(update_fields=["result"])
    idle = stopped.exclude(key="notify")
    ResponseTask.objects.filter(step__in=idle).delete()
    idle.delete()


def _reopen(held: Held, again: list[ResponseTask]) -> None:
    """Do tasks once more, each after the questions that were asked when it was made: the connectors, the rights and the
    never-touch list are those of now. What people approved need not be approved again, unless the list names another
    reason since."""
    assert held.run.version is not None
    graph = graph_of(held.run.version)
    desk = Desk(held, graph)
    Step.objects.filter(tasks__in=again).update(status=StepStatus.IN_PROGRESS, finished_at=None)
    left = acted_among(again)
    found = [(task, desk.again(graph.node(task.node), task)) for task in again]
    for task, place in found:
        if place.status == TaskStatus.PENDING_APPROVAL and _is_approved(task, place):
            place.status, place.reason = TaskStatus.QUEUED, ""
        elif place.params != task.params:
            task.data = {name: value for name, value in task.data.items() if name != KNOWN}
        if task.pk in left:
            task.data = {**task.data, LEFT: True}
        _refresh(task, place)
    tasks.release(task.pk for task, place in found if place.status == TaskStatus.QUEUED)
    _ask_again(held, graph, [each for each in found if each[1].status == TaskStatus.PENDING_APPROVAL])


def _is_approved(task: ResponseTask, place: Place) -> bool:
    """Whether people approved just this, all that the never-touch list says of it now."""
    if task.approval is None or place.params != task.params:
        return False
    if KNOWN in task.data:
        return place.why in (ASKED, *known_of(task))
    # Approved before this was kept; what was cancelled while it waited for people has not been tried.
    return task.attempts > 0 and place.why in (ASKED, task.approval.reason)


def _refresh(task: ResponseTask, place: Place) -> None:
    """A task as new, under another key: a product would take the old one for the attempt that failed."""
    task.phase = task.message = task.reference = task.remote = ""
    task.accepted_at = task.started_at = task.finished_at = task.decision = None
    task.status, task.reason, task.params, task.account = place.status, place.reason, place.params, place.account
    task.idempotency_key = uuid4()
    task.attempts = 0
    task.save()
    if place.status.is_final:
        ResponseTask.objects.filter(pk=task.pk).update(finished_at=Now())


def _ask_again(held: Held, graph: Graph, asked: list[tuple[ResponseTask, Place]]) -> None:
    """New approvals for what must be asked, step by step."""
    steps = {task.step_id: task.step for task, _place in asked}
    for pk, step in steps.items():
        assert step is not None
        own = [(task, place) for task, place in asked if task.step_id == pk]
        made = asking.approvals(held, graph.node(step.name), step, [place for _task, place in own])
        for task, place in own:
            task.approval = made[place.why]
            task.save(update_fields=["approval"])
        asking.tell(held, made.values(), [task for task, _place in own])
