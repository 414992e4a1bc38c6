"""Reading and writing the JSON of response playbooks (rulings 13)."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import strategies as st

from playbooks.graph.schema import Graph, OpenIncident, Period, Target, blank, read, write
from playbooks.graph.validate import validate
from tests.graph_strategies import for_all, wild_graphs
from tests.graphs import twelve

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=20,
)
FIELDS = {
    "": ("name", "description", "trigger", "target", "nodes"),
    "trigger": ("type", "periods", "time_zone"),
    "target": ("severities", "models", "filter_by_risk", "open_incident"),
}
NODE_FIELDS = ("parent", "side", "name", "conditions", "risk", "actions", "approval", "on_failure", "deadline_minutes")


def document(**changes: Any) -> dict[str, Any]:
    return write(twelve()) | changes


def problems(value: object) -> dict[tuple[str, str], str]:
    return {(problem.node, problem.field): problem.message for problem in read(value)[1]}


def node(**changes: Any) -> dict[str, Any]:
    return {"id": "n1", "type": "action", "parent": "target", "side": "right"} | changes


def test_13_the_json_has_the_keys_of_the_contract() -> None:
    written = write(twelve())
    assert list(written) == ["name", "description", "trigger", "target", "nodes"]
    assert written["target"]["open_incident"] == {
        "owners": ["ada"],
        "close_on_success": {"determination": "malicious"},
        "ticket_profile": None,
    }
    assert written["nodes"][0]["conditions"] == [
        {"parameter": "object_risk", "operator": "is", "values": ["highly_suspicious"]}
    ]
    assert {"id", "type", "parent", "side", "risk", "actions", "approval", "on_failure"} < written["nodes"][0].keys()


def test_13_a_period_is_written_with_from_and_to() -> None:
    graph = read(
        document(trigger={"type": "automatic", "periods": [{"days": ["mon"], "from": "22:00", "to": "06:00"}]})
    )[0]
    assert graph.trigger.periods == (Period(("mon",), "22:00", "06:00"),)
    assert write(graph)["trigger"]["periods"] == [{"days": ["mon"], "from": "22:00", "to": "06:00"}]


@for_all(wild_graphs)
def test_13_what_was_written_is_read_as_it_was(graph: Graph) -> None:
    written = json.loads(json.dumps(write(graph)))
    found, wrong = read(written)
    assert found == graph
    assert wrong == []


def test_13_the_blank_playbook_survives_too() -> None:
    assert read(write(blank("New"))) == (blank("New"), [])


@for_all(json_values)
def test_reading_and_validating_never_raise(value: object) -> None:
    graph, _ = read(value)
    validate(graph)


@for_all(st.data())
def test_reading_never_raises_with_anything_in_any_field(data: st.DataObject) -> None:
    place = data.draw(st.sampled_from([*FIELDS, "node"]))
    field = data.draw(st.sampled_from(FIELDS.get(place, NODE_FIELDS)))
    inner = data.draw(json_values | st.lists(st.dictionaries(st.sampled_from(
        ["parameter", "operator", "values", "action", "params", "days", "from", "to", "owners"]
    ), json_values), max_size=3))  # fmt: skip
    value = document()
    places = {"": value, "node": value["nodes"][0], "trigger": value["trigger"], "target": value["target"]}
    places[place][field] = inner
    graph, _ = read(value)
    validate(graph)
    assert read(write(graph)) == (graph, []), "what was kept is of the right shape"


@pytest.mark.parametrize("value", [None, 3, "text", [], [1], True])
def test_what_is_no_object_is_refused(value: object) -> None:
    assert problems(value)["", ""] == "This must be an object."


def test_a_playbook_without_target_or_trigger_is_refused() -> None:
    value = document()
    del value["target"], value["trigger"]
    found = problems(value)
    assert found["target", ""] == "The playbook has no target."
    assert found["trigger", ""] == "The playbook has no trigger."


def test_what_is_usable_is_kept_beside_what_is_not() -> None:
    graph, wrong = read(document(name=5, nodes=[node(), 7, node(id="n2", name=["x"])]))
    assert [one.id for one in graph.nodes] == ["n1", "n2"]
    assert {(one.node, one.field) for one in wrong} >= {("", "name"), ("", "nodes.1"), ("n2", "name")}


def test_10_000_nodes_are_refused() -> None:
    graph, wrong = read(document(nodes=[node(id=f"n{number}") for number in range(10_000)]))
    assert [one.message for one in wrong] == ["A playbook has at most 200 nodes; this one has 10,000."]
    assert graph.nodes == ()


def test_rubbish_without_end_is_answered_with_few_words() -> None:
    rows = [{"parameter": "severity", "operator": "is", "values": ["x", 1] * 400}] * 60
    graph, wrong = read(document(nodes=[node(id=f"n{n}", type="condition", conditions=rows) for n in range(8)]))
    assert len(wrong) == 500
    assert [len(one.conditions) for one in graph.nodes] == [50] * 8
    assert len([one for one in validate(graph) if one.node == "n0" and "values" in one.field]) == 5 * 50


def test_two_nodes_of_one_id_are_refused() -> None:
    assert problems(document(nodes=[node(), node()])) == {("n1", "id"): "Two nodes have the id 'n1'."}


@pytest.mark.parametrize("id", ["", "target", "trigger", "a b", "-x", "é", "x" * 61, 7, None, "n1\n"])
def test_ids_that_cannot_stand_in_a_link_are_refused(id: object) -> None:
    assert read(document(nodes=[node(id=id)]))[0].nodes == ()
    assert ("", "nodes.0.id") in problems(document(nodes=[node(id=id)]))


@pytest.mark.parametrize("type", ["loop", "", None, 3, ["action"]])
def test_unknown_types_of_node_are_refused(type: object) -> None:
    assert "condition, else_if, action" in problems(document(nodes=[node(type=type)]))["n1", "type"]


def test_fields_that_nobody_reads_are_named() -> None:
    found = problems(document(nodes=[node(condtions=[])], colour="red"))
    assert found["", "colour"] == "There is no field 'colour' here."
    assert found["n1", "condtions"] == "There is no field 'condtions' here."


def test_characters_that_the_database_refuses_are_left_out_and_named() -> None:
    graph, wrong = read(document(name="a\x00b", description="half \ud800 pair"))
    assert (graph.name, graph.description) == ("ab", "half  pair")
    assert [one.field for one in wrong] == ["name", "description"]


def test_long_texts_are_cut_and_named() -> None:
    graph, wrong = read(document(name="x" * 201))
    assert len(graph.name) == 200
    assert wrong[0].message == "This is longer than 200 characters."


@pytest.mark.parametrize("value", [1.5, float("nan"), float("inf"), "30", True, 10**30])
def test_minutes_are_whole_numbers(value: object) -> None:
    graph, wrong = read(document(nodes=[node(deadline_minutes=value)]))
    assert graph.nodes[0].deadline_minutes == 30
    assert [one.field for one in wrong] == ["deadline_minutes"]


def test_settings_of_actions_are_texts_numbers_and_lists_of_texts() -> None:
    params = {"days": 3, "tags": ["a", 1], "deep": {"a": 1}, "ratio": 0.5, "none": None, "on": True}
    graph, wrong = read(document(nodes=[node(actions=[{"action": "tag", "params": params}])]))
    assert graph.nodes[0].actions[0].params == {"days": 3, "tags": ["a"]}
    assert {one.field for one in wrong} == {
        "actions.0.params.tags.1", "actions.0.params.deep", "actions.0.params.ratio", "actions.0.params.on",
    }  # fmt: skip


@pytest.mark.parametrize("name", ["a\x00", "\ud800", "x" * 61])
def test_settings_with_names_that_cannot_be_stored_are_left_out(name: str) -> None:
    graph, wrong = read(document(nodes=[node(actions=[{"action": "tag", "params": {name: "x", "tags": []}}])]))
    assert graph.nodes[0].actions[0].params == {"tags": []}
    assert [one.message for one in wrong] == ["A setting has a name that cannot be."]


def test_4_closing_needs_a_determination() -> None:
    target = {"severities": ["high"], "open_incident": {"owners": [], "close_on_success": {}}}
    found = problems(document(target=target))
    message = "Say with which determination the incident is closed."
    assert found["target", "open_incident.close_on_success.determination"] == message


def test_6_a_ticket_profile_is_a_name() -> None:
    found = problems(document(target={"severities": ["high"], "open_incident": {"ticket_profile": 4}}))
    assert found["target", "open_incident.ticket_profile"] == "This must be text."
    graph, wrong = read(document(target={"severities": ["high"], "open_incident": {"ticket_profile": "Security"}}))
    assert wrong == [] and graph.target.open_incident == OpenIncident(ticket_profile="Security")
    assert write(graph)["target"]["open_incident"]["ticket_profile"] == "Security"


def test_a_change_of_the_written_json_does_not_reach_the_graph() -> None:
    graph = twelve()
    written = write(graph)
    written["nodes"][7]["actions"][0]["params"]["tags"].append("more")
    written["target"]["severities"].clear()
    assert graph == twelve()
    assert graph.target != Target()
