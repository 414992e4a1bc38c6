"""Checks what is set in each node (response-playbooks.md 9, 10, 14, 15, 19, 23)."""

from __future__ import annotations

from collections.abc import Iterator

from django.utils.translation import gettext as _

from playbooks.graph.actions import ACTIONS
from playbooks.graph.check_actions import action_problems
from playbooks.graph.check_rows import row_problems
from playbooks.graph.check_telling import approval_problems
from playbooks.graph.model import MOST_MINUTES, ON_FAILURE, RISKS, Graph, Node, Problem
from playbooks.graph.words import CONDITIONS, TYPE_LABELS, action_label
from playbooks.graph.world import World


def node_problems(graph: Graph, node: Node, world: World | None) -> Iterator[Problem]:
    """All that is wrong within one node; where it hangs is ``check_shape``'s."""
    if not 1 <= node.deadline_minutes <= MOST_MINUTES:
        yield Problem(
            node.id,
            "deadline_minutes",
            _("Give up after 1 to %(most_minutes)s minutes.") % {"most_minutes": f"{MOST_MINUTES:,}"},
        )
    if node.on_failure not in ON_FAILURE:
        yield Problem(
            node.id,
            "on_failure",
            _("%(on_failure)s is not one of: %(known)s.")
            % {"on_failure": repr(node.on_failure), "known": ", ".join(ON_FAILURE)},
        )
    if len(node.name.splitlines()) > 1:
        yield Problem(node.id, "name", _("The name is one line."))
    if node.type in CONDITIONS:
        yield from _condition(graph, node)
    else:
        yield from _action(graph, node, world)


def _condition(graph: Graph, node: Node) -> Iterator[Problem]:
    if not node.conditions:
        yield Problem(node.id, "conditions", _("The condition has no row."))
    for number, row in enumerate(node.conditions):
        yield from row_problems(graph, node, row, f"conditions.{number}")
    for field, there in (("risk", node.risk), ("actions", node.actions), ("approval", node.approval)):
        if there:
            yield Problem(node.id, field, _("A condition has no %(field)s.") % {"field": field})


def _action(graph: Graph, node: Node, world: World | None) -> Iterator[Problem]:
    if node.conditions:
        yield Problem(
            node.id,
            "conditions",
            _("A node of type %(type_labels)s has no conditions.") % {"type_labels": TYPE_LABELS[node.type].lower()},
        )
    if not node.actions:
        yield Problem(node.id, "actions", _("The node has no action."))
    for number, use in enumerate(node.actions):
        yield from action_problems(graph, node, use, f"actions.{number}", world)
    yield from _together(node)
    yield from _risk(node)
    if node.approval is not None and node.type == "notify" and all(use.action != "ticket" for use in node.actions):
        yield Problem(
            node.id, "approval", _("Only a ServiceNow ticket waits for an approval; messages are sent without.")
        )
    elif node.approval is not None:
        yield from approval_problems(node.id, node.approval, world)


def _together(node: Node) -> Iterator[Problem]:
    """An action twice; two of which only one may be chosen (delete or quarantine a message)."""
    names: set[str] = set()
    chosen: dict[str, str] = {}
    for number, use in enumerate(node.actions):
        label, spec = action_label(use.action), ACTIONS.get(use.action)
        other = chosen.setdefault(spec.exclusive, use.action) if spec and spec.exclusive else use.action
        if use.action in names:
            yield Problem(node.id, f"actions.{number}.action", _("%(label)s is there twice.") % {"label": label})
        elif other != use.action:
            yield Problem(
                node.id,
                f"actions.{number}.action",
                _("Choose %(action_label)s or %(label)s, not both.")
                % {"action_label": action_label(other), "label": label},
            )
        names.add(use.action)


def _risk(node: Node) -> Iterator[Problem]:
    for word in node.risk:
        if word not in RISKS:
            yield Problem(
                node.id,
                "risk",
                _("%(word)s is no risk; there are: %(risks)s.") % {"word": repr(word), "risks": ", ".join(RISKS)},
            )
    responses = [use.action for use in node.actions if use.action in ACTIONS and ACTIONS[use.action].responds]
    if responses and not node.risk:
        message = _("Tick at least one risk: %(action_label)s acts on objects so rated.") % {
            "action_label": action_label(responses[0])
        }
        yield Problem(node.id, "risk", message)
