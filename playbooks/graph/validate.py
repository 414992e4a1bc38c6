"""Whether a graph may be saved, and whether it may be enabled (response-playbooks.md 1 to 6, 9 to 16, 19, 23)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from playbooks.graph.check_nodes import node_problems
from playbooks.graph.check_settings import playbook_problems, target_problems, trigger_problems
from playbooks.graph.check_shape import shape_problems
from playbooks.graph.model import Graph, Problem
from playbooks.graph.world import ScriptFacts, World

__all__ = ["ScriptFacts", "World", "enabling", "saving", "validate"]

NO_SOURCE = gettext_noop("Enabling needs at least one enabled source that delivers endpoint or e-mail detections.")


def validate(graph: Graph, world: World | None = None) -> list[Problem]:
    """All that is wrong with a graph: the playbook, the trigger, the target, then the nodes in reading order.

    Without ``world`` only what needs no database. Problems with ``enabling`` hinder only the switch."""
    return list(_all(graph, world))


def _all(graph: Graph, world: World | None) -> Iterator[Problem]:
    yield from playbook_problems(graph, world)
    if world is not None and not world.delivers:
        yield Problem("", "enabled", _(NO_SOURCE), enabling=True)
    yield from trigger_problems(graph.trigger)
    yield from target_problems(graph, world)
    place = {node.id: number for number, node in enumerate(graph.reading_order)}
    found = [
        *shape_problems(graph),
        *(problem for node in graph.nodes for problem in node_problems(graph, node, world)),
    ]
    yield from sorted(found, key=lambda problem: place.get(problem.node, -1))


def saving(problems: Iterable[Problem]) -> list[Problem]:
    """Those that hinder publishing."""
    return [problem for problem in problems if not problem.enabling]


def enabling(problems: Iterable[Problem]) -> list[Problem]:
    """Those that hinder only the switch."""
    return [problem for problem in problems if problem.enabling]
