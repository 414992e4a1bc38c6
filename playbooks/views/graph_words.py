"""Nodes in words and signs: what a box of the drawing says."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext as _

from playbooks.graph.actions import ACTIONS, SEVERITIES
from playbooks.graph.model import TARGET, Graph, Node
from playbooks.graph.parameters import PARAMETERS
from playbooks.graph.words import TYPE_LABELS, name_of

ICONS = {"trigger": "bolt", TARGET: "target", "condition": "cond", "else_if": "cond", "notify": "notify"}
CASE_ICONS = {"tag": "tag", "assign": "users", "comment": "note", "add_tasks": "task", "run_playbook": "playbooks"}


@dataclass(frozen=True, slots=True)
class About:
    """A node in words: its kind, its name, one line of facts, its sign."""

    kind: str
    name: str
    line: str
    icon: str


def about(graph: Graph, id: str) -> About:
    """The words of a node, "trigger" or "target". Raises KeyError."""
    if id == "trigger":
        manual = graph.trigger.type == "manual"
        line = _("By hand only") if manual else _("Automatic or manual")
        if graph.trigger.periods and not manual:
            line = _("Only in its periods")
        return About(_(TYPE_LABELS[id]), _("By hand") if manual else _("New alert"), line, ICONS[id])
    if id == TARGET:
        return About(_(TYPE_LABELS[id]), severities(graph.target.severities), _target_line(graph), ICONS[id])
    node = graph.node(id)
    return About(_(TYPE_LABELS[node.type]), name_of(node), line_of(node), icon_of(node))


def severities(chosen: tuple[str, ...]) -> str:
    """ "High or above", "Any alert", "Low, critical"."""
    wanted = [word for word in SEVERITIES if word in chosen]
    if not wanted:
        return _("No severity chosen")
    if len(wanted) == len(SEVERITIES):
        return _("Any alert")
    if wanted == list(SEVERITIES[-len(wanted) :]) and len(wanted) > 1:
        return _("%s or above") % wanted[0].capitalize()
    return ", ".join(wanted).capitalize()


def _target_line(graph: Graph) -> str:
    pieces = []
    if graph.target.models:
        pieces.append(_("%d models") % len(graph.target.models) if len(graph.target.models) > 1 else _("1 model"))
    if graph.target.open_incident is not None:
        pieces.append(_("Opens an incident"))
    elif graph.target.filter_by_risk:
        pieces.append(_("Filters by risk"))
    return ", ".join(pieces) or _("Opens no incident")


def line_of(node: Node) -> str:
    """What it compares, or does."""
    if node.type in ("condition", "else_if"):
        return parameters_of(node) or _("No row yet")
    if node.approval is not None:
        return _("Asks two people first") if node.approval.two_people else _("Asks for approval")
    return ", ".join(action_label(use.action) for use in node.actions) or _("Nothing chosen yet")


def parameters_of(node: Node) -> str:
    """What its rows ask for: "Object risk, Asset group"."""
    labels = [parameter_label(row.parameter) for row in node.conditions]
    return ", ".join(dict.fromkeys(labels))


def parameter_label(name: str) -> str:
    """A parameter as people read it."""
    return _(PARAMETERS[name].label) if name in PARAMETERS else name


def action_label(name: str) -> str:
    """An action as people read it."""
    return _(ACTIONS[name].label) if name in ACTIONS else name


def icon_of(node: Node) -> str:
    """The sign of a node."""
    if node.type in ICONS:
        channel = any(use.action == "email" for use in node.actions)
        return "mail" if node.type == "notify" and channel else ICONS[node.type]
    first = node.actions[0].action if node.actions else ""
    return CASE_ICONS.get(first, "edit" if first in ACTIONS and ACTIONS[first].group == "case" else "shield")
