"""The words of a CACAO document: vocabularies of the standard, and commands that a person understands."""

from __future__ import annotations

from typing import Any

from playbooks.graph.actions import ACTIONS
from playbooks.graph.model import ActionUse, Graph, Node
from playbooks.graph.parameters import PARAMETERS
from playbooks.graph.stix import variable
from playbooks.graph.words import use_words

APPROVAL_HOURS = 24
_RESTRICT, _ANALYSE, _REMOVE = "restrict-access", "analyze-collected-data", "eliminate-risk"
# playbook-activity-type-ov of the standard.
_ACTIVITIES = {
    "block": _RESTRICT,
    "delete_message": _REMOVE,
    "quarantine_message": _REMOVE,
    "find_messages": "match-indicator",
    "collect_file": "identify-indicators",
    "sandbox_file": _ANALYSE,
    "sandbox_url": _ANALYSE,
    "terminate_process": _REMOVE,
    "disable_account": _RESTRICT,
    "sign_out": _RESTRICT,
    "reset_password": _RESTRICT,
    "isolate_container": "disconnect-system",
    "terminate_container": _REMOVE,
    "revoke_cloud_access": _RESTRICT,
    "isolate_endpoint": "disconnect-system",
    "run_script": "configure-systems",
    "scan_endpoint": "scan-system",
    "comment": "compose-content",
    "email": "deliver-content",
    "channel": "deliver-content",
    "ticket": "deliver-content",
}
_INVESTIGATES = ("find_messages", "collect_file", "sandbox_file", "sandbox_url", "scan_endpoint")


def activity(action: str) -> str:
    """What an action is for, as a word of the standard; those of the case are steps of the handling."""
    return _ACTIVITIES.get(action, "step-sequence")


def _used(graph: Graph) -> list[str]:
    return list(dict.fromkeys(use.action for node in graph.reading_order for use in node.actions))


def activities(graph: Graph) -> list[str]:
    """What the playbook does, each once."""
    found = [activity(action) for action in _used(graph)]
    opening = graph.target.open_incident
    found += ["step-sequence"] if opening or not found else []
    return list(dict.fromkeys([*found, *(["deliver-content"] if opening and opening.ticket_profile else [])]))


def kinds(graph: Graph) -> list[str]:
    """What the playbook is for: playbook-type-ov."""
    specs = [ACTIONS[name] for name in _used(graph) if name in ACTIONS]
    found = {
        "mitigation": any(spec.destructive for spec in specs),
        "investigation": any(spec.name in _INVESTIGATES for spec in specs),
        "notification": any(spec.group == "notify" for spec in specs),
    }
    return [kind for kind, there in found.items() if there] or ["engagement"]


def variables(graph: Graph) -> dict[str, Any]:
    """What the conditions ask of, given by whoever starts the playbook."""
    asked = {"severity", *(["model"] if graph.target.models else [])}
    asked |= {row.parameter for node in graph.nodes for row in node.conditions}
    return {
        variable(name): {"type": "string", "description": parameter.label, "external": True}
        for name, parameter in PARAMETERS.items()
        if name in asked
    }


def agent(which: str) -> dict[str, Any]:
    """Who acts: the portal with its connectors, or people who approve."""
    if which == "approvers":
        return {"type": "group", "name": "Approvers", "description": "People who may decide on response actions."}
    text = "Acts on each object through the connector that is set up for it."
    return {"type": "security-category", "name": "Soar", "description": text, "category": ["orchestrator"]}


def command_text(node: Node, use: ActionUse) -> str:
    """What to do, and on what."""
    spec = ACTIONS.get(use.action)
    if spec is None or not spec.responds:
        return use_words(use)
    what = " or ".join(kind.replace("_", " ") for kind in spec.targets)
    rated = " or ".join(risk.replace("_", " ") for risk in node.risk)
    return f"{use_words(use)}: each {what} that is rated {rated}"


def approval_text(node: Node) -> str:
    """What is asked of the approvers."""
    people = "Two different people decide" if node.approval and node.approval.two_people else "Decide"
    what = "; ".join(command_text(node, use) for use in node.actions)
    return f"{people} within {APPROVAL_HOURS} hours whether this may be done: {what}"
