"""What conditions say of an alert and its objects (rulings 1, response-playbooks.md 9 to 12)."""

from __future__ import annotations

from dataclasses import replace as changed
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import strategies as st

from playbooks.graph.conditions import Facts, Object, evaluate, is_about_objects
from playbooks.graph.parameters import OPERATORS, PARAMETERS, hours
from playbooks.graph.schema import Row
from tests.graph_strategies import alerts, for_all, texts
from tests.graphs import condition, facts, row, thing

WORKSTATION = {
    "groups": ["Finance", "Payroll"],
    "criticality": "high",
    "tags": ["VIP"],
    "type": "laptop",
    "system": "Windows 11 Pro",
    "addresses": ["10.1.2.3", "fe80::1"],
}
HOST = thing("o1", "endpoint", "WS-1", asset=WORKSTATION)
USER = thing("o2", "account", "CORP\\bob")
ALERT = facts(
    HOST,
    USER,
    source="edr",
    model="Ransomware note",
    severity="high",
    alert_tags=("Prod", "edr"),
    techniques=("T1059.001",),
)


def says(known: Facts, *args: str) -> bool:
    """What a condition of one row says of the first object, or of the alert as a whole."""
    verdict = evaluate(condition("c1", row(*args)), known, [one.key for one in known.objects[:1]])
    return bool(verdict.true) if verdict.once is None else verdict.once


@pytest.mark.parametrize(
    ("parameter", "matching", "other"),
    [
        ("asset_group", "finance", "sales"),
        ("asset_criticality", "high", "low"),
        ("custom_tag", "vip", "lab"),
        ("endpoint_name", "ws-1", "ws-2"),
        ("endpoint_type", "LAPTOP", "server"),
        ("operating_system", "windows 11 pro", "windows 11"),
        ("ip_address", "10.1.2.3", "10.1.2.4"),
        ("ip_address", "FE80:0::1", "fe80::2"),
        ("user_account", "corp\\BOB", "bob"),
        ("object_risk", "unrated", "suspicious"),
        ("source", "EDR", "siem"),
        ("model", "ransomware note", "Port scan"),
        ("severity", "high", "low"),
        ("alert_tag", "PROD", "test"),
        ("technique", "t1059.001", "T1059"),
        ("hour_of_day", "12", "13"),
    ],
)
def test_9_10_is_and_is_not_compare_each_parameter_without_case(parameter: str, matching: str, other: str) -> None:
    assert says(ALERT, parameter, "is", matching) and not says(ALERT, parameter, "is", other)
    assert not says(ALERT, parameter, "is_not", matching) and says(ALERT, parameter, "is_not", other)


def test_9_the_observables_own_value_is_asked() -> None:
    known = facts(thing("o1", "domain", "Evil.Example"), thing("o2", "hash", "aa11"))
    assert says(known, "observable", "is", "evil.example") and not says(known, "observable", "is", "aa11")


def test_10_any_of_the_values_and_none_of_them() -> None:
    assert says(ALERT, "asset_group", "is", "sales", "payroll")
    assert not says(ALERT, "asset_group", "is_not", "sales", "payroll")
    assert says(ALERT, "asset_group", "is_not", "sales", "legal")


@pytest.mark.parametrize(
    ("args", "expected"),
    [
        (("operating_system", "contains", "DOWS"), True),
        (("operating_system", "contains", "linux", "11"), True),
        (("operating_system", "contains", "linux"), False),
        (("operating_system", "starts_with", "win"), True),
        (("operating_system", "starts_with", "11"), False),
        (("technique", "starts_with", "T1059"), True),
        (("ip_address", "in_network", "10.0.0.0/8"), True),
        (("ip_address", "in_network", "192.0.2.0/24", "fe80::/10"), True),
        (("ip_address", "in_network", "10.1.2.3"), True),
        (("ip_address", "in_network", "10.1.3.0/24"), False),
        (("ip_address", "starts_with", "10.1."), True),
    ],
)
def test_10_contains_starts_with_and_networks(args: tuple[str, ...], expected: bool) -> None:
    assert says(ALERT, *args) is expected


def test_10_an_ipv4_address_in_the_dress_of_ipv6_is_the_same() -> None:
    known = facts(thing("o1", "ip", "::ffff:10.0.0.9"))
    assert says(known, "ip_address", "is", "10.0.0.9") and says(known, "ip_address", "in_network", "10.0.0.0/8")


@pytest.mark.parametrize("operator", ["is", "contains", "starts_with", "in_network"])
@pytest.mark.parametrize("parameter", [name for name in PARAMETERS if name not in ("object_risk", "hour_of_day")])
def test_10_without_a_value_only_is_not_is_true(parameter: str, operator: str) -> None:
    """``in_network`` of a word without networks matches nothing as well."""
    bare = facts(thing("o1", "container", "pod-7"), severity="", when=None)
    value = {"in_network": "10.0.0.0/8"}.get(operator, "x")
    assert not says(bare, parameter, operator, value)
    assert says(bare, parameter, "is_not", "x")


