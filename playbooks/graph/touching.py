"""Which objects an action node touches: those that reached it and whose risk is ticked (rulings 1, spec 14)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from playbooks.graph.actions import ACTIONS, ActionSpec
from playbooks.graph.facts import Object
from playbooks.graph.model import ActionUse, Node


@dataclass(frozen=True, slots=True)
class Touch:
    """One task: an action, and the object it is for; None for case actions and notifications, which run once."""

    spec: ActionSpec
    use: ActionUse
    object: Object | None


def touches(node: Node, objects: Mapping[str, Object], arriving: Iterable[str]) -> list[Touch]:
    """The tasks of an action or notify node, in the order of its actions, then of the objects.

    ``objects`` by key; keys that are not there are passed over, and so are actions that do not exist. Benign lists and
    the never-touch list are asked later: they hold a task, they do not unmake it."""
    ticked = [objects[key] for key in arriving if key in objects and objects[key].risk in node.risk]
    found: list[Touch] = []
    for use in node.actions:
        spec = ACTIONS.get(use.action)
        if spec is None:
            continue
        if spec.responds:
            found.extend(Touch(spec, use, one) for one in ticked if one.kind in spec.targets)
        else:
            found.append(Touch(spec, use, None))
    return found
