"""From JSON to a Graph (rulings 13)."""

from __future__ import annotations

import re
from typing import Any

from django.utils.translation import gettext as _

from playbooks.graph.actions import MOST_TEXT
from playbooks.graph.model import (
    DEADLINE,
    METHODS,
    MOST_NODES,
    ON_FAILURE,
    SIDES,
    TARGET,
    TRIGGERS,
    TYPES,
    ActionUse,
    ApprovalUse,
    Graph,
    Node,
    OpenIncident,
    Period,
    Problem,
    Row,
    Target,
    Trigger,
)
from playbooks.graph.reader import Reader, is_number, storable

MOST_NAME = 200
MOST_DESCRIPTION = 8000
MOST_VALUE = 2000
MOST_WORD = 60
MOST_PROFILE = 100
MOST_ROWS = 50  # of conditions, of actions in a node, of periods
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,59}\Z")
_RESERVED = (TARGET, "trigger")


def read(document: object) -> tuple[Graph, list[Problem]]:
    """The graph of a parsed JSON document, and what was wrong with the shape of it.

    Never raises. What has the wrong shape becomes a Problem; everything usable is kept. More than ``MOST_NODES``
    nodes are not looked at. Whether the graph may be saved is said by ``validate.validate``."""
    problems: list[Problem] = []
    top = Reader(document, problems)
    top.only("name", "description", "trigger", "target", "nodes")
    graph = Graph(
        name=top.text("name", MOST_NAME),
        description=top.text("description", MOST_DESCRIPTION),
        trigger=_trigger(_part(top, "trigger")),
        target=_target(_part(top, "target")),
        nodes=_nodes(top),
    )
    return graph, problems


def _part(top: Reader, name: str) -> Reader:
    """The reader of the trigger or the target; a playbook without one is not a playbook."""
    value = top.fields.get(name)
    if value is None and top.fields:
        Reader({}, top.problems, name).wrong("", _("The playbook has no %(name)s.") % {"name": name})
    return Reader({} if value is None else value, top.problems, name)


def _trigger(part: Reader) -> Trigger:
    part.only("type", "periods", "time_zone")
    periods = tuple(
        _period(part.inner(value, f"periods.{n}")) for n, value in enumerate(part.items("periods", MOST_ROWS))
    )
    return Trigger(part.word("type", TRIGGERS, "automatic"), periods, part.text("time_zone", 100, "UTC"))


def _period(part: Reader) -> Period:
    part.only("days", "from", "to")
    return Period(part.texts("days", 10), part.text("from", 10, "00:00"), part.text("to", 10, "00:00"))


def _target(part: Reader) -> Target:
    part.only("severities", "models", "filter_by_risk", "open_incident")
    return Target(
        severities=part.texts("severities", 40),
        models=part.texts("models", 300),
        filter_by_risk=part.truth("filter_by_risk"),
        open_incident=_open_incident(part.optional("open_incident")),
    )


def _open_incident(part: Reader | None) -> OpenIncident | None:
    if part is None:
        return None
    part.only("owners", "close_on_success", "ticket_profile")
    closing = part.optional("close_on_success")
    close_with = ""
    if closing is not None:
        closing.only("determination")
        close_with = closing.text("determination", 40)
        if not close_with:  # rulings 4
            closing.wrong("determination", _("Say with which determination the incident is closed."))
    if part.fields.get("ticket_profile") == "":
        part.wrong("ticket_profile", _("Choose the ticket profile by which it is sent."))
    return OpenIncident(part.texts("owners", 150), close_with, part.text("ticket_profile", MOST_PROFILE))


def _nodes(top: Reader) -> tuple[Node, ...]:
    listed = top.fields.get("nodes")
    if isinstance(listed, list) and len(listed) > MOST_NODES:
        top.wrong(
            "nodes",
            _("A playbook has at most %(most_nodes)s nodes; this one has %(count)s.")
            % {"most_nodes": MOST_NODES, "count": f"{len(listed):,}"},
        )
        return ()
    found: dict[str, Node] = {}
    for number, value in enumerate(top.items("nodes")):
        node = _node(value, top, f"nodes.{number}")
        if node is not None and node.id in found:
            Reader(value, top.problems, node.id).wrong(
                "id", _("Two nodes have the id %(node_id)s.") % {"node_id": repr(node.id)}
            )
        elif node is not None:
            found[node.id] = node
    return tuple(found.values())


def _node(value: object, top: Reader, at: str) -> Node | None:
    """One node; None if it has no usable id or type, as nothing could hang on it."""
    head = Reader(value, top.problems, "", at)
    id, type = head.fields.get("id"), head.fields.get("type")
    if not isinstance(id, str) or not _ID.match(id) or id in _RESERVED:
        head.wrong("id", _("A node's id is 1 to 60 letters, digits, - and _, and neither trigger nor target."))
        return None
    part = Reader(value, top.problems, id)
    if type not in TYPES:
        part.wrong("type", _("A node's type is one of: %(types)s.") % {"types": ", ".join(TYPES)})
        return None
    return _filled(part, id, str(type))


def _filled(part: Reader, id: str, type: str) -> Node:
    part.only(
        "id", "type", "parent", "side", "name", "conditions", "risk", "actions", "approval", "on_failure",
        "deadline_minutes",
    )  # fmt: skip
    return Node(
        id=id,
        type=type,
        parent=part.text("parent", MOST_WORD),
        side=part.word("side", SIDES, "right"),
        name=part.text("name", MOST_NAME),
        conditions=tuple(
            _row(part.inner(row, f"conditions.{n}")) for n, row in enumerate(part.items("conditions", MOST_ROWS))
        ),
        risk=part.texts("risk", 40),
        actions=tuple(_use(part.inner(use, f"actions.{n}")) for n, use in enumerate(part.items("actions", MOST_ROWS))),
        approval=_approval(part.optional("approval")),
        on_failure=part.word("on_failure", ON_FAILURE, "continue"),
        deadline_minutes=part.number("deadline_minutes", DEADLINE),
    )


def _row(part: Reader) -> Row:
    part.only("parameter", "operator", "values")
    return Row(
        part.text("parameter", MOST_WORD), part.text("operator", MOST_WORD, "is"), part.texts("values", MOST_VALUE)
    )


def _use(part: Reader) -> ActionUse:
    part.only("action", "params")
    params = part.optional("params")
    return ActionUse(part.text("action", MOST_WORD), {} if params is None else _params(params))


def _params(part: Reader) -> dict[str, Any]:
    """Texts, whole numbers and lists of texts. Null is as if it were not there."""
    found: dict[str, Any] = {}
    for name, value in part.fields.items():
        if len(name) > MOST_WORD or storable(name) != name:
            part.wrong("", _("A setting has a name that cannot be."))
        elif isinstance(value, str):
            found[name] = part.as_text(value, name, MOST_TEXT)
        elif isinstance(value, list | tuple):
            found[name] = list(part.texts(name, MOST_VALUE))
        elif is_number(value):
            found[name] = value
        elif value is not None:
            part.wrong(name, _("This must be text, a whole number or a list of texts."))
    return found


def _approval(part: Reader | None) -> ApprovalUse | None:
    if part is None:
        return None
    part.only("method", "subject_prefix", "recipients", "channels", "two_people")
    return ApprovalUse(
        method=part.word("method", METHODS, "email"),
        subject_prefix=part.text("subject_prefix", MOST_NAME),
        recipients=part.texts("recipients", 320),
        channels=part.texts("channels", 200),
        two_people=part.truth("two_people"),
    )
