"""Lets a run go on: asks the graph which nodes are next, begins them, and ends the run when nothing is left.

All of it under the locks of the case and the run, in one transaction with what made it possible; nothing remote."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from django.db.models import Count
from django.db.models.functions import Now

from playbooks import questions
from playbooks.choices import RunStatus, StepStatus, TaskStatus
from playbooks.graph import walk
from playbooks.graph.model import Graph
from playbooks.models import Approval, ResponseTask, Step
from playbooks.response import by_hand, finishing, incident
from playbooks.response.facts import graph_of
from playbooks.response.found import take_in
from playbooks.response.locking import Held, hold, hold_case
from playbooks.response.reading import nodes_of, status_of
from playbooks.response.visiting import Visitor
from soar.lib.database import prepared

OPEN = (StepStatus.QUEUED, StepStatus.IN_PROGRESS, StepStatus.PENDING_APPROVAL, StepStatus.NEEDS_DECISION)


def advance(held: Held) -> None:
    """Begin every node whose time has come, and end the run if nothing is open. Safe to call at any time."""
    if held.run.targets is None or held.run.version is None or held.run.state.is_final:
        return
    steps = nodes_of(held.run)
    close_steps(held, steps)
    if not held.run.cancel_requested:
        walk_on(held, graph_of(held.run.version), steps)
    finishing.conclude(held)


def first(held: Held, rating: Step) -> None:
    """The same for a run that has just its objects, so neither steps nor tasks: the rating is written with them."""
    assert held.run.version is not None
    made = walk_on(held, graph_of(held.run.version), [], [rating])
    finishing.conclude(held, Counter(str(task.status) for task in made))


def walk_on(held: Held, graph: Graph, steps: list[Step], before: Sequence[Step] = ()) -> list[ResponseTask]:
    """Visit nodes until none is ready: conditions at once, actions by making their tasks, which are returned.

    ``before``: steps to be written first."""
    if incident.opens_at_target(graph):
        incident.ensure(held, graph)
    visitor = Visitor(held, graph, len(steps), before)
    state = {step.name: passed(step) for step in steps}
    while found := walk.ready(graph, state, [one["key"] for one in held.run.targets or []]):
        for one in found:
            state[one.node_id] = visitor.visit(one)
    visitor.keep()
    return visitor.tasks


def passed(step: Step) -> walk.Passed:
    """How a node was passed, from its record."""
    kept = step.result or {}
    arriving = tuple(kept.get("arrived", ()))
    if "true" in kept:
        right, below, once = tuple(kept["true"]), tuple(kept["false"]), kept.get("once")
        return walk.Passed("ok", right, below, bool(right) or once is True, bool(below) or once is False)
    if step.status in OPEN:
        return walk.OPEN
    ready = walk.Ready(step.name, arriving, bool(kept.get("stopped")))
    status = "ok" if step.status == StepStatus.SUCCESSFUL else "failed"
    return walk.passed_action(ready, status, kept.get("found", ()))


def close_steps(held: Held, steps: list[Step]) -> None:
    """Bring the steps of action nodes in line with their tasks; those whose last task is over are over."""
    open_steps = [step for step in steps if step.status in OPEN]
    if not open_steps:
        return
    counts: dict[int, Counter[str]] = {step.pk: Counter() for step in open_steps}
    rows = ResponseTask.objects.filter(step__in=open_steps).order_by().values("step", "status")
    for row in rows.annotate(number=Count("pk")):
        counts[row["step"]][row["status"]] = row["number"]
    for step in open_steps:
        status = status_of(counts[step.pk])
        if status not in OPEN:
            _close(held, step, status)
        elif status != step.status:
            Step.objects.filter(pk=step.pk).update(status=status)
        step.status = status


def _close(held: Held, step: Step, status: StepStatus) -> None:
    found = take_in(held, step)
    step.result = {**(step.result or {}), **({"found": found} if found else {})}
    Step.objects.filter(pk=step.pk).update(status=status, result=step.result, finished_at=Now())


@contextmanager
def after_task(task: ResponseTask) -> Iterator[Held | None]:
    """Around the writing of a task's end, in a transaction: locks before, and the run goes on after it.

    None for a task without a run. Raises locking.Moved."""
    if task.run_id is None:
        alert, incident = hold_case(task.alert_id, task.incident_id)
        yield None
        by_hand.tell(task, incident if task.incident_id else alert)
        return
    held = hold(task.run_id)
    yield held
    if held is None:
        return
    undecided = RunStatus.NEEDS_DECISION in (held.run.status, _WAITS.get(task.status))
    if undecided or not _others_open(task):
        advance(held)


class Last(Exception):
    """The task was the last of its step: its end needs all locks."""


def end_among_others(task: ResponseTask, write: Callable[[], None]) -> None:
    """Write the end of a task while others of its step are open, in a transaction of the caller: the run's lock alone
    is enough, as nothing follows from it. Raises Last if something does; then nothing of it may stay."""
    with prepared() as cursor:
        row = cursor.execute(LOCK_RUN, [task.run_id], prepare=True).fetchone()
        write()
        left = cursor.execute(OTHERS, [task.step_id, task.pk], prepare=True).fetchone()
    if row is None or row[0] == RunStatus.NEEDS_DECISION or task.status in _WAITS or left is None:
        raise Last


def _others_open(task: ResponseTask) -> bool:
    return ResponseTask.objects.filter(step=task.step_id).exclude(status__in=_ENDED).exists()


LOCK_RUN = "SELECT status FROM playbooks_run WHERE id = %s FOR UPDATE"
OTHERS = (
    "SELECT 1 FROM playbooks_responsetask WHERE step_id = %s AND id <> %s"
    " AND status IN ('pending_approval', 'queued', 'in_progress', 'unknown_outcome') LIMIT 1"
)
_WAITS = {TaskStatus.UNKNOWN_OUTCOME.value: RunStatus.NEEDS_DECISION}
_ENDED = [word.value for word in TaskStatus if word.is_final]


def after_decision(approval: Approval) -> None:
    """The run of a decided or expired approval goes on, under the locks that ``approving.locked`` took."""
    if approval.run_id is None:
        return
    held = hold(approval.run_id)
    if held is None:
        return
    if held.run.playbook.kind == "response":
        advance(held)
    else:
        questions.answered(held.run.pk, approval)
