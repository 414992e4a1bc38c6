"""Checks the rows of conditions against the table of parameters (response-playbooks.md 5, 9, 10)."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from django.utils.translation import gettext as _

from playbooks.graph.model import Graph, Node, Problem, Row
from playbooks.graph.parameters import OPERATORS, PARAMETERS, Parameter, address, hours, network
from playbooks.graph.words import sentence, title

MOST_MESSAGES = 5  # of the values of one row


def row_problems(graph: Graph, node: Node, row: Row, at: str) -> Iterator[Problem]:
    """Unknown words, values that mean nothing, the risk without its switch. ``at``: where the row stands."""
    known = PARAMETERS.get(row.parameter)
    if known is None:
        message = _("There is no parameter %(parameter)s; there are: %(parameters)s.") % {
            "parameter": repr(row.parameter),
            "parameters": ", ".join(PARAMETERS),
        }
        yield Problem(node.id, f"{at}.parameter", message if row.parameter else _("Choose what is asked."))
        return
    if known.name == "object_risk" and not graph.target.filter_by_risk:
        asks = sentence(title(graph, node.id))
        message = _("%(asks)s asks for the risk of objects, but the target does not filter by it: switch it on.") % {
            "asks": asks
        }
        yield Problem(node.id, f"{at}.parameter", message)
    if row.operator not in known.operators:
        yield Problem(node.id, f"{at}.operator", _operator(known, row.operator))
        return
    if not any(value.strip() for value in row.values):
        yield Problem(node.id, f"{at}.values", _("%(label)s has no value to compare with.") % {"label": _(known.label)})
    messages = (_value(known, row.operator, value) for value in row.values)
    for message in islice(filter(None, messages), MOST_MESSAGES):
        yield Problem(node.id, f"{at}.values", message)


def _operator(known: Parameter, operator: str) -> str:
    words = ", ".join(known.operators)
    what = f"be asked with {operator!r}" if operator in OPERATORS else f"be asked with {operator!r}, which is unknown"
    return _("%(label)s cannot %(what)s; choose one of: %(words)s.") % {
        "label": _(known.label),
        "what": what,
        "words": words,
    }


def _value(known: Parameter, operator: str, value: str) -> str:
    """Why a value is none, "" if it is one. An empty one among others does no harm."""
    if not value.strip():
        return ""
    if known.choices and value not in known.choices:
        return _("%(value)s is no %(label)s; there are: %(choices)s.") % {
            "value": repr(value),
            "label": _(known.label).lower(),
            "choices": ", ".join(known.choices),
        }
    if known.form == "hours" and hours(value) is None:
        return _("%(value)s is no hour of the day; write 9 or 20-6.") % {"value": repr(value)}
    if operator == "in_network" and network(value) is None:
        return _("%(value)s is no network; write 10.0.0.0/8.") % {"value": repr(value)}
    if known.form == "network" and operator in ("is", "is_not") and address(value) is None:
        hint = "use the operator in_network for networks" if network(value) else "write 10.0.0.1"
        return _("%(value)s is no IP address; %(hint)s.") % {"value": repr(value), "hint": hint}
    return ""
