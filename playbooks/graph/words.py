"""How nodes are called in drawings and sentences."""

from __future__ import annotations

from django.utils.translation import gettext_noop as _

from playbooks.graph.actions import ACTIONS
from playbooks.graph.model import TARGET, ActionUse, Graph, Node, Row
from playbooks.graph.parameters import OPERATORS, PARAMETERS

TYPE_LABELS = {
    "trigger": _("Trigger"),
    "target": _("Target"),
    "condition": _("Condition"),
    "else_if": _("Else-if condition"),
    "action": _("Action"),
    "else_action": _("Else action"),
    "notify": _("Notification"),
}
CONDITIONS = ("condition", "else_if")


def title(graph: Graph, id: str) -> str:
    """What a node is called within a sentence: its name, "the target", "the condition “Severity is high”"."""
    if id == TARGET:
        return "the target"
    node, name = graph.node(id), name_of(graph.node(id))
    if node.name.strip() or (node.actions and node.type not in CONDITIONS):
        return name
    what = f"the {TYPE_LABELS[node.type].lower()}"
    return what if name == TYPE_LABELS[node.type] else f"{what} “{name}”"


def sentence(text: str) -> str:
    """The text with a capital letter at its beginning."""
    return text[:1].upper() + text[1:]


def name_of(node: Node) -> str:
    """The name that the author gave, or one made of what the node does."""
    if node.name.strip():
        return node.name.strip()
    if node.type in CONDITIONS:
        return row_words(node.conditions[0]) if node.conditions else TYPE_LABELS[node.type]
    labels = [action_label(use.action) for use in node.actions[:2]]
    if not labels:
        return TYPE_LABELS[node.type]
    return " and ".join([labels[0], *(label[:1].lower() + label[1:] for label in labels[1:])])


def action_label(name: str) -> str:
    """The label of an action; its own word if there is none."""
    return ACTIONS[name].label if name in ACTIONS else name


def row_words(row: Row) -> str:
    """A row of a condition as words: "Asset group is Finance or Payroll"."""
    known = PARAMETERS.get(row.parameter)
    parameter = known.label if known else row.parameter
    operator = OPERATORS[row.operator].label if row.operator in OPERATORS else row.operator
    values = [value.replace("_", " ") if known and value in known.choices else value for value in row.values]
    return f"{parameter} {operator} {' or '.join(values)}".strip()


def use_words(use: ActionUse) -> str:
    """An action with its settings: "Add to block list (Days until it expires: 30)"."""
    spec = ACTIONS.get(use.action)
    told = []
    for name, value in use.params.items():
        param = spec.param(name) if spec else None
        text = ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
        if text.strip():
            told.append(f"{param.label if param else name}: {text}")
    return f"{action_label(use.action)} ({'; '.join(told)})" if told else action_label(use.action)
