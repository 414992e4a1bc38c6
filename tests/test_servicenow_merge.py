"""Three-way merge of each field: who changed, who wins, what is left alone."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cases.servicenow.mapping import VALUES, CaseState, ProfileRules, defaults, incoming, outgoing
from cases.servicenow.merge import Sides, Step, agreed, arrived, decide, plan

CASE = CaseState("INC-7", "Phish", "high", "open", words={"number": "INC-7", "title": "Phish"})
RAW = {
    "short_description": "INC-7 Phish", "impact": "1", "urgency": "2", "priority": "2", "state": "1", "close_code": "",
    "close_notes": "", "assigned_to": "", "assignment_group": "",
}  # fmt: skip
RULES = ProfileRules(**{name: defaults("incident")[name] for name in ("maps", "directions", "winners")})
BASE = {name: agreed(RULES, CASE, name, RAW) for name in VALUES}
SIDES = Sides("both", "newest", True, True, agree=False, can_send=True, can_take=True)


def steps(case: CaseState, raw: dict[str, str], base: Any = None, rules: ProfileRules = RULES, **more: Any) -> Any:
    found = plan(rules, case, BASE if base is None else base, raw, **more)
    return {name: one.step for name, one in found.items() if one.step is not Step.KEEP}


def test_nothing_changed_nothing_happens() -> None:
    assert steps(CASE, RAW) == {}


def test_one_side_changed() -> None:
    assert steps(replace(CASE, severity="low"), RAW) == {"severity": Step.SEND}
    assert steps(CASE, {**RAW, "impact": "3", "urgency": "3", "priority": "5"}) == {"severity": Step.TAKE}


def test_both_changed_to_the_same() -> None:
    raw = {**RAW, "impact": "2", "urgency": "3", "priority": "4"}
    assert steps(replace(CASE, severity="low"), raw) == {"severity": Step.SETTLE}


@pytest.mark.parametrize(
    ("winner", "newer", "step"),
    [("ours", False, Step.SEND), ("theirs", True, Step.TAKE), ("newest", True, Step.SEND),
     ("newest", False, Step.TAKE), ("ask", True, Step.ASK)],
)  # fmt: skip
def test_both_changed(winner: str, newer: bool, step: Step) -> None:
    rules = replace(RULES, winners={"severity": winner})
    raw = {**RAW, "impact": "3", "urgency": "3", "priority": "5"}
    found = plan(rules, replace(CASE, severity="low"), BASE, raw, lambda name: newer)
    assert (found["severity"].step, found["severity"].conflict) == (step, True)


def test_fields_are_merged_by_themselves() -> None:
    raw = {**RAW, "short_description": "INC-7 Worse", "assigned_to": ""}
    assert steps(replace(CASE, severity="low"), raw) == {"severity": Step.SEND, "title": Step.TAKE}


def test_a_state_that_means_the_same_is_no_change() -> None:
    working = replace(CASE, status="contained")
    base = {**BASE, "status": agreed(RULES, working, "status", {**RAW, "state": "2"})}
    assert steps(working, {**RAW, "state": "3"}, base) == {}


def test_a_ticket_that_closes_itself_changes_nothing() -> None:
    ended = replace(CASE, status="resolved", determination="benign", reason="r")
    raw = {**RAW, "state": "6", **outgoing(RULES, ended)["determination"]}
    base = {name: agreed(RULES, ended, name, raw) for name in VALUES}
    assert steps(ended, {**raw, "state": "7"}, base) in ({}, {"status": Step.SETTLE})


def test_what_has_no_counterpart_is_left_alone() -> None:
    assert steps(replace(CASE, owner="nobody"), RAW) == {"owner": Step.HOLD_OUT}
    assert steps(CASE, {**RAW, "state": "42"}) == {"status": Step.HOLD_IN}


def test_what_cannot_be_taken_cannot_win_and_is_not_overwritten() -> None:
    rules = replace(RULES, winners={"status": "theirs"})
    assert steps(replace(CASE, status="contained"), {**RAW, "state": "42"}, rules=rules) == {"status": Step.HOLD_IN}


@pytest.mark.parametrize(("direction", "expected"), [("off", {}), ("out", {"severity": Step.SEND}), ("in", {})])
def test_ours_goes_where_it_may(direction: str, expected: Any) -> None:
    rules = replace(RULES, directions={**RULES.directions, "severity": direction})
    assert steps(replace(CASE, severity="low"), RAW, rules=rules) == expected


def test_a_one_way_field_has_no_conflict() -> None:
    raw = {**RAW, "impact": "3", "urgency": "3", "priority": "5"}
    for direction, step in (("out", Step.SEND), ("in", Step.TAKE)):
        rules = replace(RULES, directions={**RULES.directions, "severity": direction}, winners={"severity": "ask"})
        found = plan(rules, replace(CASE, severity="low"), BASE, raw)["severity"]
        assert (found.step, found.conflict) == (step, False)


def test_without_a_base_equal_sides_agree_and_others_are_a_conflict() -> None:
    assert steps(CASE, RAW, {}) == dict.fromkeys((name for name in VALUES if name != "determination"), Step.SETTLE)
    rules = replace(RULES, winners=dict.fromkeys(VALUES, "ask"))
    assert steps(replace(CASE, severity="low"), RAW, {}, rules)["severity"] is Step.ASK


def test_our_own_write_of_which_the_answer_was_lost_is_known() -> None:
    changed = replace(CASE, severity="low")
    pending = {"severity": {"ours": "low", "theirs": {"impact": "2", "urgency": "3"}}}
    raw = {**RAW, "impact": "2", "urgency": "3", "priority": "4"}
    base = arrived(BASE, pending, raw)
    assert steps(changed, raw, base) == {}
    # And when they change it once more, that is theirs.
    again = {**raw, "impact": "1", "urgency": "1", "priority": "1"}
    assert steps(changed, again, base) == {"severity": Step.TAKE}
    assert arrived(BASE, pending, RAW) == BASE


def test_a_field_that_is_not_shown_any_more_has_not_changed() -> None:
    hidden = {key: value for key, value in RAW.items() if key != "assigned_to"}
    assert steps(CASE, hidden) == {}


WORDS_OF = st.sampled_from(["both", "out", "in", "off"]), st.sampled_from(["ours", "theirs", "newest", "ask"])


@given(st.builds(Sides, *WORDS_OF, *[st.booleans() for _ in range(6)]))
def test_no_decision_goes_against_its_direction_nor_over_what_is_not_mapped(sides: Sides) -> None:
    found = decide(sides)
    if found.step is Step.SEND:
        assert sides.direction in ("both", "out")
        assert sides.can_send
        assert sides.ours_changed
    if found.step is Step.TAKE:
        assert sides.direction in ("both", "in")
        assert sides.can_take
        assert sides.theirs_changed
    if found.conflict:
        assert sides.ours_changed
        assert sides.theirs_changed
        assert not sides.agree


@given(data=st.data())
def test_two_rounds_bring_any_two_sides_together(data: st.DataObject) -> None:
    """Whatever changed on both sides, taking and sending once leaves nothing to do (but for questions)."""
    winners = {name: data.draw(st.sampled_from(["ours", "theirs", "newest"])) for name in VALUES}
    rules = replace(RULES, winners=winners)
    severity = data.draw(st.sampled_from(list(RULES.map("severity"))))
    status = data.draw(st.sampled_from(["open", "in_progress", "contained"]))
    case = replace(CASE, severity=severity, status=status)
    raw = dict(RAW)
    raw["state"] = data.draw(st.sampled_from(["1", "2", "3"]))
    raw["impact"], raw["urgency"] = data.draw(st.sampled_from(list(product("123", repeat=2))))
    raw["priority"] = str(int(raw["impact"]) + int(raw["urgency"]) - 1)
    newer = data.draw(st.booleans())
    found = plan(rules, case, BASE, raw, lambda name: newer)
    base = dict(BASE)
    read, out = incoming(rules, raw, case), outgoing(rules, case)
    for name, one in found.items():
        if one.step is Step.TAKE:
            case = replace(case, **{name: read[name]})
        elif one.step is Step.SEND:
            raw |= out[name]
        if one.step in (Step.TAKE, Step.SEND, Step.SETTLE):
            base[name] = {}
    raw["priority"] = str(int(raw["impact"]) + int(raw["urgency"]) - 1)
    base = {name: agreed(rules, case, name, raw) if base[name] == {} else base[name] for name in base}
    assert {one.step for one in plan(rules, case, base, raw).values()} <= {Step.KEEP, Step.SETTLE}


def test_a_decision_without_news_is_to_keep() -> None:
    assert decide(replace(SIDES, ours_changed=False, theirs_changed=False)).step is Step.KEEP
