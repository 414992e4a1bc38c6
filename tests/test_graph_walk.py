"""What runs when, and on which objects (rulings 1 and 3, response-playbooks.md 11, 12, 14)."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import strategies as st

from playbooks.graph.conditions import Facts, evaluate
from playbooks.graph.model import RISKS
from playbooks.graph.schema import Graph, Period, Target, Trigger
from playbooks.graph.starting import is_within, off_target
from playbooks.graph.touching import touches
from playbooks.graph.walk import OPEN, Passed, Ready, passed_action, passed_condition, ready, trace
from tests.graph_strategies import alerts, for_all, legal_graphs, wild_graphs
from tests.graphs import action, condition, else_action, else_if, facts, graph, notify, row, thing, twelve

BAD = thing("o1", "hash", risk="highly_suspicious")
ODD = thing("o2", "url", risk="suspicious")
HOST = thing("o3", "endpoint", risk="unrated")
ALERT = facts(BAD, ODD, HOST)
KEYS = ["o1", "o2", "o3"]


def names(found: list[Ready]) -> dict[str, tuple[str, ...]]:
    return {one.node_id: one.arriving for one in found}


def walked(made: Graph, known: Facts, **outcomes: str) -> dict[str, Ready]:
    """Walks to the end as the engine does, one node at a time; ``outcomes`` of actions other than ok."""
    state: dict[str, Passed] = {}
    seen: dict[str, Ready] = {}
    keys = [one.key for one in known.objects]
    while found := ready(made, state, keys):
        one = found[0]
        assert one.node_id not in seen, "a node is ready once"
        seen[one.node_id] = one
        node = made.node(one.node_id)
        if node.type in ("condition", "else_if"):
            state[node.id] = passed_condition(evaluate(node, known, one.arriving))
        else:
            state[node.id] = passed_action(one, outcomes.get(node.id, "ok"))
        assert len(seen) <= len(made.nodes)
    assert all(passed.status != "open" for passed in state.values())
    return seen


RISK = row("object_risk", "is", "highly_suspicious")
LADDER = graph(
    condition("c1", RISK),
    action("a1", "c1", "block"),
    else_if("e1", "c1", row("object_risk", "is", "suspicious")),
    action("a2", "e1", "sandbox_url"),
    else_action("x1", "e1", "tag"),
)


def test_12_all_that_hangs_on_the_target_is_ready_at_once() -> None:
    made = graph(condition("c1", RISK), action("a1", "target", "tag"), condition("c2", RISK))
    assert names(ready(made, {}, KEYS)) == {"c1": tuple(KEYS), "a1": tuple(KEYS), "c2": tuple(KEYS)}


def test_11_the_true_ones_go_right_and_the_others_to_the_else() -> None:
    seen = walked(LADDER, ALERT)
    assert {id: one.arriving for id, one in seen.items()} == {
        "c1": ("o1", "o2", "o3"), "a1": ("o1",), "e1": ("o2", "o3"), "a2": ("o2",), "x1": ("o3",),
    }  # fmt: skip


def test_11_a_branch_that_nothing_reaches_is_not_taken() -> None:
    assert set(walked(LADDER, facts(BAD))) == {"c1", "a1"}
    assert set(walked(LADDER, facts(HOST))) == {"c1", "e1", "x1"}


def test_11_no_else_left_means_no_action() -> None:
    made = graph(condition("c1", RISK), action("a1", "c1", "block"))
    assert set(walked(made, facts(HOST))) == {"c1"}


def test_11_without_any_object_the_alert_decides() -> None:
    assert set(walked(LADDER, facts())) == {"c1", "e1", "x1"}
    made = graph(
        condition("c1", row("severity", "is", "high")), action("a1", "c1", "tag"), else_action("x1", "c1", "tag")
    )
    assert walked(made, facts())["a1"].arriving == ()
    assert set(walked(made, facts(severity="low"))) == {"c1", "x1"}


def test_r1_a_series_hands_on_what_reached_it() -> None:
    made = graph(condition("c1", RISK), action("a1", "c1", "block"), notify("m1", "a1"), action("a2", "m1", "tag"))
    seen = walked(made, ALERT)
    assert seen["m1"].arriving == seen["a2"].arriving == ("o1",)


def test_12_what_an_action_found_reaches_the_next_node() -> None:
    made = graph(action("a1", "target", "find_messages"), action("a2", "a1", "delete_message"))
    state = {"a1": passed_action(Ready("a1", ("o1",)), "ok", found=["o9", "o1"])}
    assert names(ready(made, state, ["o1"])) == {"a2": ("o1", "o9")}


def test_a_node_at_work_holds_up_what_follows_but_not_its_siblings() -> None:
    made = graph(action("a1", "target", "block"), action("a2", "a1", "tag"), action("a3", "target", "tag"))
    assert set(names(ready(made, {"a1": OPEN}, KEYS))) == {"a3"}
    state = {"a1": OPEN, "a3": passed_action(Ready("a3", ()))}
    assert ready(made, state, KEYS) == []


def test_ready_names_come_in_reading_order() -> None:
    state = {"c1": Passed("ok", ("o1",), ("o2",), True, True)}
    assert [one.node_id for one in ready(twelve(), state, KEYS)] == ["a1", "a2", "e1", "c2"]


# Rulings 3: failure in a series


def series(on_failure: str) -> Graph:
    return graph(
        action("a1", "target", "block", on_failure=on_failure),
        action("a2", "a1", "tag"),
        notify("m1", "a2"),
        action("a3", "m1", "isolate_endpoint"),
        action("b1", "target", "tag"),
    )


def test_r3_after_a_failure_the_series_goes_on() -> None:
    assert {one.stopped for one in walked(series("continue"), ALERT, a1="failed").values()} == {False}


def test_r3_stop_stops_the_rest_of_the_branch_and_no_other() -> None:
    seen = walked(series("stop"), ALERT, a1="failed")
    assert {id for id, one in seen.items() if one.stopped} == {"a2", "m1", "a3"}


def test_r3_a_notification_that_was_sent_does_not_start_the_series_again() -> None:
    assert passed_action(Ready("m1", ("o1",), stopped=True), "ok").status == "stopped"


def test_r3_success_stops_nothing() -> None:
    assert not any(one.stopped for one in walked(series("stop"), ALERT).values())


# 14: which objects


def test_14_one_task_for_each_object_whose_risk_is_ticked() -> None:
    node = action("a1", "target", "block", "isolate_endpoint", "tag", risk=("highly_suspicious", "unrated"))
    objects = {one.key: one for one in ALERT.objects}
    found = [(one.spec.name, one.object.key if one.object else None) for one in touches(node, objects, KEYS)]
    assert found == [("block", "o1"), ("isolate_endpoint", "o3"), ("tag", None)]


def test_14_only_objects_that_arrived_are_touched() -> None:
    node = action("a1", "target", "block", risk=RISKS)
    objects = {one.key: one for one in ALERT.objects}
    assert [one.object and one.object.key for one in touches(node, objects, ["o2", "o9"])] == ["o2"]


def test_14_case_actions_run_without_any_object() -> None:
    assert [one.spec.name for one in touches(action("a1", "target", "comment", "block"), {}, [])] == ["comment"]


# Properties


@for_all(legal_graphs(), alerts(), st.data())
def test_a_walk_ends_and_no_node_is_ready_twice(made: Graph, known: Facts, data: st.DataObject) -> None:
    """Nodes finish in any order, several at work at once, some failing."""
    state: dict[str, Passed] = {}
    at_work: dict[str, Ready] = {}
    keys = [one.key for one in known.objects]
    begun: list[str] = []
    while True:
        for one in ready(made, state, keys):
            begun.append(one.node_id)
            at_work[one.node_id] = one
            state[one.node_id] = OPEN
        if not at_work:
            break
        one = at_work.pop(data.draw(st.sampled_from(sorted(at_work))))
        node = made.node(one.node_id)
        if node.type in ("condition", "else_if"):
            state[node.id] = passed_condition(evaluate(node, known, one.arriving))
        else:
            state[node.id] = passed_action(one, data.draw(st.sampled_from(["ok", "failed"])))
    assert len(begun) == len(set(begun))
    assert all(passed.status != "open" for passed in state.values())
    assert set(begun) == {visit.node.id for visit in trace(made, known)}, "failures do not change the way"


@for_all(legal_graphs(), alerts())
def test_the_trace_is_the_way_of_the_engine(made: Graph, known: Facts) -> None:
    seen = walked(made, known)
    assert {visit.node.id: visit.arriving for visit in trace(made, known)} == {
        id: one.arriving for id, one in seen.items()
    }


@for_all(legal_graphs(), alerts())
def test_no_object_takes_two_ways_through_one_ladder(made: Graph, known: Facts) -> None:
    seen = walked(made, known)
    for top in made.children("target", "right"):
        rungs, node = [], top
        while True:
            rungs.append({key for child in made.children(node.id, "right")[:1] for key in _arrived(seen, child.id)})
            below = made.children(node.id, "below")
            if not below:
                break
            node = below[0]
        assert sum(map(len, rungs)) == len(set().union(*rungs))


def _arrived(seen: dict[str, Ready], id: str) -> tuple[str, ...]:
    return seen[id].arriving if id in seen else ()


@for_all(wild_graphs, alerts())
def test_an_illegal_graph_is_walked_to_an_end_as_well(made: Graph, known: Facts) -> None:
    walked(made, known)
    trace(made, known)


# 3, 4: whether a run may begin


NIGHTS = Trigger(periods=(Period(("fri",), "22:00", "06:00"),), time_zone="Europe/Berlin")
BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("when", "expected"),
    [
        (datetime(2026, 3, 6, 21, 59, tzinfo=BERLIN), False),
        (datetime(2026, 3, 6, 22, 0, tzinfo=BERLIN), True),
        (datetime(2026, 3, 7, 5, 59, tzinfo=BERLIN), True),
        (datetime(2026, 3, 7, 6, 0, tzinfo=BERLIN), False),
        (datetime(2026, 3, 7, 22, 30, tzinfo=BERLIN), False),
        (datetime(2026, 3, 6, 3, 0, tzinfo=BERLIN), False),
        (datetime(2026, 3, 6, 21, 30, tzinfo=UTC), True),
    ],
)
def test_3_a_period_over_midnight_belongs_to_the_day_it_begins(when: datetime, expected: bool) -> None:
    assert is_within(NIGHTS, when) is expected


@pytest.mark.parametrize(
    ("period", "hour", "expected"),
    [
        (Period(("wed",), "08:00", "17:00"), 12, True),
        (Period(("wed",), "08:00", "12:00"), 12, False),
        (Period(("wed",), "08:00", "24:00"), 23, True),
        (Period(("wed",), "00:00", "00:00"), 12, True),
        (Period(("thu",), "08:00", "17:00"), 12, False),
        (Period(("wed",), "nonsense", "17:00"), 12, False),
    ],
)
def test_3_periods_within_a_day(period: Period, hour: int, expected: bool) -> None:
    assert is_within(Trigger(periods=(period,)), datetime(2026, 3, 4, hour, 0, tzinfo=UTC)) is expected


def test_3_without_periods_it_is_always_time() -> None:
    assert is_within(Trigger(), datetime(2026, 3, 4, 3, 0, tzinfo=UTC))


def test_4_levels_and_models_say_why_an_alert_is_none_for_it() -> None:
    target = Target(("high", "critical"), models=("Ransomware note",))
    assert off_target(target, "high", "RANSOMWARE note") == ""
    assert off_target(target, "low", "x") == "Its severity is low; the playbook takes high and critical."
    assert off_target(target, "high", "Port scan") == (
        "Its detection model, Port scan, is not among those of the playbook."
    )
    assert off_target(target, "high", "") == "Its detection model is not known; the playbook asks for certain ones."
    assert off_target(Target(("low",)), "low", "") == ""
