"""What an incident's values are in a ticket and the other way round; templates; correlation ids."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cases.choices import Determination, IncidentStatus, Severity
from cases.servicenow import correlation, templates
from cases.servicenow.mapping import (
    UNMAPPED,
    VALUES,
    CaseState,
    ProfileRules,
    agrees,
    close_of,
    defaults,
    gaps,
    incoming,
    missing_in,
    missing_out,
    outgoing,
)
from soar.connectors.servicenow.records import Choice

WHEN = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)
WORDS = {"number": "INC-7", "title": "Phish"}
CASE = CaseState("INC-7", "Phish", "high", "open", words=WORDS)
RAW = {
    "short_description": "INC-7 Phish", "impact": "1", "urgency": "2", "priority": "2", "state": "1", "close_code": "",
    "close_notes": "", "assigned_to": "", "assignment_group": "",
}  # fmt: skip
MARA, BLUE = "a" * 32, "b" * 32


def rules(table: str = "incident", **more: Any) -> ProfileRules:
    made = defaults(table)
    maps = {**made["maps"], "user": {"mara": {"value": MARA}}, "group": {"3": {"value": BLUE}}}
    return replace(ProfileRules(table, maps, made["directions"], made["winners"]), **more)


def test_an_open_incident_goes_out_without_an_end() -> None:
    assert outgoing(rules(), replace(CASE, owner="mara", team="3")) == {
        "title": {"short_description": "INC-7 Phish"},
        "severity": {"impact": "1", "urgency": "2"},
        "status": {"state": "1"},
        "owner": {"assigned_to": MARA},
        "team": {"assignment_group": BLUE},
    }


def test_a_resolved_one_goes_out_with_code_and_notes() -> None:
    case = replace(CASE, status="closed", determination="benign", reason="Only a test")
    out = outgoing(rules(), case)
    assert out["status"] == {"state": "6"}
    assert out["determination"] == {"close_code": "No resolution provided", "close_notes": "Only a test"}


def test_notes_of_an_end_are_never_empty_nor_too_long() -> None:
    end = close_of(rules(), replace(CASE, status="closed", determination="malicious"))
    assert isinstance(end, dict)
    assert "INC-7" in end["close_notes"]
    long = close_of(rules(), replace(CASE, status="closed", determination="malicious", reason="x" * 9000))
    assert isinstance(long, dict)
    assert len(long["close_notes"]) == 4000


def test_findings_can_have_a_code_of_their_own() -> None:
    own = rules(maps={**rules().maps, "close_code": {"benign": "Duplicate", "benign_true_positive": "Known error"}})
    case = replace(CASE, status="closed", determination="benign", findings="benign_true_positive")
    assert outgoing(own, case)["determination"]["close_code"] == "Known error"


def test_a_code_of_a_determination_and_its_finding_comes_back_as_that_determination() -> None:
    codes = {"malicious": "Solution provided", "benign": "Odd", "false_positive": "Odd"}
    own = rules(maps={**rules().maps, "close_code": codes, "close_code_in": {}})
    raw = {**RAW, "state": "6", "close_code": "Odd", "close_notes": "was me"}
    assert incoming(own, raw)["determination"] == {"determination": "benign", "notes": "was me"}


def test_what_is_not_mapped_is_left_out_and_named() -> None:
    case = replace(CASE, owner="nobody", team="9")
    assert not {"owner", "team"} & outgoing(rules(), case).keys()
    named = missing_out(rules(), case)
    assert [(gap.map, gap.value) for gap in named.values()] == [("user", "nobody"), ("group", "9")]


def test_nobody_is_nobody_on_both_sides() -> None:
    assert outgoing(rules(), CASE)["owner"] == {"assigned_to": ""}
    assert incoming(rules(), RAW)["owner"] == ""


@pytest.mark.parametrize(
    ("impact", "urgency", "priority", "word"),
    [("1", "1", "1", "critical"), ("2", "1", "2", "high"), ("1", "3", "3", "medium"), ("3", "2", "4", "low"),
     ("3", "3", "5", "informational"), ("9", "9", "9", UNMAPPED)],
)  # fmt: skip
def test_severity_comes_from_the_pair_or_else_the_priority(impact: str, urgency: str, priority: str, word: Any) -> None:
    raw = {**RAW, "impact": impact, "urgency": urgency, "priority": priority}
    assert incoming(rules(), raw)["severity"] == word


@pytest.mark.parametrize("state", ["6", "7", "8"])
def test_three_states_are_an_end(state: str) -> None:
    raw = {**RAW, "state": state, "close_code": "User error", "close_notes": "was me"}
    found = incoming(rules(), raw)
    assert found["status"] in ("resolved", "closed")
    assert found["determination"] == {"determination": "benign", "notes": "was me"}


def test_the_code_of_an_open_ticket_says_nothing() -> None:
    assert "determination" not in incoming(rules(), {**RAW, "close_code": "User error"})


def test_what_has_no_counterpart_here_is_named() -> None:
    raw = {**RAW, "state": "42", "assigned_to": "f" * 32, "priority": "9", "impact": "9"}
    found = incoming(rules(), raw)
    assert [name for name in found if found[name] is UNMAPPED] == ["severity", "status", "owner"]
    assert {(gap.map, gap.value) for gap in missing_in(rules(), raw).values()} == {
        ("priority", "9"), ("state", "42"), ("user", "f" * 32),
    }  # fmt: skip


def test_a_field_that_is_not_shown_is_not_read() -> None:
    assert incoming(rules(), {"state": "2"}) == {"status": "in_progress"}


def test_directions_hold() -> None:
    one_way = rules(directions={**dict.fromkeys(VALUES, "off"), "title": "out", "severity": "in"})
    assert outgoing(one_way, CASE).keys() == {"title"}
    assert incoming(one_way, RAW).keys() == {"severity"}


def test_the_title_is_found_in_the_short_description_again() -> None:
    assert incoming(rules(), {**RAW, "short_description": "INC-7 Phishing wave"}, CASE)["title"] == "Phishing wave"
    assert incoming(rules(), {**RAW, "short_description": "Something else"}, CASE)["title"] == "Something else"
    assert incoming(rules(), {**RAW, "short_description": ""}, CASE)["title"] is UNMAPPED


def test_a_long_title_is_cut_and_still_agrees() -> None:
    title = "word " * 60
    case = replace(CASE, title=title.strip()[:300], words={**WORDS, "title": title.strip()[:300]})
    there = outgoing(rules(), case)["title"]["short_description"]
    assert len(there) <= 160
    assert agrees(rules(), case, "title", {**RAW, "short_description": there})


def test_an_end_is_an_end_and_a_ticket_that_closes_itself_changes_nothing() -> None:
    case = replace(CASE, status="resolved", determination="benign", reason="x")
    assert agrees(rules(), case, "status", {**RAW, "state": "6"})
    assert agrees(rules(), case, "status", {**RAW, "state": "7"})
    assert not agrees(rules(), case, "status", {**RAW, "state": "2"})


def test_closing_goes_out_where_the_map_tells_it_from_resolving() -> None:
    two = rules(maps={**rules().maps, "status": {"resolved": "6", "closed": "7", "open": "1"}})
    closed = replace(CASE, status="closed", determination="benign")
    assert not agrees(two, closed, "status", {**RAW, "state": "6"})
    assert agrees(two, closed, "status", {**RAW, "state": "8"})


def test_on_hold_is_work_in_progress() -> None:
    assert agrees(rules(), replace(CASE, status="in_progress"), "status", {**RAW, "state": "3"})


@pytest.mark.parametrize("table", ["incident", "sn_si_incident"])
@given(
    status=st.sampled_from(IncidentStatus.words()),
    severity=st.sampled_from(Severity.words()),
    determination=st.sampled_from([word for word in Determination.words() if word != "unknown"]),
    owner=st.sampled_from(["", "mara"]),
)
def test_what_goes_out_agrees_with_what_it_was(
    table: str, status: str, severity: str, determination: str, owner: str
) -> None:
    case = replace(CASE, status=status, severity=severity, determination=determination, owner=owner, reason="why")
    raw = dict(RAW)
    for values in outgoing(rules(table), case).values():
        raw |= values
    compared = [name for name in VALUES if name != "determination" or case.ended]
    assert all(agrees(rules(table), case, name, raw) for name in compared)
    read = incoming(rules(table), raw, case)
    assert read["severity"] == severity
    assert (read["status"] in ("resolved", "closed")) == case.ended


def test_gaps_are_named_before_a_profile_is_switched_on() -> None:
    known = {
        "state": [Choice("1", "New"), Choice("2", "In Progress"), Choice("6", "Resolved"), Choice("42", "Waiting")],
        "close_code": [Choice("Solution provided", "Solution provided"), Choice("Odd", "Odd")],
        "impact": [Choice("1", "High")], "urgency": [Choice("1", "High"), Choice("2", "Medium")],
        "priority": [Choice("1", "Critical"), Choice("8", "Unheard of")],
    }  # fmt: skip
    found = {(gap.map, gap.value) for gap in gaps(rules(), known)}
    assert ("state", "42") in found
    assert ("close_code", "benign") in found
    assert ("close_code_in", "Odd") in found
    assert ("priority", "8") in found
    assert ("severity", "medium") in found
    assert ("close_code", "malicious") not in found
    assert ("severity", "critical") not in found


def test_nothing_is_missing_in_what_is_delivered() -> None:
    from soar.standins.servicenow import choices

    for table, states, codes in (
        ("incident", choices.STATES, choices.CLOSE_CODES),
        ("sn_si_incident", choices.SECURITY_STATES, choices.SECURITY_CODES),
    ):
        levels = [Choice(value, label) for value, label in choices.LEVELS]
        known = {
            "state": [Choice(value, label) for value, label in states],
            "close_code": [Choice(code, code) for code in codes],
            "impact": levels,
            "urgency": levels,
            "priority": [Choice(value, label) for value, label in choices.PRIORITIES],
        }
        assert gaps(rules(table), known) == []


def test_templates_name_what_they_do_not_know() -> None:
    assert templates.check("{{ number }} {{title}}") == []
    assert "secret" in templates.check("{{ secret }}")[0]
    assert templates.check("{{ number")
    with pytest.raises(ValueError, match="secret"):
        templates.render("{{ secret }}", WORDS)


def test_a_title_is_no_template() -> None:
    assert templates.render("{{ title }}", {"title": "{{ number }}"}) == "{{ number }}"


@given(
    title=st.text(min_size=1, max_size=80).map(str.strip).filter(bool), before=st.sampled_from(["", "INC-7 ", "[x] "])
)
def test_a_rendered_title_is_found_again(title: str, before: str) -> None:
    text = f"{before}{{{{ title }}}}"
    assert templates.unrender(text, WORDS, templates.render(text, {**WORDS, "title": title})) == title


def test_correlation_ids_tell_installations_incidents_and_turns_apart() -> None:
    made = [
        correlation.correlation_id(one, incident, WHEN, turn)
        for one in ("0123abcd", "9999aaaa")
        for incident in (1, 2)
        for turn in (0, 1)
    ]
    assert len(set(made)) == len(made)
    assert all(len(one) <= 100 for one in made)
    assert made[0].startswith(correlation.prefix("0123abcd") + "1:")
    later = WHEN.replace(minute=31)
    assert correlation.correlation_id("0123abcd", 1, later) != made[0]


@pytest.mark.parametrize("installation", ["", "x" * 8, "0123abcde", "0123ABCD"])
def test_an_installation_has_eight_digits(installation: str) -> None:
    with pytest.raises(ValueError, match="installation"):
        correlation.correlation_id(installation, 1, WHEN)


def test_an_id_that_is_too_long_is_refused() -> None:
    with pytest.raises(ValueError, match="100"):
        correlation.correlation_id("0123abcd", 10**80, WHEN)
