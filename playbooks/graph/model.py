"""What a response playbook is made of, as plain values (rulings 13). Read them with ``schema.read``."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
TRIGGERS = ("automatic", "manual")
TYPES = ("condition", "else_if", "action", "else_action", "notify")
SIDES = ("right", "below")
RISKS = ("highly_suspicious", "suspicious", "unrated")
METHODS = ("email", "channel")
ON_FAILURE = ("continue", "stop")
TARGET = "target"

MOST_NODES = 200
MOST_PERIODS = 10  # response-playbooks.md 3
MOST_OWNERS = 50  # response-playbooks.md 6
MOST_MINUTES = 1440  # as an approval: nothing waits for longer than a day
DEADLINE = 30


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong, and where. ``node``: "" is the playbook, else "trigger", "target" or a node's id. ``field``: the
    key in the JSON, dotted into lists (``conditions.0.values``). ``enabling``: it does not hinder saving and
    publishing, only the switch (a connector that is missing)."""

    node: str
    field: str
    message: str
    enabling: bool = False


@dataclass(frozen=True, slots=True)
class Period:
    """When automatic runs may begin. ``start`` and ``end`` are "HH:MM", the end not included; an end that is not after
    the start is on the next day, and the day is the one that it starts on."""

    days: tuple[str, ...] = ()
    start: str = "00:00"
    end: str = "00:00"


@dataclass(frozen=True, slots=True)
class Trigger:
    """``automatic`` also runs by hand. No periods: at any time. ``time_zone`` is an IANA name."""

    type: str = "automatic"
    periods: tuple[Period, ...] = ()
    time_zone: str = "UTC"


@dataclass(frozen=True, slots=True)
class OpenIncident:
    """The incident that a run opens (rulings 4). ``owners``: usernames. ``close_with``: the determination with which
    it is closed when the run was a full success; "" leaves it open. ``ticket_profile``: the name of the profile by
    which it gets a ticket in ServiceNow that is kept equal; "" sends it to none."""

    owners: tuple[str, ...] = ()
    close_with: str = ""
    ticket_profile: str = ""


@dataclass(frozen=True, slots=True)
class Target:
    """Which alerts. ``models``: names of detection models; empty is all of them."""

    severities: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    filter_by_risk: bool = False
    open_incident: OpenIncident | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a condition: the words of ``parameters.PARAMETERS`` and ``parameters.OPERATORS``."""

    parameter: str
    operator: str
    values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ActionUse:
    """An action of ``actions.ACTIONS`` with what the author set. Values of ``params``: text, number, list of texts."""

    action: str
    params: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ApprovalUse:
    """Whom to ask before the node acts (response-playbooks.md 19). ``subject_prefix`` is used exactly as typed."""

    method: str = "email"
    subject_prefix: str = ""
    recipients: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    two_people: bool = False


@dataclass(frozen=True, slots=True)
class Node:
    """One box of the drawing. ``parent`` is "target" or another node's id, ``side`` where it hangs on it.

    ``cache`` holds what other modules made of the node (compiled rows); it is no part of its value."""

    id: str
    type: str
    parent: str = TARGET
    side: str = "right"
    name: str = ""
    conditions: tuple[Row, ...] = ()
    risk: tuple[str, ...] = ()
    actions: tuple[ActionUse, ...] = ()
    approval: ApprovalUse | None = None
    on_failure: str = "continue"
    deadline_minutes: int = DEADLINE
    cache: dict[str, Any] = field(default_factory=dict, init=False, repr=False, compare=False)


@dataclass(frozen=True)
class Graph:
    """A response playbook. ``nodes`` in the order of the document, which is the order of siblings."""

    name: str = ""
    description: str = ""
    trigger: Trigger = Trigger()
    target: Target = Target()
    nodes: tuple[Node, ...] = ()

    @cached_property
    def by_id(self) -> dict[str, Node]:
        """The nodes by their ids."""
        return {node.id: node for node in self.nodes}

    @cached_property
    def _children(self) -> dict[tuple[str, str], tuple[Node, ...]]:
        found: dict[tuple[str, str], tuple[Node, ...]] = {}
        for node in self.nodes:
            found[node.parent, node.side] = (*found.get((node.parent, node.side), ()), node)
        return found

    def node(self, id: str) -> Node:
        """The node with that id. Raises KeyError."""
        return self.by_id[id]

    def children(self, id: str, side: str = "") -> tuple[Node, ...]:
        """What hangs on a node or "target", in document order; without ``side``, the right ones first."""
        if side:
            return self._children.get((id, side), ())
        return self.children(id, "right") + self.children(id, "below")

    def beneath(self, id: str) -> Iterator[Node]:
        """All nodes that hang on ``id``, in reading order: a branch before its else. A circle is walked once."""
        waiting, seen = list(reversed(self.children(id))), {id}
        while waiting:
            node = waiting.pop()
            if node.id not in seen:
                seen.add(node.id)
                yield node
                waiting.extend(reversed(self.children(node.id)))

    @cached_property
    def reading_order(self) -> tuple[Node, ...]:
        """The nodes as they are read; those that do not hang on the target come last."""
        found = tuple(self.beneath(TARGET))
        there = {node.id for node in found}
        return found + tuple(node for node in self.nodes if node.id not in there)
