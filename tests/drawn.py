"""Response playbooks for tests: graphs as JSON (rulings 13), saved as an author does it."""

from __future__ import annotations

from typing import Any

from cases.actors import Actor
from playbooks.actions import enable, graphs, publishing
from playbooks.graph.schema import read
from playbooks.models import Playbook
from soar.accounts.models import User

Json = dict[str, Any]


def condition(id: str, parameter: str, *values: str, operator: str = "is", **more: Any) -> Json:
    """A condition to the right of the target with one row."""
    rows = [{"parameter": parameter, "operator": operator, "values": list(values)}]
    return {"id": id, "type": "condition", "parent": "target", "side": "right", "conditions": rows, **more}


def action(id: str, *names: str, parent: str = "target", risk: tuple[str, ...] = (), **more: Any) -> Json:
    """An action node: ``params`` by action in ``more["params"]``."""
    params = more.pop("params", {})
    uses = [{"action": name, "params": params.get(name, {})} for name in names]
    return {"id": id, "type": "action", "parent": parent, "side": "right", "actions": uses, "risk": list(risk), **more}


def tag(id: str, text: str, parent: str = "target", **more: Any) -> Json:
    """An action node that adds a tag."""
    return action(id, "tag", parent=parent, params={"tag": {"tags": [text]}}, **more)


def graph(name: str = "Contain", *nodes: Json, **more: Any) -> Json:
    """A whole playbook for alerts of severity high and critical."""
    target = {"severities": ["high", "critical"], "models": [], "filter_by_risk": False, "open_incident": None}
    return {
        "name": name,
        "description": more.pop("description", ""),
        "trigger": more.pop("trigger", {"type": "automatic", "periods": [], "time_zone": "UTC"}),
        "target": {**target, **more.pop("target", {})},
        "nodes": list(nodes),
    }


def drawn(author: User, document: Json) -> Playbook:
    """The playbook with this draft."""
    return graphs.create(Actor.of(author), read(document)[0])


def published(author: User, document: Json, *, on: bool = False) -> Playbook:
    """The same, published, and switched on if asked for."""
    row = drawn(author, document)
    publishing.publish(Actor.of(author), row)
    if on:
        enable(Actor.of(author), row)
    row.refresh_from_db()
    return row
