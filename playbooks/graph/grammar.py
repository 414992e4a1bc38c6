"""Which node may follow which (response-playbooks.md, "Shape"): one table for editor, validator, engine and docs."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext as _

from playbooks.graph.model import MOST_NODES, SIDES, TARGET, Graph
from playbooks.graph.words import TYPE_LABELS, title

_ACTS = ("action", "notify")
_ELSE = ("else_if", "else_action", "notify")  # the else that tells people is a notification, as anywhere


@dataclass(frozen=True, slots=True)
class Rule:
    """What may stand to the right of a node and below it. ``series``: right takes one node, run after this one;
    otherwise several, run in parallel. Below takes one node always."""

    right: tuple[str, ...]
    below: tuple[str, ...] = ()
    series: bool = False


NODE_RULES: dict[str, Rule] = {
    "trigger": Rule(("target",), series=True),
    "target": Rule(("condition", *_ACTS)),
    "condition": Rule(_ACTS, _ELSE),
    "else_if": Rule(_ACTS, _ELSE),
    "action": Rule(_ACTS, series=True),
    "else_action": Rule(_ACTS, series=True),
    "notify": Rule(_ACTS, series=True),
}


@dataclass(frozen=True, slots=True)
class Addition:
    """A node that may be added now. ``between``: it comes between ``parent`` and what hangs there already."""

    parent: str
    side: str
    type: str
    label: str
    between: bool = False


def may_follow(type: str, side: str) -> tuple[str, ...]:
    """The types that may hang on a node of that type ("target" too) on that side; none for unknown words."""
    rule = NODE_RULES.get(type)
    if rule is None or side not in SIDES:
        return ()
    return rule.right if side == "right" else rule.below


def takes_one(type: str, side: str) -> bool:
    """Whether only one node may hang there: series to the right, an else below."""
    rule = NODE_RULES.get(type)
    return side == "below" or (rule is not None and rule.series)


def type_of(graph: Graph, id: str) -> str:
    """The type of a node, "target" for the target. Raises KeyError."""
    return TARGET if id == TARGET else graph.node(id).type


def may_be_put(graph: Graph, parent: str, side: str, type: str) -> tuple[bool, bool]:
    """Whether a new node of that type may be put there, and whether it would come between two nodes.

    A taken place takes another node only if that one can carry on with what hangs there: in a series, or an else-if
    before an else."""
    above = type_of(graph, parent)
    if type not in may_follow(above, side):
        return False, False
    taken = graph.children(parent, side)
    if not taken or not takes_one(above, side):
        return True, False
    return taken[0].type in may_follow(type, side), True


def additions(graph: Graph, id: str) -> list[Addition]:
    """What may be added to a node or "target" now, right before below, in the order of the table."""
    found: list[Addition] = []
    for side in SIDES if len(graph.nodes) < MOST_NODES else ():
        for type in may_follow(type_of(graph, id), side):
            legal, between = may_be_put(graph, id, side, type)
            if legal:
                found.append(Addition(id, side, type, label(graph, id, side, (type,)), between))
    return found


def label(graph: Graph, id: str, side: str, types: tuple[str, ...]) -> str:
    """Says exactly what is added where: "Add a parallel condition or action after the target"."""
    above = type_of(graph, id)
    names = [TYPE_LABELS[type].lower() for type in types]
    what = " or ".join([*([", ".join(names[:-1])] if len(names) > 1 else []), names[-1]])
    article = "an" if what[0] in "aeiou" else "a"
    if side == "below":
        return _("Add %(article)s %(what)s below %(title)s") % {
            "article": article,
            "what": what,
            "title": title(graph, id),
        }
    if takes_one(above, side):
        between = graph.children(id, side)
        before = f" and before {title(graph, between[0].id)}" if between else ""
        return _("Add %(article)s %(what)s after %(title)s%(before)s") % {
            "article": article,
            "what": what,
            "title": title(graph, id),
            "before": before,
        }
    return _("Add a parallel %(what)s after %(title)s") % {"what": what, "title": title(graph, id)}
