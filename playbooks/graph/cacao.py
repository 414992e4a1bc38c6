"""A response playbook as OASIS CACAO Security Playbooks 2.0 (response-playbooks.md 31).

Each node becomes a step; several that run in parallel hang on a parallel step, and each branch has an end of its own,
as the standard asks. A node that asks for approval has a step of the approvers before it. Commands are of type manual:
the standard has no command for "ask the connector that is set up"."""

from __future__ import annotations

import hashlib
import uuid
from datetime import UTC, datetime
from typing import Any

from playbooks.graph.cacao_words import activities, activity, agent, approval_text, command_text, kinds, variables
from playbooks.graph.model import TARGET, Graph, Node
from playbooks.graph.stix import expression, of_target
from playbooks.graph.words import CONDITIONS, name_of

Step = dict[str, Any]
MINUTE = 60_000  # the standard counts in milliseconds


def cacao(
    graph: Graph, *, id: uuid.UUID | str, created_by: uuid.UUID | str, created: datetime, modified: datetime
) -> dict[str, Any]:
    """The playbook as a CACAO document, for a graph without problems.

    ``id``: the playbook's UUID, ``created_by`` that of an identity (both of version 1 to 5); times are aware.
    Ids of steps are made of ``id`` and the node's id, so that two exports of one graph are equal."""
    flow = _Flow(graph, str(id))
    start = flow.build()
    return {
        "type": "playbook",
        "spec_version": "cacao-2.0",
        "id": f"playbook--{id}",
        "name": graph.name,
        "description": graph.description or graph.name,
        "playbook_types": kinds(graph),
        "playbook_activities": activities(graph),
        "playbook_processing_summary": {
            "parallel_processing": any(step["type"] == "parallel" for step in flow.steps.values()),
            "if_logic": True,
            "temporal_logic": any("timeout" in step for step in flow.steps.values()),
        },
        "created_by": f"identity--{created_by}",
        "created": _time(created),
        "modified": _time(modified),
        "playbook_variables": variables(graph),
        "workflow_start": start,
        "workflow": flow.steps,
        "agent_definitions": flow.agents,
    }


def _time(when: datetime) -> str:
    """To the millisecond, in UTC."""
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{when.microsecond // 1000:03d}Z"


class _Flow:
    """Builds the steps, from the end of each branch to its beginning."""

    def __init__(self, graph: Graph, seed: str) -> None:
        self.graph, self.seed = graph, seed
        self.steps: dict[str, Step] = {}
        self.agents: dict[str, dict[str, Any]] = {}

    def build(self) -> str:
        """All steps; the id of the start."""
        end = self._end("end")
        inner_end = self._end("target-end")
        branch = self._parallel(TARGET, inner_end)
        incident = self.graph.target.open_incident
        if incident is not None:
            text = "Open an incident for the alert, unless it has one, when the first action is about to run."
            commands = [(text, "step-sequence")]
            if incident.ticket_profile:
                text = f"Send it to ServiceNow by the ticket profile {incident.ticket_profile}; the two are kept equal."
                commands.append((text, "deliver-content"))
            branch = self._command("incident", "Open an incident", commands, "soar", branch)
        asks = self._step("if-condition", "target", {
            "name": "Target",
            "condition": of_target(self.graph.target),
            "on_true": branch,
            "on_completion": end,
        })  # fmt: skip
        return self._step("start", "start", {"name": self._trigger(), "on_completion": asks})

    def _trigger(self) -> str:
        return "New alert" if self.graph.trigger.type == "automatic" else "Started by hand"

    def _id(self, type: str, what: str) -> str:
        """The id of a step: a UUID of version 4 in form, made of the playbook's id and what the step is."""
        digest = hashlib.sha256(f"{self.seed}/{type}/{what}".encode()).digest()
        return f"{type}--{uuid.UUID(bytes=digest[:16], version=4)}"

    def _step(self, type: str, what: str, fields: Step) -> str:
        id = self._id(type, what)
        self.steps[id] = {"type": type, **fields}
        return id

    def _end(self, what: str) -> str:
        return self._step("end", what, {})

    def _agent(self, which: str) -> str:
        """The id of the one who acts: the portal, or the approvers."""
        fields = agent(which)
        id = self._id(fields["type"], which)
        self.agents[id] = fields
        return id

    def _parallel(self, parent: str, end: str) -> str:
        """The first step of what hangs to the right of a node: a branch, several in parallel, or just the end."""
        children = self.graph.children(parent, "right")
        if not children:
            return end
        if len(children) == 1:
            return self._node(children[0], end)
        branches = [self._node(child, self._end(f"{child.id}-branch-end")) for child in children]
        return self._step("parallel", f"{parent}-parallel", {"next_steps": branches, "on_completion": end})

    def _node(self, node: Node, end: str) -> str:
        return self._condition(node, end) if node.type in CONDITIONS else self._series(node, end)

    def _condition(self, node: Node, end: str) -> str:
        fields = {
            "name": name_of(node),
            "condition": expression(node.conditions),
            "on_true": self._parallel(node.id, self._end(f"{node.id}-true-end")),
            "on_completion": end,
        }
        below = self.graph.children(node.id, "below")
        if below:
            fields["on_false"] = self._node(below[0], self._end(f"{node.id}-false-end"))
        return self._step("if-condition", node.id, fields)

    def _series(self, first: Node, end: str) -> str:
        """A chain of actions; after a failure that stops it only notifications are left (rulings 3)."""
        chain = [first]
        while self.graph.children(chain[-1].id, "right"):
            chain.append(self.graph.children(chain[-1].id, "right")[0])
        following, telling = end, end
        for node in reversed(chain):
            failing = telling if node.on_failure == "stop" else following
            step = self._action(node, following, failing)
            following = self._asked(node, step, failing) if node.approval is not None else step
            telling = step if node.type == "notify" else telling
        return following

    def _action(self, node: Node, following: str, failing: str) -> str:
        commands = [(command_text(node, use), activity(use.action)) for use in node.actions]
        failing = "" if failing == following else failing
        return self._command(node.id, name_of(node), commands, "soar", following, failing, node.deadline_minutes)

    def _asked(self, node: Node, step: str, failing: str) -> str:
        commands, name = [(approval_text(node), "")], f"Approve: {name_of(node)}"
        return self._command(f"{node.id}-approval", name, commands, "approvers", step, failing)

    def _command(
        self, what: str, name: str, commands: list[tuple[str, str]], by: str, following: str, failing: str = "",
        minutes: int = 0,
    ) -> str:  # fmt: skip
        """An action step. Without ``failing`` it goes on however it ended."""
        written = [
            {"type": "manual", "command": text, **({"playbook_activity": what_for} if what_for else {})}
            for text, what_for in commands
        ]
        way = {"on_success": following, "on_failure": failing} if failing else {"on_completion": following}
        fields = {"name": name, "commands": written, "agent": self._agent(by), **way}
        return self._step("action", what, fields | ({"timeout": minutes * MINUTE} if minutes else {}))
