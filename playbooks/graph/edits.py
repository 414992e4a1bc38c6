"""Changes of a graph, each giving a new one. They keep to the rules: what would be illegal is refused."""

from __future__ import annotations

from dataclasses import replace as changed

from django.utils.translation import gettext as _

from playbooks.graph.grammar import may_be_put, may_follow, takes_one, type_of
from playbooks.graph.model import MOST_NODES, Graph, Node
from playbooks.graph.words import TYPE_LABELS, title


class Illegal(ValueError):
    """An edit that would break the rules of the graph; the text is for people."""


def next_id(graph: Graph) -> str:
    """The id that ``add`` gives to the next node: "n" and a number higher than any in the graph."""
    used = [int(node.id[1:]) for node in graph.nodes if node.id[0] == "n" and node.id[1:].isdecimal()]
    return f"n{max(used, default=0) + 1}"


def add(graph: Graph, parent: str, side: str, type: str, *, before: str = "", id: str = "") -> Graph:
    """The graph with one node more, empty and with the id ``next_id(graph)`` (or ``id``).

    Parallel nodes come last, or before the sibling ``before``. In a series and below a condition the node comes between
    ``parent`` and what hangs there. Raises Illegal; KeyError for an unknown parent."""
    legal, between = may_be_put(graph, parent, side, type)
    if not legal:
        what, where = TYPE_LABELS.get(type, type).lower(), "to the right of" if side == "right" else "below"
        raise Illegal(
            _("A node of type %(what)s cannot be put %(where)s %(title)s.")
            % {"what": what, "where": where, "title": title(graph, parent)}
        )
    if len(graph.nodes) >= MOST_NODES:
        raise Illegal(_("A playbook has at most %(most_nodes)s nodes.") % {"most_nodes": MOST_NODES})
    node = Node(id=id or next_id(graph), type=type, parent=parent, side=side)
    if node.id in graph.by_id:
        raise Illegal(_("Two nodes cannot have the id %(node_id)s.") % {"node_id": repr(node.id)})
    return _put(graph, node, before, graph.children(parent, side) if between else ())


def _put(graph: Graph, node: Node, before: str, moved: tuple[Node, ...]) -> Graph:
    """``node`` put into the document; ``moved`` hang on it from now on."""
    there = {one.id for one in moved}
    nodes = [changed(one, parent=node.id) if one.id in there else one for one in graph.nodes]
    at = next((n for n, one in enumerate(nodes) if one.id == before), len(nodes))
    return _ordered(changed(graph, nodes=(*nodes[:at], node, *nodes[at:])))


def _ordered(graph: Graph) -> Graph:
    """The same graph with its nodes in reading order."""
    return changed(graph, nodes=graph.reading_order)


def remove(graph: Graph, id: str) -> Graph:
    """The graph without the node and all that hangs on it. Raises KeyError."""
    gone = {graph.node(id).id, *(node.id for node in graph.beneath(id))}
    return changed(graph, nodes=tuple(node for node in graph.nodes if node.id not in gone))


def can_lift(graph: Graph, id: str) -> bool:
    """Whether the node alone can be taken out: what follows it may hang where it hangs now."""
    node = graph.node(id)
    below, right = graph.children(id, "below"), graph.children(id, "right")
    following = below if node.side == "below" else right
    if (right and below) or not following or len(following) != len(right) + len(below):
        return False
    above = type_of(graph, node.parent)
    room = len(following) == 1 or not takes_one(above, node.side)
    return room and all(one.type in may_follow(above, node.side) for one in following)


def lift(graph: Graph, id: str) -> Graph:
    """The graph without the node; what follows it moves up. Raises Illegal if that cannot be (``can_lift``)."""
    node = graph.node(id)
    if not can_lift(graph, id):
        raise Illegal(_("What follows %(title)s cannot take its place.") % {"title": title(graph, id)})
    nodes = (
        changed(one, parent=node.parent, side=node.side) if one.parent == id else one
        for one in graph.nodes
        if one.id != id
    )
    return _ordered(changed(graph, nodes=tuple(nodes)))


def replace(graph: Graph, node: Node) -> Graph:
    """The graph with ``node`` in place of the one of its id; where it hangs stays as it was. Raises KeyError."""
    old = graph.node(node.id)
    new = changed(node, parent=old.parent, side=old.side, type=old.type)
    return changed(graph, nodes=tuple(new if one.id == new.id else one for one in graph.nodes))


def move(graph: Graph, id: str, step: int) -> Graph:
    """The graph with the node one place earlier (``step`` -1) or later (1): among its siblings, or in its series.

    At the end of its row nothing changes. Raises KeyError."""
    node = graph.node(id)
    above = type_of(graph, node.parent)
    if node.side == "right" and not takes_one(above, "right"):
        return _among_siblings(graph, node, step)
    return _in_series(graph, node, step)


def _among_siblings(graph: Graph, node: Node, step: int) -> Graph:
    row = [one.id for one in graph.children(node.parent, node.side)]
    at = row.index(node.id)
    if not 0 <= at + step < len(row):
        return graph
    other = graph.node(row[at + step])
    swapped = {node.id: other, other.id: node}
    return _ordered(changed(graph, nodes=tuple(swapped.get(one.id, one) for one in graph.nodes)))


def _in_series(graph: Graph, node: Node, step: int) -> Graph:
    """Change places with the neighbour of the series; both keep their ids, so the drawing's links stay."""
    other = graph.by_id.get(node.parent) if step < 0 else next(iter(graph.children(node.id, "right")), None)
    if other is None or {node.type, other.type} - {"action", "notify"}:
        return graph
    first, second = (other, node) if step < 0 else (node, other)
    if second.type not in may_follow(type_of(graph, first.parent), first.side):  # below a condition
        return graph
    return _ordered(changed(graph, nodes=tuple(_exchanged(one, first, second) for one in graph.nodes)))


def _exchanged(one: Node, first: Node, second: Node) -> Node:
    """``first`` -> ``second`` becomes ``second`` -> ``first``; what hung on the second hangs on the first."""
    if one.id == first.id:
        return changed(one, parent=second.id, side="right")
    if one.id == second.id:
        return changed(one, parent=first.parent, side=first.side)
    return changed(one, parent=first.id) if one.parent == second.id else one


def duplicate(graph: Graph, id: str) -> Graph:
    """The graph with a copy of the node alone, beside it or after it in its series; its id is ``next_id(graph)``.

    Raises Illegal where no second node may stand: an else."""
    node = graph.node(id)
    parallel = node.side == "right" and not takes_one(type_of(graph, node.parent), "right")
    parent, side = (node.parent, node.side) if parallel else (id, "right")
    new = next_id(graph)
    grown = add(graph, parent, side, "action" if node.type == "else_action" else node.type, id=new)
    copy = changed(node, id=new, name=f"{node.name} (copy)"[:200] if node.name else "")
    return replace(grown, copy)
