"""Response playbooks as OASIS CACAO Security Playbooks 2.0 (response-playbooks.md 31).

The checks here are those of the JSON schemas that OASIS gives beside the standard, and of its text, written anew by
hand: required and known properties with their types, forms of identifiers and times, vocabularies, one end for each
branch, no step that nobody leads to."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

import playbooks
from playbooks.graph.cacao import cacao
from playbooks.graph.model import RISKS
from playbooks.graph.schema import Graph, OpenIncident, Target, read
from playbooks.graph.stix import expression
from tests.graph_strategies import for_all, legal_graphs, wild_graphs
from tests.graphs import action, condition, graph, notify, row, twelve

SHIPPED = Path(playbooks.__file__).parent / "templates_shipped"
PLAYBOOK = uuid.UUID("5a0b9a1c-8a52-4a0e-9a5e-0d1f5a0a2b11")
IDENTITY = uuid.UUID("0f7a2f86-5f0e-4e51-8a0e-6c4ad1a1f3b2")
CREATED = datetime(2026, 3, 4, 12, 0, 0, 123456, tzinfo=timezone(timedelta(hours=1)))
IDENTIFIER = re.compile(
    r"[a-z][a-z0-9-]+[a-z0-9]--[0-9a-f]{8}-[0-9a-f]{4}-[1-5][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}\Z"
)
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z\Z")
REQUIRED = ("type", "spec_version", "id", "name", "created_by", "created", "modified", "workflow_start", "workflow")
PROPERTIES = {
    *REQUIRED, "description", "playbook_types", "playbook_activities", "playbook_processing_summary",
    "playbook_variables", "agent_definitions",
}  # fmt: skip
BASE = {"type", "name", "description", "delay", "timeout", "step_variables", "owner", "on_completion", "on_success",
        "on_failure"}  # fmt: skip
STEPS: dict[str, tuple[set[str], set[str]]] = {  # required, allowed besides the base
    "start": (set(), set()),
    "end": (set(), set()),
    "action": ({"commands", "agent"}, {"targets", "in_args", "out_args"}),
    "parallel": ({"next_steps"}, set()),
    "if-condition": ({"condition", "on_true"}, {"on_false"}),
}
# What the schemas know of the smaller objects, with the types of the values.
VARIABLE: dict[str, type | tuple[type, ...]] = {
    "type": str, "description": str, "value": (str, type(None)), "constant": bool, "external": bool,
}  # fmt: skip
COMMAND: dict[str, type | tuple[type, ...]] = {
    "type": str, "description": str, "version": str, "playbook_activity": str, "external_references": list,
    "command": str, "command_b64": str,
}  # fmt: skip
AGENT: dict[str, type | tuple[type, ...]] = {
    "type": str, "name": str, "description": str, "location": dict, "agent_target_extensions": dict,
}  # fmt: skip
AGENTS = {  # agent-target-type-ov, with what each has besides
    "group": {"contact"}, "individual": {"contact"}, "organization": {"contact"}, "security-category": {"category"},
    "location": set[str](), "sector": {"sector"}, "http-api": {"address", "port", "authentication_info", "category"},
    "linux": {"address", "port", "username", "authentication_info", "category"},
    "net-address": {"address", "category"}, "ssh": {"address", "port", "username", "authentication_info", "category"},
}  # fmt: skip
SUMMARY = {
    "manual_playbook", "external_playbooks", "parallel_processing", "if_logic", "while_logic", "switch_logic",
    "temporal_logic", "data_markings", "digital_signatures", "countersigned_signatures", "extensions",
}  # fmt: skip
KINDS = {
    "attack",
    "detection",
    "engagement",
    "investigation",
    "mitigation",
    "notification",
    "prevention",
    "remediation",
}
ACTIVITIES = {
    "compose-content", "deliver-content", "identify-audience", "identify-channel", "scan-system", "match-indicator",
    "analyze-collected-data", "identify-indicators", "scan-vulnerabilities", "configure-systems", "restrict-access",
    "disconnect-system", "eliminate-risk", "revert-system", "restore-data", "restore-capabilities", "map-network",
    "identify-steps", "step-sequence", "prepare-engagement", "execute-operation", "analyze-engagement-results",
}  # fmt: skip


def written(made: Graph) -> dict[str, Any]:
    document = cacao(made, id=PLAYBOOK, created_by=IDENTITY, created=CREATED, modified=CREATED + timedelta(days=1))
    return json.loads(json.dumps(document))  # type: ignore[no-any-return]


def check(document: dict[str, Any]) -> None:
    """Raises AssertionError if the document is none."""
    assert set(REQUIRED) <= document.keys() <= PROPERTIES
    assert document["type"] == "playbook" and document["spec_version"] == "cacao-2.0"
    assert TIME.match(document["created"]) and TIME.match(document["modified"])
    assert document["created"] <= document["modified"]
    assert IDENTIFIER.match(document["id"]) and document["created_by"].startswith("identity--")
    assert set(document["playbook_types"]) <= KINDS and document["playbook_types"]
    assert set(document["playbook_activities"]) <= ACTIVITIES and document["playbook_activities"]
    assert all(isinstance(document[key], str) for key in ("name", "description"))
    summary = document["playbook_processing_summary"]
    assert summary.keys() <= SUMMARY and all(isinstance(value, bool) for value in summary.values())
    assert document["agent_definitions"], "without any the property is left out"
    commands = [one for step in document["workflow"].values() for one in step.get("commands", [])]
    assert set(document["playbook_activities"]) <= {one.get("playbook_activity") for one in commands}
    for name, variable in document["playbook_variables"].items():
        typed(variable, VARIABLE)
        assert re.match(r"__[a-zA-Z_][a-zA-Z0-9_-]{0,199}__\Z", name) and variable["type"] == "string"
    for id, agent in document["agent_definitions"].items():
        assert IDENTIFIER.match(id) and id.startswith(agent["type"] + "--") and agent["name"]
        typed({key: value for key, value in agent.items() if key not in AGENTS[agent["type"]]}, AGENT)
    for id, step in document["workflow"].items():
        check_step(document, id, step)
    check_ways(document)


def typed(found: dict[str, Any], known: dict[str, type | tuple[type, ...]]) -> None:
    """Only known properties, each of its type."""
    assert found.keys() <= known.keys(), found
    assert all(isinstance(value, known[key]) for key, value in found.items()), found


def check_step(document: dict[str, Any], id: str, step: dict[str, Any]) -> None:
    required, more = STEPS[step["type"]]
    assert IDENTIFIER.match(id) and id.startswith(step["type"] + "--") and uuid.UUID(id[-36:]).version == 4
    assert required <= step.keys() <= BASE | required | more
    assert all(isinstance(step[key], str) for key in ("name", "description", "condition") if key in step)
    assert all(type(step[key]) is int and step[key] > 0 for key in ("delay", "timeout") if key in step)
    ways = step.keys() & {"on_completion", "on_success", "on_failure"}
    if step["type"] == "end":
        assert not ways
    elif step["type"] == "start":
        assert ways == {"on_completion"}
    else:
        assert ways in ({"on_completion"}, {"on_success", "on_failure"}), step
    assert all(target in document["workflow"] for target in led_to(step))
    if step["type"] == "parallel":
        assert len(step["next_steps"]) >= 2
    if step["type"] == "action":
        assert step["agent"] in document["agent_definitions"] and step["commands"]
        for command in step["commands"]:
            typed(command, COMMAND)
            assert command["type"] == "manual" and command["command"]
            assert command.get("playbook_activity", "step-sequence") in ACTIVITIES


def led_to(step: dict[str, Any]) -> list[str]:
    single = [step[key] for key in ("on_completion", "on_success", "on_failure", "on_true", "on_false") if key in step]
    return [*single, *step.get("next_steps", [])]


def ends(document: dict[str, Any], id: str) -> set[str]:
    """The ends that a branch may come to, without going into the branches of its conditions."""
    step = document["workflow"][id]
    if step["type"] == "end":
        return {id}
    return set().union(
        *(ends(document, step[key]) for key in ("on_completion", "on_success", "on_failure") if key in step)
    )


def check_ways(document: dict[str, Any]) -> None:
    """From the start every step is reached, none twice on one way, and each branch has an end of its own."""
    steps = document["workflow"]
    assert steps[document["workflow_start"]]["type"] == "start"
    assert [step["type"] for step in steps.values()].count("start") == 1
    assert any(step["type"] == "action" for step in steps.values())
    reached: set[str] = set()
    taken: set[str] = set()
    waiting = [document["workflow_start"]]
    while waiting:
        id = waiting.pop()
        if id not in reached:
            reached.add(id)
            waiting.extend(led_to(steps[id]))
    assert reached == set(steps)
    branches = [
        branch
        for step in steps.values()
        for branch in (*step.get("next_steps", []), *(step[key] for key in ("on_true", "on_false") if key in step))
    ]
    for branch in branches:
        found = ends(document, branch)
        assert len(found) == 1 and not found & taken, "each branch has one end, and no other has it"
        taken |= found


def steps_of(document: dict[str, Any], name: str) -> dict[str, Any]:
    (found,) = [step for step in document["workflow"].values() if step.get("name") == name]
    return found  # type: ignore[no-any-return]


def test_31_the_playbook_of_twelve_nodes_is_a_cacao_playbook() -> None:
    document = written(twelve())
    check(document)
    assert document["id"] == f"playbook--{PLAYBOOK}" and document["created_by"] == f"identity--{IDENTITY}"
    assert (document["created"], document["modified"]) == ("2026-03-04T11:00:00.123Z", "2026-03-05T11:00:00.123Z")
    assert document["playbook_types"] == ["mitigation", "investigation", "notification"]
    assert document["playbook_processing_summary"] == {
        "parallel_processing": True, "if_logic": True, "temporal_logic": True,
    }  # fmt: skip


@pytest.mark.parametrize("path", sorted(SHIPPED.glob("*.json")), ids=lambda path: path.stem)
def test_31_every_shipped_template_is_a_cacao_playbook(path: Path) -> None:
    check(written(read(json.loads(path.read_text(encoding="utf-8")))[0]))


@for_all(legal_graphs())
def test_31_every_playbook_with_an_action_is_a_cacao_playbook(made: Graph) -> None:
    if any(node.actions for node in made.nodes):
        check(written(made))


@for_all(wild_graphs)
def test_31_a_draft_that_is_not_right_is_written_all_the_same(made: Graph) -> None:
    """What it says is then not right either, but nobody gets an error page."""
    assert written(made)["type"] == "playbook"


def test_31_a_playbook_that_only_opens_an_incident_is_one() -> None:
    check(written(graph(target=Target(("high",), open_incident=OpenIncident()))))


def test_31_sending_the_incident_to_servicenow_is_a_command_of_the_step_that_opens_it() -> None:
    document = written(graph(target=Target(("high",), open_incident=OpenIncident(ticket_profile="Security"))))
    check(document)
    (step,) = [one for one in document["workflow"].values() if one["type"] == "action"]
    assert [one["playbook_activity"] for one in step["commands"]] == ["step-sequence", "deliver-content"]
    assert "by the ticket profile Security" in step["commands"][1]["command"]
    assert set(document["playbook_activities"]) == {"step-sequence", "deliver-content"}


def test_31_two_exports_are_equal_and_two_playbooks_share_no_step() -> None:
    assert written(twelve()) == written(twelve())
    other = cacao(twelve(), id=IDENTITY, created_by=IDENTITY, created=CREATED, modified=CREATED)
    assert not other["workflow"].keys() & written(twelve())["workflow"].keys()


def test_31_the_target_asks_for_the_level_and_the_model() -> None:
    made = graph(action("a1", "target", "tag"), target=Target(("high", "critical"), ("Bob's model",)))
    document = written(made)
    assert steps_of(document, "Target")["condition"] == (
        r"__severity__:value IN ('high', 'critical') AND __model__:value IN ('Bob\'s model')"
    )
    assert set(document["playbook_variables"]) == {"__severity__", "__model__"}


def test_31_an_approval_is_a_step_of_people_before_the_action() -> None:
    document = written(twelve())
    asks = steps_of(document, "Approve: Isolate endpoint")
    acts = document["workflow"][asks["on_success"]]
    assert document["agent_definitions"][asks["agent"]]["type"] == "group"
    assert acts["commands"][0]["command"] == (
        "Isolate endpoint: each endpoint that is rated highly suspicious or suspicious or unrated"
    )
    assert acts["timeout"] == 30 * 60 * 1000
    assert document["workflow"][asks["on_failure"]]["type"] == "end"


def test_31_after_a_failure_that_stops_only_notifications_are_left() -> None:
    made = graph(
        action("a1", "target", "block", on_failure="stop"),
        action("a2", "a1", "isolate_endpoint", on_failure="stop"),
        notify("m1", "a2", "channel"),
    )
    document = written(made)
    first, second = steps_of(document, "Add to block list"), steps_of(document, "Isolate endpoint")
    (told,) = (id for id, step in document["workflow"].items() if step.get("name") == "Message to channels")
    assert document["workflow"][first["on_success"]] == second
    assert first["on_failure"] == second["on_completion"] == told


@pytest.mark.parametrize(
    ("args", "expected"),
    [
        (("asset_group", "is", "a", "b"), "__asset_group__:value IN ('a', 'b')"),
        (("asset_group", "is_not", "a"), "__asset_group__:value NOT IN ('a')"),
        (("endpoint_name", "starts_with", "ws."), r"__endpoint_name__:value MATCHES '(?i)^ws\\.'"),
        (("endpoint_name", "contains", "a", "b"),
         "(__endpoint_name__:value MATCHES '(?i)a' OR __endpoint_name__:value MATCHES '(?i)b')"),
        (("ip_address", "in_network", "10.0.0.0/8"), "__ip_address__:value ISSUBSET '10.0.0.0/8'"),
        (("hour_of_day", "is", "22-1"), "__hour_of_day__:value IN ('0', '22', '23')"),
        (("observable", "is", r"C:\x'y"), r"__observable__:value IN ('C:\\x\'y')"),
    ],
)  # fmt: skip
def test_31_rows_are_expressions_of_the_pattern_grammar(args: tuple[str, ...], expected: str) -> None:
    assert expression([row(*args)]) == expected


def test_31_rows_are_joined_by_and() -> None:
    made = graph(condition("c1", row("severity", "is", "high"), row("alert_tag", "is", "x")), action("a1", "c1", "tag"))
    condition_text = steps_of(written(made), "Severity is high")["condition"]
    assert condition_text == "__severity__:value IN ('high') AND __alert_tag__:value IN ('x')"


BREAKS: tuple[Callable[[dict[str, Any]], Any], ...] = (
    lambda found: found.pop("created_by"),
    lambda found: found["workflow"].popitem(),
    lambda found: found.update(created="yesterday"),
    lambda found: steps_of(found, "Add to block list").pop("commands"),
)


def test_31_the_check_sees_what_is_wrong() -> None:
    document = written(graph(action("a1", "target", "block", risk=RISKS)))
    for break_it in BREAKS:
        broken = json.loads(json.dumps(document))
        break_it(broken)
        with pytest.raises((AssertionError, KeyError)):
            check(broken)
    check(document)