@pytest.mark.parametrize(("value", "expected"), [
    ("9", {9}), ("20-6", {20, 21, 22, 23, 0, 1, 2, 3, 4, 5}), ("9-17", set(range(9, 17))), ("0-24", set(range(24))),
    (" 9 - 10 ", {9}), ("22-0", {22, 23}), ("24", None), ("9-9", None), ("9-25", None), ("x", None), ("", None),
    ("-1", None), ("٩", None),
])  # fmt: skip
def test_9_hours_of_the_day(value: str, expected: set[int] | None) -> None:
    assert hours(value) == expected


@pytest.mark.parametrize(("zone", "expected"), [("UTC", True), ("Europe/Berlin", False), ("No/Where", True)])
def test_9_the_hour_is_that_of_the_playbooks_time_zone(zone: str, expected: bool) -> None:
    """A draft whose time zone is wrong is looked at in UTC; it cannot be published."""
    known = facts(when=datetime(2026, 1, 5, 19, 59, tzinfo=UTC), time_zone=zone)
    assert says(known, "hour_of_day", "is_not", "20-6") is expected


# Rulings 1: objects


def test_r1_each_object_is_judged_by_itself() -> None:
    known = facts(thing("o1", "ip", risk="highly_suspicious"), thing("o2", "ip", risk="unrated"), thing("o3", "ip"))
    verdict = evaluate(condition("c1", row("object_risk", "is", "highly_suspicious")), known, ["o3", "o1", "o2"])
    assert (verdict.true, verdict.false, verdict.once) == (["o1"], ["o3", "o2"], None)


def test_r1_only_those_that_arrived_are_judged() -> None:
    known = facts(thing("o1", "ip"), thing("o2", "ip"))
    verdict = evaluate(condition("c1", row("object_risk", "is", "unrated")), known, ["o2"])
    assert (verdict.true, verdict.false) == (["o2"], [])


def test_r1_without_rows_about_objects_all_go_one_way() -> None:
    known = facts(thing("o1", "ip"), thing("o2", "ip"), severity="low")
    verdict = evaluate(condition("c1", row("severity", "is", "high")), known, ["o1", "o2"])
    assert (verdict.true, verdict.false, verdict.once) == ([], ["o1", "o2"], False)


def test_r1_an_alert_without_objects_is_asked_once() -> None:
    known = facts(hostnames=("WS-9",))
    verdict = evaluate(condition("c1", row("endpoint_name", "is", "ws-9")), known, [])
    assert (verdict.true, verdict.false, verdict.once) == ([], [], True)
    assert evaluate(condition("c1", row("object_risk", "is", "unrated")), known, []).once is False


def test_r1_a_row_about_the_alert_counts_for_each_object() -> None:
    known = facts(thing("o1", "ip", risk="suspicious"), thing("o2", "ip"), severity="high")
    both = condition("c1", row("severity", "is", "high"), row("object_risk", "is", "suspicious"))
    assert evaluate(both, known, ["o1", "o2"]).true == ["o1"]
    other = condition("c2", row("severity", "is", "low"), row("object_risk", "is", "suspicious"))
    assert evaluate(other, known, ["o1", "o2"]).true == []


def test_11_rows_are_anded() -> None:
    both = condition("c1", row("asset_group", "is", "finance"), row("endpoint_type", "is", "server"))
    verdict = evaluate(both, ALERT, ["o1"])
    assert verdict.false == ["o1"]
    assert [one.result for one in verdict.rows] == [{"o1": True}, {"o1": False}]


def test_9_an_object_without_a_value_has_that_of_what_it_is_related_to() -> None:
    other = thing("o3", "endpoint", "WS-2", asset={"groups": ["Lab"]})
    known = facts(thing("o0", "hash", "aa", related=("o3",)), HOST, other)
    assert says(known, "asset_group", "is", "lab") and not says(known, "asset_group", "is", "finance")


def test_9_relations_hold_in_both_directions() -> None:
    known = facts(thing("o0", "hash", "aa"), changed(HOST, related=("o0",)), thing("o3", "endpoint", "WS-2"))
    assert says(known, "endpoint_name", "is", "ws-1") and says(known, "endpoint_name", "is_not", "ws-2")


def test_9_a_file_is_on_the_endpoint_that_its_facts_name() -> None:
    known = facts(
        thing("o0", "file", "C:\\evil.exe", facts={"endpoint": "ws-1"}), HOST, thing("o3", "endpoint", "WS-2")
    )
    assert says(known, "endpoint_name", "is", "WS-1") and says(known, "asset_group", "is", "payroll")
    assert says(known, "endpoint_name", "is_not", "WS-2")


