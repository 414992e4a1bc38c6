"""How nodes are called in drawings and sentences."""

from __future__ import annotations

from playbooks.graph.actions import ACTIONS
from playbooks.graph.model import TARGET, Graph, Node, Row
from playbooks.graph.parameters import OPERATORS, PARAMETERS, value_label

TYPE_LABELS = {
    "trigger": "Trigger",
    "target": "Target",
    "condition": "Condition",
    "else_if": "Else-if condition",
    "action": "Action",
    "else_action": "Else action",
    "notify": "Notification",
}
CONDITIONS = ("condition", "else_if")
DEEDS = ("action", "else_action")


def title(graph: Graph, id: str) -> str:
    """A node's name for sentences and drawings; "the target" for the target."""
    return "the target" if id == TARGET else name_of(graph.node(id))


def name_of(node: Node) -> str:
    """The name that the author gave, or one made of what the node does."""
    if node.name.strip():
        return node.name.strip()
    if node.type in CONDITIONS:
        return row_words(node.conditions[0]) if node.conditions else TYPE_LABELS[node.type]
    labels = [action_label(use.action) for use in node.actions[:2]]
    return " and ".join([labels[0], *(label[:1].lower() + label[1:] for label in labels[1:])]) if labels else (
        TYPE_LABELS[node.type]
    )  # fmt: skip


def action_label(name: str) -> str:
    """The label of an action; its own word if there is none."""
    return ACTIONS[name].label if name in ACTIONS else name


def row_words(row: Row) -> str:
    """A row of a condition as words: "Asset group is Finance or Payroll"."""
    parameter = PARAMETERS[row.parameter].label if row.parameter in PARAMETERS else row.parameter
    operator = OPERATORS[row.operator].label if row.operator in OPERATORS else row.operator
    return f"{parameter} {operator} {' or '.join(value_label(row.parameter, value) for value in row.values)}".strip()
