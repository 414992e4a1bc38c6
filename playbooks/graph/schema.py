"""The door to a playbook's graph: read it from JSON, write it as JSON, begin a new one (rulings 13)."""

from __future__ import annotations

from typing import Any

from playbooks.graph.model import (
    MOST_NODES,
    MOST_OWNERS,
    MOST_PERIODS,
    RISKS,
    TARGET,
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
from playbooks.graph.reading import read

__all__ = [
    "MOST_NODES", "MOST_OWNERS", "MOST_PERIODS", "RISKS", "TARGET", "TYPES", "ActionUse", "ApprovalUse", "Graph",
    "Node", "OpenIncident", "Period", "Problem", "Row", "Target", "Trigger", "blank", "read", "write",
]  # fmt: skip


def blank(name: str) -> Graph:
    """A new playbook: automatic or manual, alerts of severity high and critical, no nodes."""
    return Graph(name=name, target=Target(severities=("high", "critical")))


def write(graph: Graph) -> dict[str, Any]:
    """The canonical JSON: every key is there, so that equal graphs have equal JSON; ``read`` gives the graph back."""
    return {
        "name": graph.name,
        "description": graph.description,
        "trigger": {
            "type": graph.trigger.type,
            "periods": [{"days": list(p.days), "from": p.start, "to": p.end} for p in graph.trigger.periods],
            "time_zone": graph.trigger.time_zone,
        },
        "target": {
            "severities": list(graph.target.severities),
            "models": list(graph.target.models),
            "filter_by_risk": graph.target.filter_by_risk,
            "open_incident": _open_incident(graph.target.open_incident),
        },
        "nodes": [write_node(node) for node in graph.nodes],
    }


def write_node(node: Node) -> dict[str, Any]:
    """The JSON of one node."""
    return {
        "id": node.id,
        "type": node.type,
        "parent": node.parent,
        "side": node.side,
        "name": node.name,
        "conditions": [
            {"parameter": row.parameter, "operator": row.operator, "values": list(row.values)}
            for row in node.conditions
        ],
        "risk": list(node.risk),
        "actions": [{"action": use.action, "params": _copied(use.params)} for use in node.actions],
        "approval": _approval(node.approval),
        "on_failure": node.on_failure,
        "deadline_minutes": node.deadline_minutes,
    }


def _copied(params: dict[str, Any]) -> dict[str, Any]:
    """The settings, so that a change of the JSON does not reach the graph."""
    return {name: list(value) if isinstance(value, list | tuple) else value for name, value in params.items()}


def _open_incident(use: OpenIncident | None) -> dict[str, Any] | None:
    if use is None:
        return None
    closing = {"determination": use.close_with} if use.close_with else None
    return {"owners": list(use.owners), "close_on_success": closing, "ticket_profile": use.ticket_profile or None}


def _approval(use: ApprovalUse | None) -> dict[str, Any] | None:
    if use is None:
        return None
    return {
        "method": use.method,
        "subject_prefix": use.subject_prefix,
        "recipients": list(use.recipients),
        "channels": list(use.channels),
        "two_people": use.two_people,
    }
