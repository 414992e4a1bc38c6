"""The stand-in ServiceNow: what tickets do and refuse (visionone-servicenow.md B1 to B3), and its control."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from soar.standins.server import Server
from soar.standins.servicenow.standin import ServiceNow
from tests.servicenow_range import Desk, servicenow

INCIDENT = "/api/now/table/incident"
SECURITY = "/api/now/table/sn_si_incident"
JOURNAL = "/api/now/table/sys_journal_field"
CLOSING = {"close_code": "Solution provided", "close_notes": "Cleaned."}


@pytest.fixture
def desk() -> Iterator[Desk]:
    with servicenow() as found:
        yield found


def patch(desk: Desk, ticket: dict[str, Any], **fields: str) -> tuple[int, dict[str, Any]]:
    answer = desk.api.patch(f"/api/now/table/{ticket['table']}/{ticket['sys_id']}", json=fields)
    found: dict[str, Any] = answer.json()
    return answer.status_code, found.get("result") or found["error"]


@pytest.mark.parametrize(
    ("impact", "urgency", "priority"),
    [("1", "1", "1"), ("1", "2", "2"), ("1", "3", "3"), ("2", "1", "2"), ("2", "2", "3"), ("2", "3", "4"),
     ("3", "1", "3"), ("3", "2", "4"), ("3", "3", "5")],
)  # fmt: skip
def test_the_priority_is_calculated(desk: Desk, impact: str, urgency: str, priority: str) -> None:
    made = desk.api.post(INCIDENT, json={"impact": impact, "urgency": urgency, "priority": "9"}).json()["result"]
    assert made["priority"] == priority


@pytest.mark.parametrize(
    ("fields", "missing"),
    [
        ({}, "Resolution code, Close notes"),
        ({"close_code": "Solution provided"}, "Close notes"),
        ({"close_notes": "Done"}, "Resolution code"),
        ({"close_notes": "Done", "close_code": "Solved (Permanently)"}, "Resolution code"),
        ({"close_notes": "Done", "close_code": "solution provided"}, "Resolution code"),
    ],
)
def test_resolving_needs_a_code_that_is_a_choice_and_notes(desk: Desk, fields: dict[str, str], missing: str) -> None:
    made = desk.create()
    status, error = patch(desk, made, state="6", **fields)
    assert (status, error["message"]) == (403, "Operation Failed")
    assert error["detail"] == f"Data Policy Exception: The following fields are mandatory: {missing}"
    assert desk.ask("ticket", sys_id=made["sys_id"])["fields"]["state"] == "1"


def test_resolved_closed_and_opened_again(desk: Desk) -> None:
    made = desk.create()
    status, row = patch(desk, made, state="6", **CLOSING)
    assert (status, row["active"], bool(row["resolved_at"]), row["closed_at"]) == (200, "true", True, "")
    status, row = patch(desk, made, state="2")
    assert (row["reopen_count"], row["resolved_at"], row["state"]) == ("1", "", "2")
    status, row = patch(desk, made, state="7", **CLOSING)
    assert (status, row["active"], bool(row["closed_at"])) == (200, "false", True)


def test_closing_needs_a_role_that_resolving_does_not(desk: Desk) -> None:
    desk.tell("user", user_name="soar.integration", roles=["snc_platform_rest_api_access", "itil"])
    made = desk.create()
    assert patch(desk, made, state="6", **CLOSING)[0] == 200
    assert patch(desk, made, state="7")[0] == 403


def test_resolved_tickets_are_closed_by_the_system(desk: Desk) -> None:
    made = desk.tell("close", number=desk.create()["number"])
    other = desk.create()
    assert desk.tell("auto-close")["closed"] == [made["number"]]
    fields = desk.ask("ticket", number=made["number"])["fields"]
    assert (fields["state"], fields["sys_updated_by"]) == ("7", "system")
    assert desk.ask("ticket", number=other["number"])["fields"]["state"] == "1"


def test_awaiting_the_caller_makes_comments_mandatory_and_the_caller_brings_it_back(desk: Desk) -> None:
    made = desk.create(caller_id="e.caller")
    status, error = patch(desk, made, state="3", hold_reason="1")
    assert (status, error["detail"].rpartition(": ")[2]) == (403, "Additional comments")
    assert patch(desk, made, state="3", hold_reason="1", comments="Which device?")[1]["hold_reason"] == "1"
    assert patch(desk, made, state="3", hold_reason="4")[0] == 200
    assert patch(desk, made, hold_reason="1", comments="And since when?")[0] == 200
    row = desk.tell("note", sys_id=made["sys_id"], as_="e.caller", element="comments", text="Mine")["fields"]
    assert (row["state"], row["hold_reason"], row["sys_updated_by"]) == ("2", "", "e.caller")


def test_who_is_no_member_of_the_group_is_refused_where_that_is_the_rule(desk: Desk) -> None:
    people = desk.ask("people")
    group = next(one["sys_id"] for one in people["groups"] if one["name"] == "Endpoint Team")
    users = {one["user_name"]: one["sys_id"] for one in people["users"]}
    desk.tell("arrange", members_only=True)
    made = desk.create(assignment_group=group)
    status, error = patch(desk, made, assigned_to=users["o.strand"])
    assert status == 403 and "Business Rule" in error["detail"]
    assert patch(desk, made, assigned_to=users["hanna.wojcik"])[0] == 200


def test_journal_fields_read_back_empty_and_are_shown_as_one_text(desk: Desk) -> None:
    made = desk.create()
    desk.tell("note", sys_id=made["sys_id"], text="First <b>line</b>")
    assert patch(desk, made, work_notes="Second", comments="To the caller")[1]["work_notes"] == ""
    here = f"{INCIDENT}/{made['sys_id']}"
    raw = desk.api.get(here, params={"sysparm_fields": "work_notes,comments"}).json()["result"]
    assert raw == {"work_notes": "", "comments": ""}
    text = desk.api.get(here, params={"sysparm_display_value": "true"}).json()["result"]["work_notes"]
    assert [line for line in text.splitlines() if line][1::2] == ["Second", "First <b>line</b>"]
    assert "- Soar Integration (Work notes)" in text and "- Ola Strand (Work notes)" in text
    both = desk.api.get(here, params={"sysparm_display_value": "all"}).json()["result"]["comments"]
    assert both["value"] == "" and "To the caller" in both["display_value"]


def test_entries_of_the_journal_are_rows_that_are_only_added(desk: Desk) -> None:
    made = desk.create()
    for text in ("one", "two"):
        patch(desk, made, work_notes=text)
    query = f"name=incident^element_id={made['sys_id']}^elementINcomments,work_notes^ORDERBYsys_created_on"
    fields = {"sysparm_query": query, "sysparm_fields": "sys_id,element,value,sys_created_on,sys_created_by"}
    rows = desk.api.get(JOURNAL, params=fields).json()["result"]
    assert {row["value"] for row in rows} == {"one", "two"}
    assert {(row["element"], row["sys_created_by"]) for row in rows} == {("work_notes", "soar.integration")}
    assert desk.api.patch(f"{JOURNAL}/{rows[0]['sys_id']}", json={"value": "other"}).status_code == 403
    assert desk.api.delete(f"{JOURNAL}/{rows[0]['sys_id']}").status_code == 403


def test_the_journal_may_be_closed_to_the_portal(desk: Desk) -> None:
    made = desk.create()
    patch(desk, made, work_notes="one")
    desk.tell("arrange", journal_read="no")
    assert desk.api.get(JOURNAL).status_code == 403
    assert patch(desk, made, work_notes="two")[0] == 200
    desk.tell("arrange", journal_read="empty")
    answer = desk.api.get(JOURNAL)
    assert (answer.json()["result"], answer.headers["X-Total-Count"]) == ([], "2")


def test_a_note_that_is_too_long_is_cut_without_a_word(desk: Desk) -> None:
    made = desk.create()
    desk.tell("arrange", journal_limit=100)
    assert patch(desk, made, work_notes="n" * 400)[0] == 200
    assert len(desk.ask("ticket", sys_id=made["sys_id"])["journal"][0]["value"]) == 100
    assert desk.api.post(INCIDENT, json={"description": "x" * 11_000_000}).status_code == 413


def test_a_security_incident_goes_step_by_step(desk: Desk) -> None:
    made = desk.create(table="sn_si_incident")
    assert (made["number"][:3], made["fields"]["state"]) == ("SIR", "10")
    status, error = patch(desk, made, state="18")
    assert status == 403 and "was aborted by Business Rule" in error["detail"]
    for state in ("16", "18", "19", "20", "100"):
        assert patch(desk, made, state=state)[1]["state"] == state
    assert patch(desk, made, state="20")[0] == 403
    assert patch(desk, made, state="3")[0] == 403
    closed = patch(desk, made, state="3", close_code="Threat mitigated", close_notes="Done.")[1]
    assert (closed["state"], closed["active"]) == ("3", "false")
    assert patch(desk, made, state="16")[0] == 403


def test_an_open_process_lets_states_be_skipped(desk: Desk) -> None:
    desk.tell("arrange", sir_process="open")
    made = desk.create(table="sn_si_incident")
    assert patch(desk, made, state="100")[1]["state"] == "100"
    assert patch(desk, made, state="16")[1]["state"] == "16"
    assert patch(desk, made, state="7")[1]["active"] == "false"


def test_security_incidents_need_a_role_of_their_own(desk: Desk) -> None:
    made = desk.create(table="sn_si_incident")
    desk.tell("user", user_name="soar.integration", roles=["snc_platform_rest_api_access", "itil"])
    assert desk.api.get(f"{SECURITY}/{made['sys_id']}").status_code == 404
    assert desk.api.post(SECURITY, json={}).status_code == 403


@pytest.mark.parametrize(
    ("table", "element", "some"),
    [
        ("incident", "state", "On Hold"), ("incident", "close_code", "Solution provided"),
        ("incident", "impact", "1 - High"), ("incident", "urgency", "2 - Medium"),
        ("incident", "priority", "1 - Critical"), ("incident", "hold_reason", "Awaiting Caller"),
        ("incident", "category", "Network"), ("incident", "contact_type", "Email"),
        ("sn_si_incident", "state", "Eradicate"), ("sn_si_incident", "close_code", "Threat mitigated"),
        ("task", "impact", "3 - Low"),
    ],
)  # fmt: skip
def test_choices_can_be_read(desk: Desk, table: str, element: str, some: str) -> None:
    query = f"name={table}^element={element}^inactive=false^language=en^ORDERBYsequence"
    rows = desk.api.get("/api/now/table/sys_choice", params={"sysparm_query": query}).json()["result"]
    assert some in [row["label"] for row in rows]
    assert "Gelöst" not in [row["label"] for row in rows]


def test_the_desk_plays_the_other_side(desk: Desk) -> None:
    made = desk.tell("create", as_="l.becker", set={"short_description": "Odd", "assigned_to": "Ola Strand"})
    assert (made["fields"]["opened_by"], made["labels"]["assigned_to"]) != ("", "")
    assert made["labels"]["opened_by"] == "Lena Becker"
    named = {"number": made["number"]}
    closed = desk.tell("close", **named, code="User error", notes="Was nothing")
    assert (closed["labels"]["state"], closed["fields"]["close_code"]) == ("Resolved", "User error")
    assert desk.tell("reopen", **named, as_="priya.raman")["fields"]["sys_updated_by"] == "priya.raman"
    assert desk.tell("attach", **named, name="a.txt", content="Hello")["attachments"][0]["size_bytes"] == "5"
    assert [one["fields"]["number"] for one in desk.ask("tickets")].count(made["number"]) == 1
    assert desk.tell("delete", **named) == {"deleted": made["number"]}
    assert desk.order("note", **named, text="x").status_code == 404
    security = desk.create(table="sn_si_incident")
    assert desk.tell("close", number=security["number"])["labels"]["state"] == "Closed"
    assert desk.tell("reopen", number=security["number"])["labels"]["state"] == "Analysis"


@pytest.mark.parametrize(
    ("verb", "wish", "status"),
    [
        ("change", {"number": "INC0010001", "set": {"state": "6"}}, 403),
        ("change", {"number": "INC0010001"}, 400),
        ("note", {"number": "INC0010001", "text": "x", "as_": "stranger"}, 400),
        ("nonsense", {}, 404),
        ("arrange", {"nonsense": 1}, 400),
        ("create", {"table": "sys_user"}, 400),
    ],
)
def test_what_the_desk_cannot_do(desk: Desk, verb: str, wish: dict[str, Any], status: int) -> None:
    answer = desk.order(verb, **wish)
    assert answer.status_code == status
    assert answer.json()["error"]["message"]


def test_by_force_the_desk_does_what_no_policy_allows(desk: Desk) -> None:
    wish = {"state": "7", "sys_updated_on": "2026-01-01 00:00:00", "priority": "1"}
    made = desk.tell("change", number="INC0010001", set=wish, force=True)["fields"]
    assert (made["state"], made["close_code"], made["priority"]) == ("7", "", "1")


def test_everything_lasts_over_a_restart(desk: Desk) -> None:
    before = desk.standin.stamp()
    made = desk.create(correlation_id="lasting")
    desk.tell("note", sys_id=made["sys_id"], text="kept")
    assert desk.standin.stamp() != before
    again = ServiceNow()
    again.state = {**again.fresh(), **json.loads(json.dumps(desk.standin.kept()))}
    with Server([again]) as server:
        other = Desk(server, again)
        assert other.ask("ticket", correlation_id="lasting")["journal"][0]["value"] == "kept"
        assert int(other.create()["number"][3:]) == int(made["number"][3:]) + 1
        other.close()
    desk.tell("reset")
    assert len(desk.ask("tickets")) == 3


def test_many_write_at_once(desk: Desk) -> None:
    made = desk.create()
    here = f"{INCIDENT}/{made['sys_id']}"
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: desk.api.patch(here, json={"work_notes": f"note {n}"}), range(40)))
    found = desk.ask("ticket", sys_id=made["sys_id"])
    assert found["fields"]["sys_mod_count"] == "40"
    assert {one["value"] for one in found["journal"]} == {f"note {n}" for n in range(40)}
