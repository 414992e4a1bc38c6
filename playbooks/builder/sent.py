"""From what a form sent to the JSON of a part of the graph (rulings 13). Nothing is judged here: ``graph.read`` and
``graph.validate`` say what is wrong with it, in the same words as for the API."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import QueryDict

from playbooks.builder.fields import from_lines
from playbooks.graph.actions import ACTIONS, ActionSpec, Param
from playbooks.graph.model import DAYS, MOST_PERIODS, TARGET
from playbooks.graph.parameters import PARAMETERS

Json = dict[str, Any]
MOST_ROWS = 60  # read from a form at most; more than that is no person's work


Sent = QueryDict


def apply(document: Json, part: str, sent: Sent) -> Json:
    """``document`` (a graph's JSON) with one part as the form has it. ``part``: playbook, trigger, target or the id of
    a node. ``do`` in the form may ask for one row more or less. Raises KeyError for a node that is not there."""
    changed = {**document}
    if part == "playbook":
        changed |= {name: sent.get(name, "") for name in ("name", "description")}
    elif part in _PARTS:
        changed[part] = _PARTS[part](sent)
    else:
        if all(node["id"] != part for node in document["nodes"]):
            raise KeyError(part)
        changed["nodes"] = [node if node["id"] != part else _node(node, sent) for node in document["nodes"]]
    return changed


def trigger(sent: Sent) -> Json:
    """Type, periods and time zone; ``do`` is period-add or period-remove-N."""
    periods = [
        {"days": [day for day in DAYS if f"periods.{n}.{day}" in sent],
         "from": sent.get(f"periods.{n}.from", ""), "to": sent.get(f"periods.{n}.to", "")}
        for n in range(min(MOST_ROWS, _count(sent, "periods")))
    ]  # fmt: skip
    do = sent.get("do", "")
    if do == "period-add" and len(periods) <= MOST_PERIODS:
        periods.append({"days": list(DAYS[:5]), "from": "08:00", "to": "18:00"})
    periods = _without(periods, do, "period-remove-")
    return {"type": sent.get("type", "automatic"), "periods": periods, "time_zone": sent.get("time_zone", "").strip()}


def target(sent: Sent) -> Json:
    """Severities, models, risk, incident. Lists with a search carry what is chosen (``models``), what is ticked to be
    added (``models.add``) and to be taken out (``models.drop``)."""
    incident = None
    if "incident.on" in sent:
        closing = {"determination": sent.get("incident.determination", "")} if "incident.close" in sent else None
        sending = sent.get("incident.profile", "") if "incident.send" in sent else None
        incident = {"owners": picked(sent, "owners"), "close_on_success": closing, "ticket_profile": sending}
    return {
        "severities": sent.getlist("severities"),
        "models": picked(sent, "models"),
        "filter_by_risk": "filter_by_risk" in sent,
        "open_incident": incident,
    }


def picked(sent: Sent, name: str) -> list[str]:
    """What a list with a search has chosen now."""
    dropped = set(sent.getlist(f"{name}.drop"))
    chosen = [value for value in sent.getlist(name) if value not in dropped]
    return list(dict.fromkeys([*chosen, *sent.getlist(f"{name}.add")]))


def _node(node: Json, sent: Sent) -> Json:
    head = {**node, "name": sent.get("name", "").strip()}
    if node["type"] in ("condition", "else_if"):
        return head | {"conditions": _rows(sent)}
    return head | {
        "risk": sent.getlist("risk"),
        "actions": [{"action": spec.name, "params": _params(spec, sent)} for spec in _chosen(node["type"], sent)],
        "approval": _approval(sent) if "approval.on" in sent else None,
        "on_failure": "stop" if "stop" in sent else "continue",
        **_deadline(sent),
    }


def _deadline(sent: Sent) -> Json:
    """A notification's form does not ask for it: then what the node has stays."""
    return {"deadline_minutes": _number(sent.get("deadline_minutes", ""))} if "deadline_minutes" in sent else {}


def _rows(sent: Sent) -> list[Json]:
    rows = [_row(sent, number) for number in range(min(MOST_ROWS, _count(sent, "conditions")))]
    do = sent.get("do", "")
    if do == "row-add":
        rows.append({"parameter": "", "operator": "is", "values": []})
    return _without(rows, do, "row-remove-")


def _row(sent: Sent, number: int) -> Json:
    """One row. A parameter with fixed words has ticks, every other one a box with one value a line."""
    at = f"conditions.{number}"
    parameter, operator = sent.get(f"{at}.parameter", ""), sent.get(f"{at}.operator", "is")
    known = PARAMETERS.get(parameter)
    if known is not None and operator not in known.operators:
        operator = known.operators[0]
    if sent.get(f"{at}.was", "") != parameter:  # the values of another parameter mean nothing for this one
        values: list[str] = []
    elif known is not None and known.choices:
        values = sent.getlist(f"{at}.ticked")
    else:
        values = from_lines(sent.get(f"{at}.values", ""))
    return {"parameter": parameter, "operator": operator, "values": values}


def _chosen(type: str, sent: Sent) -> list[ActionSpec]:
    """The actions that are ticked, in the order of the table; of those that exclude one another the chosen one."""
    ticked = set(sent.getlist("action"))
    ticked |= {sent.get(f"only.{spec.exclusive}", "") for spec in ACTIONS.values() if spec.exclusive}
    return [spec for spec in ACTIONS.values() if spec.name in ticked and (spec.group == "notify") == (type == "notify")]


def _params(spec: ActionSpec, sent: Sent) -> Json:
    values = {param.name: _value(param, f"{spec.name}.{param.name}", sent) for param in spec.params}
    before = sent.get(f"{spec.name}.profile.was")
    if before is not None and before != values.get("profile"):  # another ticket profile brings its own settings
        return {"profile": values["profile"]} if values.get("profile") else {}
    loaded = {name for name in values if values[name] == sent.get(f"{spec.name}.{name}.loaded")}
    return {name: value for name, value in values.items() if value not in ("", None, []) and name not in loaded}


def _value(param: Param, name: str, sent: Sent) -> Any:
    if param.form == "channels":
        return sent.getlist(name)
    text: str = sent.get(name, "")
    if param.is_list:
        return from_lines(text, commas=True)
    if param.form == "number":
        return _number(text)
    # A prefix is used exactly as it was typed, its spaces too (response-playbooks.md 19).
    return text if param.form == "long" or param.name == "subject_prefix" else text.strip()


def _approval(sent: Sent) -> Json:
    return {
        "method": sent.get("approval.method", "email"),
        "subject_prefix": sent.get("approval.subject_prefix", ""),
        "recipients": from_lines(sent.get("approval.recipients", ""), commas=True),
        "channels": sent.getlist("approval.channels"),
        "two_people": "approval.two_people" in sent,
    }


def _number(text: str) -> int | str:
    """A number if it is one; else the text, so that what reads the graph can say that it is none."""
    clean = text.strip()
    return int(clean) if clean.isascii() and clean.lstrip("-").isdigit() and len(clean) < 10 else clean


def _count(sent: Sent, name: str) -> int:
    text = sent.get(f"{name}.count", "0")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 4 else 0


def _without(rows: list[Json], do: str, prefix: str) -> list[Json]:
    number = do.removeprefix(prefix) if do.startswith(prefix) else ""
    return [row for at, row in enumerate(rows) if str(at) != number]


_PARTS: dict[str, Callable[[Sent], Json]] = {"trigger": trigger, TARGET: target}
