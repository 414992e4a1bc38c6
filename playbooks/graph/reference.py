"""The tables of docs/playbooks.md, made of those that editor, validator and engine use, so that they cannot differ.

To print them: ``python -c "from playbooks.graph.reference import markdown; print(markdown())"``."""

from __future__ import annotations

from collections.abc import Iterable

from playbooks.graph.actions import ACTIONS, GROUPS, ActionSpec, Param
from playbooks.graph.grammar import NODE_RULES, Rule
from playbooks.graph.parameters import OPERATORS, PARAMETERS, Operator, Parameter
from playbooks.graph.words import TYPE_LABELS
from soar.connectors.capabilities import CAPABILITIES


def markdown() -> str:
    """The tables as Markdown: nodes, parameters, operators, actions."""
    return "\n".join([
        "### Nodes",
        "",
        *_table(("node", "`type`", "to the right of it", "below it"), map(_rule, NODE_RULES.items())),
        "### What a condition can ask",
        "",
        *_table(("what", "`parameter`", "asked of", "operators", "values"), map(_parameter, PARAMETERS.values())),
        "### Operators",
        "",
        *_table(("`operator`", "read as", "meaning"), map(_operator, OPERATORS.values())),
        "### Actions",
        "",
        *_table(("what", "`action`", "acts on", "settings", "undone by"), map(_action, _offered())),
    ]).rstrip() + "\n"  # fmt: skip


def _table(heads: Iterable[str], rows: Iterable[tuple[str, ...]]) -> list[str]:
    names = list(heads)
    lines = [names, ["---"] * len(names), *map(list, rows)]
    return [*(f"| {' | '.join(line)} |" for line in lines), ""]


def _rule(item: tuple[str, Rule]) -> tuple[str, ...]:
    type, rule = item
    how = "one" if rule.series else "several, in parallel"
    right = f"{_types(rule.right)}: {how}"
    return TYPE_LABELS[type], f"`{type}`", right, f"{_types(rule.below)}: one" if rule.below else ""


def _types(types: tuple[str, ...]) -> str:
    return ", ".join(TYPE_LABELS[type].lower() for type in types)


def _parameter(one: Parameter) -> tuple[str, ...]:
    values = ", ".join(f"`{choice}`" for choice in one.choices)
    told = " ".join(part for part in (f"{values}." if values else "", one.hint) if part)
    operators = ", ".join(f"`{name}`" for name in one.operators)
    return one.label, f"`{one.name}`", "each object" if one.objects else "the alert", operators, told


def _operator(one: Operator) -> tuple[str, ...]:
    return f"`{one.name}`", one.label, one.meaning


def _offered() -> list[ActionSpec]:
    """The actions, group by group."""
    return [spec for group in GROUPS for spec in ACTIONS.values() if spec.group == group]


def _action(spec: ActionSpec) -> tuple[str, ...]:
    targets = ", ".join(target.replace("_", " ") for target in spec.targets) or GROUPS[spec.group].lower()
    settings = "; ".join(map(_param, spec.params))
    undone = CAPABILITIES[spec.inverse].label if spec.inverse else ""
    return spec.label, f"`{spec.name}`", targets, settings, undone


def _param(param: Param) -> str:
    """A setting: its name, whether it is needed, what it takes, and what an empty one means."""
    limits = {
        "number": f"{param.least:,} to {param.most:,}",
        "choice": ", ".join(f"`{choice}`" for choice in param.choices),
        "long": f"at most {param.most:,} characters",
        "lines": "a list",
        "emails": "a list of addresses",
        "channels": "a list of names",
    }.get(param.form, "")
    told = ", ".join(part for part in ("required" if param.required else "", limits) if part)
    return f"`{param.name}`{f' ({told})' if told else ''}{f': {param.hint}' if param.hint else ''}".rstrip(".")
