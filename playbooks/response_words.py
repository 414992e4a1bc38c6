"""Response tasks in words, for messages, the timeline and pages."""

from __future__ import annotations

from collections.abc import Sequence

from playbooks.graph.actions import ACTIONS
from playbooks.models import ResponseTask
from soar.connectors.capabilities import CAPABILITIES
from soar.lib.text import defang, shorten_hash

NEVER_TOUCH = "Never-touch list:"  # how the reason of a task that the list holds begins (playbooks.never_touch)
NAMED = 3


def label_of(action: str, capability: str = "") -> str:
    """The name of an action for people."""
    if action in ACTIONS:
        return ACTIONS[action].label
    known = CAPABILITIES.get(capability or action)
    return known.label if known else action.replace("_", " ").capitalize()


def value_of(task: ResponseTask) -> str:
    """What it is done to, defanged, a hash shortened; the recipients of a message as they are."""
    if not task.target_kind:
        return task.target_value
    return shorten_hash(defang(task.target_value, str(task.target.get("type") or task.target_kind)))


def named_tasks(tasks: Sequence[ResponseTask], *, value: bool = True) -> str:
    """ "Isolate endpoint FIN-LT-0231, Disable user account a.voss and 2 more"."""
    told = [f"{label_of(task.action, task.capability)} {value_of(task) if value else ''}".strip() for task in tasks]
    more = len(told) - NAMED
    return ", ".join(told[:NAMED]) + (f" and {more} more" if more > 0 else "")
