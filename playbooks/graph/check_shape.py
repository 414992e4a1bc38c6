"""Checks the grammar of a graph: each node hangs where the table lets it (response-playbooks.md, "Shape")."""

from __future__ import annotations

from collections.abc import Iterator

from django.utils.translation import gettext as _

from playbooks.graph.grammar import may_follow, takes_one, type_of
from playbooks.graph.model import MOST_NODES, TARGET, Graph, Node, Problem
from playbooks.graph.words import CONDITIONS, TYPE_LABELS, sentence, title


def shape_problems(graph: Graph) -> Iterator[Problem]:
    """Wrong parents, places taken twice, circles, nodes that hang on nothing."""
    if len(graph.nodes) > MOST_NODES:
        yield Problem(
            "",
            "nodes",
            _("A playbook has at most %(most_nodes)s nodes; this one has %(count)s.")
            % {"most_nodes": MOST_NODES, "count": f"{len(graph.nodes):,}"},
        )
        return
    if graph.target.open_incident is None and all(node.type in CONDITIONS for node in graph.nodes):
        yield Problem("", "nodes", _("The playbook does nothing yet: add an action."))
    reached = {node.id for node in graph.beneath(TARGET)}
    for node in graph.nodes:
        yield from _place(graph, node)
        if node.id not in reached and _is_in_circle(graph, node):
            yield Problem(
                node.id,
                "parent",
                _("%(sentence)s follows itself: the nodes go round in a circle.")
                % {"sentence": sentence(title(graph, node.id))},
            )


def _place(graph: Graph, node: Node) -> Iterator[Problem]:
    if node.parent != TARGET and node.parent not in graph.by_id:
        there = f"hangs on {node.parent!r}, which does not exist" if node.parent else "hangs on nothing"
        yield Problem(node.id, "parent", f"{sentence(title(graph, node.id))} {there}.")
        return
    above = type_of(graph, node.parent)
    what, where = TYPE_LABELS[node.type].lower(), "to the right of" if node.side == "right" else "below"
    article = "An" if what[0] in "aeiou" else "A"
    if node.type not in may_follow(above, node.side):
        yield Problem(
            node.id,
            "parent",
            _("%(article)s %(what)s cannot stand %(where)s %(title)s.")
            % {"article": article, "what": what, "where": where, "title": title(graph, node.parent)},
        )
    elif takes_one(above, node.side):
        first = graph.children(node.parent, node.side)[0]
        if first.id != node.id:
            message = _("Only one node may stand %(where)s %(title)s, and that is %(there)s.") % {
                "where": where,
                "title": title(graph, node.parent),
                "there": title(graph, first.id),
            }
            yield Problem(node.id, "side", message)


def _is_in_circle(graph: Graph, node: Node) -> bool:
    """Whether going up from the node leads back to it."""
    seen, id = set(), node.parent
    while id in graph.by_id and id not in seen:
        if id == node.id:
            return True
        seen.add(id)
        id = graph.node(id).parent
    return False
