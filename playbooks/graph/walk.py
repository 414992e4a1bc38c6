"""Which node is next, and with which objects: the pure brain of the engine (rulings 1 and 3).

The engine keeps a ``State``: for each node that was begun, how it was passed. ``ready`` names the nodes whose time has
come. A node that nothing reaches (a branch not taken) never becomes ready, so a run has ended when nothing is open
and nothing is ready. A key "" cannot be an object's."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from playbooks.graph.conditions import Facts, Verdict, evaluate
from playbooks.graph.model import TARGET, Graph, Node

CONDITIONS = ("condition", "else_if")


@dataclass(frozen=True, slots=True)
class Passed:
    """How a node was passed. ``status``: open (at work, or waiting), ok, failed, stopped (it did nothing, or only told
    people, because an earlier node of its series failed).

    ``right``, ``below``: the keys of the objects that went there. ``goes_right``, ``goes_below``: whether the way was
    taken at all, which it is without objects too when a condition asks only of the alert."""

    status: str
    right: tuple[str, ...] = ()
    below: tuple[str, ...] = ()
    goes_right: bool = False
    goes_below: bool = False


State = Mapping[str, Passed]
OPEN = Passed("open")


@dataclass(frozen=True, slots=True)
class Ready:
    """A node to begin. ``arriving``: the objects that reached it, possibly none (it then acts on no object, but case
    actions and notifications run). ``stopped``: an earlier node of its series failed and said stop: response and case
    nodes take no action, notifications are sent all the same."""

    node_id: str
    arriving: tuple[str, ...]
    stopped: bool = False


def passed_condition(verdict: Verdict) -> Passed:
    """How a condition was passed."""
    right = bool(verdict.true) or verdict.once is True
    below = bool(verdict.false) or verdict.once is False
    return Passed("ok", tuple(verdict.true), tuple(verdict.false), right, below)


def passed_action(ready: Ready, status: str = "ok", found: Iterable[str] = ()) -> Passed:
    """How an action or notification was passed: what reached it goes on, with the objects that it found.

    ``status``: ok or failed. A stopped series stays stopped, whatever came of its notifications."""
    keys = tuple(dict.fromkeys((*ready.arriving, *found)))
    return Passed("stopped" if ready.stopped else status, keys, goes_right=True)


def ready(graph: Graph, state: State, objects: Iterable[str]) -> list[Ready]:
    """The nodes that are not in ``state`` and whose parent is settled, in reading order. Each is named once.

    ``objects``: the keys of all objects of the alert, which the target passes on."""
    found: list[Ready] = []
    start = Passed("ok", tuple(dict.fromkeys(objects)), goes_right=True)
    waiting = [(TARGET, start, False)]
    while waiting:
        id, passed, halted = waiting.pop()
        settled = []
        for child, keys in _reached(graph, id, passed):
            there = state.get(child.id)
            if there is None:
                found.append(Ready(child.id, keys, halted))
            elif there.status != "open":
                settled.append((child.id, there, halted or halts(child, there)))
        waiting.extend(reversed(settled))
    return _in_order(graph, found)


def _reached(graph: Graph, id: str, passed: Passed) -> list[tuple[Node, tuple[str, ...]]]:
    """The children of a settled node that its way leads to, and what arrives there."""
    right = graph.children(id, "right") if passed.goes_right else ()
    below = graph.children(id, "below") if passed.goes_below else ()
    return [*((child, passed.right) for child in right), *((child, passed.below) for child in below)]


def halts(node: Node, passed: Passed) -> bool:
    """Whether what follows this node in its series takes no action (rulings 3)."""
    return passed.status == "stopped" or (passed.status == "failed" and node.on_failure == "stop")


def _in_order(graph: Graph, found: list[Ready]) -> list[Ready]:
    if len(found) < 2:
        return found
    place = {node.id: number for number, node in enumerate(graph.reading_order)}
    return sorted(found, key=lambda one: place[one.node_id])


@dataclass(frozen=True, slots=True)
class Visit:
    """A node on the way of a rehearsal; ``verdict`` of a condition, else None."""

    node: Node
    arriving: tuple[str, ...]
    verdict: Verdict | None


def trace(graph: Graph, facts: Facts) -> list[Visit]:
    """The way through the graph if everything succeeds and nothing new is found: for rehearsals and backtests.

    The same steps as ``ready`` would name, in reading order, in one go."""
    visits: list[Visit] = []
    keys = tuple(one.key for one in facts.objects)
    waiting = [(child, keys) for child in reversed(graph.children(TARGET, "right"))]
    while waiting:
        node, arriving = waiting.pop()
        visit = Visit(node, arriving, evaluate(node, facts, arriving) if node.type in CONDITIONS else None)
        visits.append(visit)
        passed = passed_condition(visit.verdict) if visit.verdict else passed_action(Ready(node.id, arriving))
        waiting.extend(reversed(_reached(graph, node.id, passed)))
    return visits
