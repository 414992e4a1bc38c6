"""What an earlier node of the same run has done already: it is neither asked again nor sent again.

Only actions that set a state, which are those with an inverse: a second scan or sign-out may well be meant. A task is
made for the object all the same, so that the node tells of each object once; it ends with the step that did it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext as _

from playbooks.choices import TaskStatus
from playbooks.graph.actions import ACTIONS
from playbooks.graph.facts import Object
from playbooks.graph.model import Node
from playbooks.models import ResponseTask, Run

Done = tuple[str, str, str, str]


class DoneBefore:
    """Successful tasks of one run, read once and only if its graph names such an action in several nodes."""

    def __init__(self, run: Run, nodes: Sequence[Node]) -> None:
        self._run = run
        named = Counter(name for node in nodes for name in {use.action for use in node.actions})
        self._actions = {
            name for name, nodes in named.items() if nodes > 1 and name in ACTIONS and ACTIONS[name].inverse
        }
        self._names = {node.id: node.name for node in nodes}
        self._found: dict[Done, str] | None = None

    def reason(self, action: str, one: Object, params: dict[str, Any]) -> str:
        """Why this need not be done to the object: which step has done the very same; "" if none has."""
        if action not in self._actions or self._run.dry_run:
            return ""
        if self._found is None:
            self._found = self._read()
        return self._found.get(_key(action, one.kind, one.value, params), "")

    def _read(self) -> dict[Done, str]:
        """What was undone since, or is being undone, does not count."""
        wanted = {"run": self._run, "action__in": self._actions, "status": TaskStatus.SUCCESSFUL, "inverse_of": None}
        rows = ResponseTask.objects.filter(**wanted, step__isnull=False).order_by("id")
        undone = ResponseTask.objects.exclude(status__in=NOT_UNDONE).filter(inverse_of__in=rows.values("pk"))
        gone = set(undone.values_list("inverse_of", flat=True))
        values = rows.values_list("pk", "action", "target_kind", "target_value", "params", "node", "step__position")
        return {
            _key(action, kind, value, params): self._said(node, position)
            for pk, action, kind, value, params, node, position in values
            if pk not in gone
        }

    def _said(self, node: str, position: int) -> str:
        name = self._names.get(node, "")
        return _("Done already in step %(number)s%(name)s.") % {
            "number": position,
            "name": f", “{name}”" if name else "",
        }


# Ends of an inverse that leave the state as it was set.
NOT_UNDONE = (
    TaskStatus.REJECTED,
    TaskStatus.EXPIRED,
    TaskStatus.CANCELLED,
    TaskStatus.NO_ACTION,
    TaskStatus.UNSUCCESSFUL,
)


def _key(action: str, kind: str, value: str, params: dict[str, Any]) -> Done:
    return action, kind, value.casefold(), repr(sorted(params.items()))