def test_9_an_object_related_to_nothing_has_the_alerts_values() -> None:
    known = facts(thing("o0", "hash", "aa"), HOST, accounts=("eve",), addresses=("192.0.2.1",))
    assert says(known, "endpoint_name", "is", "ws-1")
    assert says(known, "user_account", "is", "eve")
    assert says(known, "ip_address", "in_network", "192.0.2.0/24")


def test_9_an_address_is_its_own_value_not_the_hosts() -> None:
    known = facts(thing("o0", "ip", "192.0.2.1", related=("o1",)), HOST)
    assert says(known, "ip_address", "is", "192.0.2.1") and not says(known, "ip_address", "is", "10.1.2.3")


def test_verdicts_show_what_was_compared() -> None:
    known = facts(thing("o0", "hash", "aa"), HOST, hostnames=("WS-1",))
    verdict = evaluate(condition("c1", row("endpoint_name", "is", "ws-1")), known, ["o0", "o1"])
    assert verdict.rows[0].as_json() == {
        "parameter": "endpoint_name",
        "operator": "is",
        "values": ["ws-1"],
        "seen": ["WS-1"],
        "seen_by": {"o0": ["WS-1"], "o1": ["WS-1"]},
        "result": {"o0": True, "o1": True},
    }


def test_of_very_many_values_the_first_are_kept() -> None:
    """An alert may name 500 observables; a step does not hold them once for each object."""
    known = facts(HOST, observables=tuple(f"{number}.example" for number in range(500)))
    verdict = evaluate(condition("c1", row("observable", "is", "499.example")), known, ["o1"])
    kept = verdict.rows[0].as_json()
    assert verdict.true == ["o1"] and kept["cut"]
    assert kept["seen"] == kept["seen_by"]["o1"] == [f"{number}.example" for number in range(30)]


def test_unknown_words_are_false_and_harm_nothing() -> None:
    assert not says(ALERT, "colour", "is", "red") and says(ALERT, "colour", "is_not", "red")
    assert not says(ALERT, "severity", "like", "high")


def test_an_object_is_read_from_the_runs_targets() -> None:
    target: dict[str, Any] = {
        "key": "o1",
        "kind": "endpoint",
        "value": "WS-1",
        "risk": "suspicious",
        "rule": "left where it is",
        "related": ["o2"],
        "facts": {"guid": "7"},
        "asset": None,
    }
    one = Object.of(target)
    assert (one.key, one.kind, one.risk, one.related, one.facts, one.asset) == (
        "o1", "endpoint", "suspicious", ("o2",), {"guid": "7"}, None,
    )  # fmt: skip
    assert Object.of({"key": "o1", "kind": "ip", "risk": None, "related": None}).risk == "unrated"


values = st.lists(texts | st.sampled_from(["high", "ws-1", "10.0.0.1", "9-17", "Finance"]), max_size=3).map(tuple)
known_rows = st.builds(Row, st.sampled_from(list(PARAMETERS)), st.sampled_from(list(OPERATORS)), values)


@for_all(alerts(), st.sampled_from(list(PARAMETERS)), values)
def test_10_is_not_is_the_negation_of_is(known: Facts, parameter: str, compared: tuple[str, ...]) -> None:
    keys = [one.key for one in known.objects]
    yes = evaluate(condition("c1", Row(parameter, "is", compared)), known, keys)
    no = evaluate(condition("c1", Row(parameter, "is_not", compared)), known, keys)
    assert (yes.true, yes.false) == (no.false, no.true)
    assert (yes.once, no.once) in {(None, None), (True, False), (False, True)}


@for_all(alerts(), st.lists(known_rows, max_size=4), st.data())
def test_r1_what_arrives_goes_right_or_below_exactly_once(known: Facts, asked: list[Row], data: st.DataObject) -> None:
    keys = [one.key for one in known.objects]
    arriving = data.draw(st.lists(st.sampled_from(keys), max_size=12)) if keys else []
    verdict = evaluate(condition("c1", *asked), known, arriving)
    assert sorted(verdict.true + verdict.false) == sorted(set(arriving))
    if not any(map(is_about_objects, asked)):
        assert not (verdict.true and verdict.false) and verdict.once is not None


@for_all(alerts(), known_rows, known_rows)
def test_11_two_rows_are_as_two_conditions_in_a_line(known: Facts, first: Row, second: Row) -> None:
    keys = [one.key for one in known.objects]
    both = evaluate(condition("c1", first, second), known, keys)
    then = evaluate(condition("c3", second), known, evaluate(condition("c2", first), known, keys).true)
    assert both.true == then.true


@for_all(alerts(), known_rows)
def test_the_order_of_arrival_and_a_second_look_change_nothing(known: Facts, asked: Row) -> None:
    node, keys = condition("c1", asked), [one.key for one in known.objects]
    first = evaluate(node, known, keys)
    again = evaluate(node, known, list(reversed(keys)))
    assert set(first.true) == set(again.true)
    assert evaluate(node, changed(known), keys).true == first.true, "nothing is left of the alert before"
