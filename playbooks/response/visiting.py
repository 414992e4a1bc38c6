"""Begins a node: a condition is evaluated, an action node becomes tasks (response-playbooks.md 9 to 23)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from cases.models import Alert
from playbooks.choices import StepStatus, TaskStatus
from playbooks.graph import walk
from playbooks.graph.conditions import evaluate
from playbooks.graph.model import Graph, Node
from playbooks.graph.touching import Touch, touches
from playbooks.models import Approval, ResponseTask, Step
from playbooks.response import asking, incident, step_rows, tasks
from playbooks.response.desk import Desk, Place
from playbooks.response.facts import asks_observables, facts_of
from playbooks.response.locking import Held
from playbooks.response.objects import named_by

STOPPED = "An earlier node of this series failed, and it says stop."
PER_NODE = 100_000  # positions of tasks: those of one node stay together


class Visitor:
    """Visits the nodes of one run that are ready, in one transaction."""

    def __init__(self, held: Held, graph: Graph, position: int, before: Sequence[Step] = ()) -> None:
        self.held, self.graph = held, graph
        self._position = position
        self._desk = Desk(held, graph)
        self._facts: Any = None
        self._by_key: dict[str, dict[str, Any]] | None = None
        self._steps: list[Step] = list(before)  # not written yet
        self._made: list[tuple[Node, Step, list[Place]]] = []
        self.tasks: list[ResponseTask] = []

    def keep(self) -> None:
        """Write what was passed and what is to be done, each kind of row by one statement."""
        step_rows.insert(self._steps)
        asked = [self._asking(node, step, places) for node, step, places in self._made]
        self.tasks = tasks.create(draft for drafts, _approvals in asked for draft in drafts)
        for drafts, approvals in asked:
            asking.tell(self.held, approvals, drafts)

    def visit(self, ready: walk.Ready) -> walk.Passed:
        """Begin the node. Returns how it was passed: open if it waits for its tasks."""
        node = self.graph.node(ready.node_id)
        self._position += 1
        if node.type in walk.CONDITIONS:
            return self._condition(node, ready)
        return self._action(node, ready)

    def _condition(self, node: Node, ready: walk.Ready) -> walk.Passed:
        verdict = evaluate(node, self.facts, ready.arriving)
        kept = {"arrived": list(ready.arriving), **verdict.as_json()}
        self._steps.append(self._step(node, StepStatus.SUCCESSFUL, kept))
        return walk.passed_condition(verdict)

    @property
    def facts(self) -> Any:
        """Of the alert and its objects; made once."""
        if self._facts is None:
            alert, targets = self.held.alert, self.held.run.targets or []
            assert alert is not None, "a response playbook runs on an alert"
            self._facts = facts_of(alert, targets, self.graph.trigger.time_zone, self._observables(alert))
        return self._facts

    def _observables(self, alert: Alert) -> tuple[str, ...]:
        """All values that the alert names, if the graph asks for them."""
        if not asks_observables(self.graph):
            return ()
        if self.held.named is None:
            self.held.named = named_by(alert)
        return tuple(value for _type, value, _role, _marked in self.held.named)

    def _action(self, node: Node, ready: walk.Ready) -> walk.Passed:
        if not ready.stopped:
            incident.ensure(self.held, self.graph)
        by_key = {one.key: one for one in self.facts.objects}
        places = [
            place for touch in touches(node, by_key, ready.arriving) for place in self._places(node, touch, ready)
        ]
        kept: dict[str, Any] = {"arrived": list(ready.arriving)}
        if ready.stopped:
            kept["stopped"] = True
        if not places:
            kept["note"] = "No object that reached it has a kind and a risk that it acts on."
        status = _status(places)
        step = self._step(node, status, kept)
        self._steps.append(step)
        self._made.append((node, step, places))
        if status in (StepStatus.IN_PROGRESS, StepStatus.PENDING_APPROVAL):
            return walk.OPEN
        return walk.passed_action(ready, "ok" if status == StepStatus.SUCCESSFUL else "failed")

    def _places(self, node: Node, touch: Touch, ready: walk.Ready) -> list[Place]:
        if ready.stopped and node.type != "notify":
            return [Place(touch, touch.use.params, status=TaskStatus.NO_ACTION, reason=STOPPED)]
        return self._desk.places(node, touch)

    def _step(self, node: Node, status: StepStatus, result: dict[str, Any]) -> Step:
        step = step_rows.draft(self.held.run, self._position, node.id, "node", status, result)
        step.key, step.arguments = node.type, {"name": node.name} if node.name else {}
        return step

    def _asking(self, node: Node, step: Step, places: list[Place]) -> tuple[list[ResponseTask], list[Approval]]:
        """The tasks of a node, and the approvals that they wait for."""
        approvals = asking.approvals(self.held, node, step, places)
        first: dict[tuple[object, ...], ResponseTask] = {}
        drafts = []
        for number, place in enumerate(places, step.position * PER_NODE):
            like = (place.touch.spec.name, place.account and place.account.pk, place.status, place.why)
            if (made := first.get(like)) is None:
                made = first[like] = self._draft(node, step, place, approvals.get(place.why), number)
                drafts.append(made)
            else:
                own = {"position": number, "params": dict(place.params), "reason": place.reason}
                drafts.append(tasks.another(made, target=self._target(place), **own))
        return drafts, list(approvals.values())

    def _draft(self, node: Node, step: Step, place: Place, approval: Approval | None, number: int) -> ResponseTask:
        run = self.held.run
        waits = place.status == TaskStatus.PENDING_APPROVAL
        return tasks.draft(
            action=place.touch.spec.name,
            cause=run.cause,
            target=self._target(place),
            params=place.params,
            run=run,
            step=step,
            alert=self.held.alert,
            node=node.id,
            position=number,
            account=place.account,
            status=place.status,
            reason=place.reason,
            approval=approval if waits else None,
            acting_user=run.acting_user,
            created_by=run.started_by,
            deadline=timedelta(minutes=node.deadline_minutes),
            dry_run=run.dry_run,
        )

    def _target(self, place: Place) -> dict[str, Any] | None:
        if place.touch.object is None:
            return {"kind": "", "value": place.value} if place.value else None
        if self._by_key is None:
            self._by_key = {one["key"]: one for one in reversed(self.held.run.targets or [])}
        return self._by_key[place.touch.object.key]


def _status(places: list[Place]) -> StepStatus:
    """Of a node when its tasks are made: some fail or come to nothing at once."""
    there = {place.status for place in places}
    if TaskStatus.PENDING_APPROVAL in there:
        return StepStatus.PENDING_APPROVAL
    if TaskStatus.QUEUED in there:
        return StepStatus.IN_PROGRESS
    return StepStatus.UNSUCCESSFUL if TaskStatus.UNSUCCESSFUL in there else StepStatus.SUCCESSFUL
