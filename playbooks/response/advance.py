"""Lets a run go on: asks the graph which nodes are next, begins them, and ends the run when nothing is left.

All of it under the locks of the case and the run, in one transaction with what made it possible; nothing remote."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from django.db.models import Count
from django.db.models.functions import Now

from playbooks import questions
from playbooks.choices import RunStatus, StepStatus, TaskStatus
from playbooks.graph import walk
from playbooks.graph.model import Graph
from playbooks.models import Approval, ResponseTask, Step
from playbooks.response import by_hand, finishing, incident
from playbooks.response.facts import graph_of
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
    found = _found(held, step)
    step.result = {**(step.result or {}), **({"found": found} if found else {})}
    Step.objects.filter(pk=step.pk).update(status=status, result=step.result, finished_at=Now())


def _found(held: Held, step: Step) -> list[str]:
    """Make what the tasks of a node found objects of the next ones (rulings 12). Returns their keys."""
    targets: list[dict[str, Any]] = held.run.targets or []
    keys: list[str] = []
    for data, risk in ResponseTask.objects.filter(step=step).values_list("data", "risk"):
        for one in data.get("found", ()):
            key = _key_of(targets, one, risk)
            keys += [key] if key not in keys else []
    if keys:
        held.run.targets = targets
        held.run.save(update_fields=["targets"])
    return keys


def _key_of(targets: list[dict[str, Any]], one: dict[str, Any], risk: str) -> str:
    there = next((old for old in targets if _same(old, one)), None)
    if there is not None:
        return str(there["key"])
    key = f"o{len(targets) + 1}"
    targets.append(
        {
            "key": key, "kind": str(one.get("kind", "message")), "type": str(one.get("kind", "message")),
            "value": str(one["value"]), "risk": risk or "unrated", "rule": "As the object by which it was found.",
            "evidence": [], "scores": {}, "rated_at": None, "benign": "", "related": [],
            "facts": dict(one.get("facts") or {}), "asset": None, "highlighted": False,
        }
    )  # fmt: skip
    return key


def _same(old: dict[str, Any], one: dict[str, Any]) -> bool:
    """Whether what was found is an object that the run has, whatever else each of them knows: by kind and name, and
    where both say in which mailbox a message lies, by that. Nothing is done twice to one message."""
    boxes = {
        str(each["facts"]["mailbox"]).casefold() for each in (old, one) if (each.get("facts") or {}).get("mailbox")
    }
    kind, value = str(one.get("kind", "message")), str(one["value"]).casefold()
    if (old["kind"], old["value"].casefold()) == (kind, value) and len(boxes) < 2:
        return True
    return old["kind"] == kind == "message" and bool(_ids(old) & _ids(one))


def _ids(one: dict[str, Any]) -> set[tuple[str, str]]:
    """The ids of a message, each with its mailbox: not every product names a message by both. Empty without one."""
    facts = one.get("facts") or {}
    box = str(facts.get("mailbox") or "").casefold()
    told = (str(facts.get(name) or "") for name in ("message_id", "unique_id"))
    return {(identity, box) for identity in told if identity and box}


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
