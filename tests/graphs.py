"""Graphs of response playbooks for tests, in few words."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from playbooks.graph.actions import ACTIONS
from playbooks.graph.conditions import Facts, Object
from playbooks.graph.model import RISKS
from playbooks.graph.schema import ActionUse, ApprovalUse, Graph, Node, OpenIncident, Row, Target
from playbooks.graph.validate import ScriptFacts, World

NOON = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)  # a Wednesday


def row(parameter: str, operator: str, *values: str) -> Row:
    return Row(parameter, operator, values)


def condition(id: str, *rows: Row, parent: str = "target", **fields: Any) -> Node:
    return Node(id, "condition", parent, "right", conditions=rows, **fields)


def else_if(id: str, parent: str, *rows: Row, **fields: Any) -> Node:
    return Node(id, "else_if", parent, "below", conditions=rows, **fields)


def action(id: str, parent: str, *names: str, **fields: Any) -> Node:
    """An action node; responses act on everything unless ``risk`` says otherwise."""
    uses = tuple(ActionUse(name, good_params(name)) for name in names)
    fields.setdefault("risk", RISKS)
    return Node(id, "action", parent, "right", actions=fields.pop("actions", uses), **fields)


def else_action(id: str, parent: str, *names: str, **fields: Any) -> Node:
    uses = tuple(ActionUse(name, good_params(name)) for name in names)
    fields.setdefault("risk", RISKS)
    return Node(id, "else_action", parent, "below", actions=uses, **fields)


def notify(id: str, parent: str, *names: str, **fields: Any) -> Node:
    uses = tuple(ActionUse(name, good_params(name)) for name in names or ("email",))
    side = fields.pop("side", "right")
    return Node(id, "notify", parent, side, actions=fields.pop("actions", uses), **fields)


def good_params(name: str) -> dict[str, Any]:
    """Settings with which an action has nothing wrong in ``good_world()``."""
    params: dict[str, dict[str, Any]] = {
        "run_script": {"script": "collect.ps1"},
        "set_severity": {"severity": "high"},
        "set_status": {"status": "in_progress"},
        "assign": {"owner": "ada"},
        "tag": {"tags": ["seen"]},
        "add_tasks": {"template": "Phishing"},
        "comment": {"text": "Look at this."},
        "run_playbook": {"playbook": "enrich"},
        "email": {"recipients": ["soc@example.org"]},
        "channel": {"channels": ["#soc"]},
        "ticket": {"profile": "Security"},
    }
    return params.get(name, {})


def graph(*nodes: Node, **fields: Any) -> Graph:
    """A graph that takes alerts of severity high and filters by risk."""
    fields.setdefault("name", "Host with malware")
    fields.setdefault("target", Target(severities=("high",), filter_by_risk=True))
    return Graph(nodes=nodes, **fields)


def good_world(**fields: Any) -> World:
    """A portal in which everything is there."""
    there: dict[str, Any] = {
        "models": {"Ransomware note": ["high"], "Port scan": ["low"]},
        "users": {"ada", "grace"},
        "served": {spec.capability for spec in ACTIONS.values() if spec.capability},
        "channels": {"#soc"},
        "mail_ready": True,
        "scripts": {
            "collect.ps1": ScriptFacts("powershell"),
            "collect.sh": ScriptFacts("bash", ("linux",)),
            "nowhere.sh": ScriptFacts("bash"),
        },
        "templates": {"Phishing"},
        "playbooks": {"enrich": "python", "Other response": "response"},
        "delivers": True,
        "profiles": {"Security": "", "Resting": "it is disabled"},
    }
    return World(**there | fields)


def twelve() -> Graph:
    """A legal playbook of twelve nodes, as on the design's page: two conditions, an else-if, an else, series."""
    return graph(
        condition("c1", row("object_risk", "is", "highly_suspicious"), name="Highly suspicious"),
        action("a1", "c1", "block", "collect_file"),
        notify("m1", "a1", "email"),
        action("a2", "c1", "isolate_endpoint", approval=ApprovalUse(recipients=("leads@example.org",))),
        else_if("e1", "c1", row("object_risk", "is", "suspicious"), row("asset_group", "is", "Finance")),
        action("a3", "e1", "sandbox_url", "comment"),
        notify("m2", "a3", "channel"),
        else_action("x1", "e1", "tag"),
        condition("c2", row("hour_of_day", "is", "20-6")),
        action("a4", "c2", "assign", on_failure="stop"),
        action("a5", "a4", "add_tasks"),
        notify("m3", "a5", "email"),
        target=Target(("high", "critical"), filter_by_risk=True, open_incident=OpenIncident(("ada",), "malicious")),
    )


def thing(key: str, kind: str, value: str = "", **fields: Any) -> Object:
    return Object(key, kind, value=value or key, **fields)


def facts(*objects: Object, **fields: Any) -> Facts:
    fields.setdefault("severity", "high")
    fields.setdefault("when", NOON)
    return Facts(objects=list(objects), **fields)
