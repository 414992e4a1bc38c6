"""What becomes of an action on an object before anything is done: who does it, and what stands against it.

In this order: benign lists forbid it (13), an earlier step of the run has done it, nobody can do it (15), its script is
not the one that was published (16), the run's account may not (rulings 8, 20), the never-touch list wants a reason (18,
rulings 9), the node wants an approval (19)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from playbooks import never_touch, script_pins
from playbooks.choices import TaskStatus
from playbooks.graph.actions import ACTIONS, ActionSpec
from playbooks.graph.facts import Object
from playbooks.graph.model import ActionUse, Graph, Node
from playbooks.graph.touching import Touch
from playbooks.models import ResponseTask
from playbooks.response.done_before import DoneBefore
from playbooks.response.locking import Held
from playbooks.steps import routing, ticket
from playbooks.steps.params import pinned
from soar.accounts.membership import may
from soar.connectors.models import ConnectorAccount, Route

ASKED = ""  # the node itself asks; anything else is the never-touch list's reason


@dataclass(slots=True)
class Place:
    """One task to be: ``status`` with its ``reason``; ``why`` is the reason of a never-touch approval, or ASKED."""

    touch: Touch
    params: dict[str, Any] = field(default_factory=dict)
    status: TaskStatus = TaskStatus.QUEUED
    reason: str = ""
    why: str = ASKED
    account: ConnectorAccount | None = None
    value: str = ""


class Desk:
    """Decides for one run, in one transaction; lists and accounts are read once."""

    def __init__(self, held: Held, graph: Graph | None = None) -> None:
        """``graph``: of a run that really acts, so that no step does once more what an earlier one has done."""
        self.held = held
        self._before = DoneBefore(held.run, graph.nodes if graph else ())
        self._pinned: dict[int, tuple[Touch, dict[str, Any]]] = {}
        self._serving: dict[str, list[ConnectorAccount]] = {}

    def places(self, node: Node, touch: Touch) -> list[Place]:
        """The task of an action on an object; one for each channel of a message."""
        if touch.spec.responds and touch.object is not None:
            return [self._respond(node, touch, touch.object)]
        if touch.spec.name == "channel":
            names = [str(name) for name in touch.use.params.get("channels") or []]
            return [Place(touch, {**touch.use.params, "channels": [name]}, value=name) for name in names]
        if touch.spec.name == "ticket":
            return [self._ticket(node, touch)]
        value = ", ".join(map(str, touch.use.params.get("recipients") or []))
        place = Place(touch, touch.use.params, value=value if touch.spec.group == "notify" else "")
        return [self._asked(node, place) if touch.spec.group == "case" else place]

    def again(self, node: Node, task: ResponseTask) -> Place:
        """The place of a task that is to be done once more: by the accounts, rights and lists of now."""
        spec = ACTIONS[task.action]
        touch = Touch(
            spec, ActionUse(task.action, dict(task.params)), Object.of(task.target) if spec.responds else None
        )
        return self.places(node, touch)[0]

    def _ticket(self, node: Node, touch: Touch) -> Place:
        """A result ticket; the only message that may wait for an approval (23)."""
        name = str(touch.use.params.get("profile", ""))
        profile = ticket.profile_named(name)
        place = Place(touch, dict(touch.use.params), value=profile.name if profile else name)
        if hindrance := ticket.hindrance_of(profile, name):
            return _ended(place, TaskStatus.UNSUCCESSFUL, hindrance)
        place.account = profile.instance.account if profile else None
        return self._asked(node, place)

    def _respond(self, node: Node, touch: Touch, one: Object) -> Place:
        spec, place = touch.spec, Place(touch, self._params(touch))
        if idle := self._idle(spec, one, place):
            return _ended(place, TaskStatus.NO_ACTION, idle)
        place.account = self._account(spec, one)
        if lacking := self._lacking(touch, place):
            return _ended(place, TaskStatus.UNSUCCESSFUL, lacking)
        if self.held.run.dry_run:
            return place
        if spec.destructive and node.approval is None and (forbidden := self._forbidden):
            return _ended(place, TaskStatus.UNSUCCESSFUL, forbidden)
        asset = one.asset or host_of(one.facts, self.held.run.targets)
        if spec.destructive and (why := never_touch.match(self._listed, one.kind, one.value, one.facts, asset)):
            place.status, place.reason, place.why = TaskStatus.PENDING_APPROVAL, why, why
            return place
        return self._asked(node, place)

    def _idle(self, spec: ActionSpec, one: Object, place: Place) -> str:
        """Why there is nothing to be done; empty if there is."""
        if spec.destructive and one.benign:
            return f"Not done: {one.benign}"
        return self._before.reason(spec.name, one, place.params)

    def _params(self, touch: Touch) -> dict[str, Any]:
        """The settings of the task: the same for each object, so made once."""
        key = id(touch.use)
        if key not in self._pinned:
            self._pinned[key] = (touch, pinned(touch.spec.capability, touch.use.params, self.held.run.version))
        return dict(self._pinned[key][1])

    def _lacking(self, touch: Touch, place: Place) -> str:
        """What it cannot be done without: a connector, the script that was published. "" if all is there."""
        spec = touch.spec
        if place.account is None and spec.capability != "block":
            return routing.unserved(spec.capability, spec.label)
        if spec.capability != "run_script":
            return ""
        return script_pins.refusal(self.held.run.version, str(touch.use.params.get("script", "")), self._changed)

    @cached_property
    def _changed(self) -> dict[str, str]:
        return script_pins.changed(self.held.run.version)

    def _asked(self, node: Node, place: Place) -> Place:
        if node.approval is not None and not self.held.run.dry_run:
            place.status = TaskStatus.PENDING_APPROVAL
        return place

    def _account(self, spec: ActionSpec, one: Object) -> ConnectorAccount | None:
        if spec.capability not in self._serving:
            self._serving[spec.capability] = routing.serving(spec.capability, self.held.run.acting_user)
        target = {"kind": one.kind, "value": one.value, "facts": one.facts, "asset": one.asset}
        return routing.route(spec.capability, target, self._serving[spec.capability], self._routes)

    @cached_property
    def _routes(self) -> list[Route]:
        return routing.routes()

    @cached_property
    def _listed(self) -> list[never_touch.Rule]:
        return never_touch.rules()

    @cached_property
    def _forbidden(self) -> str:
        """Why the account that the run acts for may do nothing destructive without an approval; empty if it may."""
        user = self.held.run.acting_user
        if user is None or may(user, "respond"):
            return ""
        name = user.display_name()
        return f"The account of {name}, whose rights the run uses, may not run response actions without an approval."


def host_of(facts: Mapping[str, Any], targets: Iterable[dict[str, Any]] | None) -> dict[str, Any] | None:
    """The asset that a process or file is on: what protects the host protects what is on it."""
    name = str(facts.get("endpoint") or "").casefold()
    hosts = [each for each in targets or [] if name and each["kind"] == "endpoint"]
    return next((each["asset"] for each in hosts if each["value"].casefold() == name), None)


def _ended(place: Place, status: TaskStatus, reason: str) -> Place:
    place.status, place.reason = status, reason
    return place
