"""The stand-in ServiceNow: Table API (visionone-servicenow.md B1): queries, pages, display values, what is refused."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from email.utils import parsedate_to_datetime

import pytest

from tests.servicenow_range import Desk, servicenow

INCIDENT = "/api/now/table/incident"


@pytest.fixture
def desk() -> Iterator[Desk]:
    with servicenow() as found:
        yield found


def numbers(desk: Desk, query: str, **more: str) -> list[str]:
    answer = desk.api.get(INCIDENT, params={"sysparm_query": query, "sysparm_fields": "number", **more})
    assert answer.status_code == 200, answer.text
    return [row["number"] for row in answer.json()["result"]]


def test_a_ticket_is_made_read_changed_and_gone(desk: Desk) -> None:
    made = desk.api.post(INCIDENT, json={"short_description": "Phishing", "correlation_id": "soar:1"})
    assert made.status_code == 201
    row = made.json()["result"]
    assert row["number"] == "INC0010004" and len(row["sys_id"]) == 32
    assert made.headers["Location"].endswith(row["sys_id"])
    assert (row["state"], row["priority"], row["sys_mod_count"]) == ("1", "5", "0")
    here = f"{INCIDENT}/{row['sys_id']}"
    changed = desk.api.patch(here, json={"impact": "1", "urgency": 2}).json()["result"]
    assert (changed["priority"], changed["sys_mod_count"]) == ("2", "1")
    assert desk.api.put(here, json={"urgency": "1"}).json()["result"]["priority"] == "1"
    gone = desk.api.delete(here)
    assert gone.status_code == 204 and gone.content == b""
    assert desk.api.get(here).status_code == 404
    assert desk.api.get(here).json() == {
        "error": {
            "message": "No Record found",
            "detail": "Record doesn't exist or ACL restricts the record retrieval",
        },
        "status": "failure",
    }


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("short_description=alpha one", ["a"]),
        ("short_description!=alpha one^correlation_idSTARTSWITHq", ["b", "c"]),
        ("short_descriptionLIKEpha", ["a", "b"]),
        ("short_descriptionLIKEPHA^correlation_idSTARTSWITHq", []),
        ("short_descriptionENDSWITHtwo", ["b", "c"]),
        ("stateIN1,6^correlation_idSTARTSWITHq", ["a", "b", "c"]),
        ("impact>1^impact<3^correlation_idSTARTSWITHq", ["b"]),
        ("impact>=2^impact<=2^correlation_idSTARTSWITHq", ["b"]),
        ("correlation_id=q1^ORcorrelation_id=q3", ["a", "c"]),
        ("correlation_id=q1^NQcorrelation_id=q2", ["a", "b"]),
        ("assigned_to.email=o.strand@corp.example.com", ["c"]),
        ("short_description=a^^b", ["d"]),
    ],
)
def test_queries(desk: Desk, query: str, found: list[str]) -> None:
    texts = {"a": "alpha one", "b": "alpha two", "c": "beta two", "d": "a^b"}
    named: dict[str, str] = {}
    for place, (name, text) in enumerate(texts.items(), 1):
        person = "o.strand" if name == "c" else ""
        key = f"q{place}" if name != "d" else ""
        made = desk.create(short_description=text, correlation_id=key, impact=str(place), assigned_to=person)
        named[made["number"]] = name
    assert [named[one] for one in numbers(desk, f"{query}^ORDERBYnumber") if one in named] == found


def test_rows_are_ordered_by_what_the_query_says(desk: Desk) -> None:
    made = [desk.create(correlation_id=f"o{place}", impact=impact)["number"] for place, impact in enumerate("231")]
    assert numbers(desk, "correlation_idSTARTSWITHo^ORDERBYimpact") == [made[2], made[0], made[1]]
    assert numbers(desk, "correlation_idSTARTSWITHo^ORDERBYDESCimpact") == [made[1], made[0], made[2]]


@pytest.mark.parametrize(
    "part", ["no_such_field=1", "number~x", "=", "sys_updated_on>=yesterday", "caller_id.nothing=1"]
)
def test_an_invalid_part_is_left_out_without_a_word(desk: Desk, part: str) -> None:
    assert len(numbers(desk, part)) == 3
    desk.tell("property", name="glide.invalid_query.returns_no_rows", value="true")
    assert numbers(desk, part) == []


def test_an_empty_correlation_id_finds_the_incidents_of_strangers(desk: Desk) -> None:
    assert len(numbers(desk, "correlation_id=")) == 3


def test_a_query_that_is_too_long_for_an_address_is_refused(desk: Desk) -> None:
    def status(most: int) -> int:
        asked = {"sysparm_query": "sys_idIN" + ",".join("f" * 32 for _ in range(most))}
        return desk.api.get(INCIDENT, params=asked).status_code

    assert (status(100), status(300)) == (200, 414)


def test_nothing_found_is_an_error_in_version_1_alone(desk: Desk) -> None:
    query = {"sysparm_query": "number=INC1"}
    assert desk.api.get(INCIDENT, params=query).json() == {"result": []}
    assert desk.api.get("/api/now/v2/table/incident", params=query).json() == {"result": []}
    assert desk.api.get("/api/now/v1/table/incident", params=query).status_code == 404


def test_a_page_is_cut_before_rights_are_asked(desk: Desk) -> None:
    made = [desk.create(correlation_id=f"p{place}") for place in range(5)]
    desk.tell("hide", sys_id=made[1]["sys_id"])
    asked = {"sysparm_query": "correlation_idSTARTSWITHp^ORDERBYnumber", "sysparm_limit": "2"}
    answer = desk.api.get(INCIDENT, params=asked)
    assert [row["number"] for row in answer.json()["result"]] == [made[0]["number"]]
    assert answer.headers["X-Total-Count"] == "5"
    pages = [len(answer.json()["result"])]
    while "next" in answer.links:
        answer = desk.api.get(answer.links["next"]["url"])
        pages.append(len(answer.json()["result"]))
    assert pages == [1, 2, 1]
    assert desk.api.get(f"{INCIDENT}/{made[1]['sys_id']}").status_code == 404
    desk.tell("show", sys_id=made[1]["sys_id"])
    assert desk.api.get(f"{INCIDENT}/{made[1]['sys_id']}").status_code == 200


def test_count_and_links_can_be_switched_off(desk: Desk) -> None:
    off = {"sysparm_limit": "1", "sysparm_no_count": "true", "sysparm_suppress_pagination_header": "true"}
    answer = desk.api.get(INCIDENT, params=off)
    assert "X-Total-Count" not in answer.headers and "Link" not in answer.headers
    assert desk.api.get(INCIDENT, params={"sysparm_limit": "1"}).links.keys() == {"first", "next", "last"}


def test_references_and_display_values(desk: Desk) -> None:
    made = desk.create(assigned_to="o.strand", state="2")
    here = f"{INCIDENT}/{made['sys_id']}"
    fields = {"sysparm_fields": "assigned_to,assigned_to.email,state,priority,nonsense,parent.number"}
    raw = desk.api.get(here, params=fields).json()["result"]
    assert raw.keys() == {"assigned_to", "assigned_to.email", "state", "priority", "parent.number"}
    assert raw["assigned_to"]["link"].endswith(f"/api/now/table/sys_user/{raw['assigned_to']['value']}")
    assert (raw["assigned_to.email"], raw["state"], raw["parent.number"]) == ("o.strand@corp.example.com", "2", "")
    plain = desk.api.get(here, params={**fields, "sysparm_exclude_reference_link": "true"}).json()["result"]
    assert plain["assigned_to"] == raw["assigned_to"]["value"]
    shown = desk.api.get(here, params={**fields, "sysparm_display_value": "true"}).json()["result"]
    assert (shown["assigned_to"]["display_value"], shown["state"]) == ("Ola Strand", "In Progress")
    assert shown["priority"] == "5 - Planning"
    both = desk.api.get(here, params={**fields, "sysparm_display_value": "all"}).json()["result"]
    assert both["state"] == {"display_value": "In Progress", "value": "2"}


def test_times_are_utc_or_those_of_the_users_zone_and_format(desk: Desk) -> None:
    desk.tell("user", user_name="soar.integration", set={"time_zone": "Europe/Oslo", "date_format": "dd-MM-yyyy"})
    made = desk.create(opened_at="2026-07-01 23:30:00")
    both = desk.api.get(f"{INCIDENT}/{made['sys_id']}", params={"sysparm_display_value": "all"}).json()["result"]
    assert both["opened_at"] == {"value": "2026-07-01 21:30:00", "display_value": "01-07-2026 23:30:00"}


def test_times_in_a_query_are_meant_in_the_zone_of_whoever_asks(desk: Desk) -> None:
    opened = desk.create(opened_at="2026-01-10 12:00:00", correlation_id="z")["fields"]["opened_at"]
    assert opened == "2026-01-10 11:00:00"  # Ola Strand is in Oslo
    assert numbers(desk, "correlation_id=z^opened_at=2026-01-10 11:00:00")
    assert numbers(desk, "correlation_id=z^opened_at>=javascript:gs.dateGenerate('2026-01-10','11:00:00')")
    desk.tell("user", user_name="soar.integration", set={"time_zone": "US/Pacific"})
    assert numbers(desk, "correlation_id=z^opened_at=2026-01-10 11:00:00") == []
    assert numbers(desk, "correlation_id=z^opened_at=2026-01-10 03:00:00")


def test_the_empty_string_clears_but_no_choice(desk: Desk) -> None:
    made = desk.create(description="Long", assigned_to="o.strand", category="network")
    row = desk.api.patch(
        f"{INCIDENT}/{made['sys_id']}", json={"description": "", "assigned_to": "", "category": ""}
    ).json()["result"]
    assert (row["description"], row["assigned_to"], row["category"]) == ("", "", "network")


def test_what_is_unknown_read_only_or_too_long_is_dropped_or_cut_without_a_word(desk: Desk) -> None:
    wish = {
        "nonsense": "x", "priority": "1", "number": "INC1", "sys_updated_by": "me", "assigned_to": "f" * 32,
        "correlation_id": "c" * 140, "short_description": "s" * 300,
    }  # fmt: skip
    row = desk.api.post(INCIDENT, json=wish).json()["result"]
    assert "nonsense" not in row
    assert (row["priority"], row["assigned_to"], row["sys_updated_by"]) == ("5", "", "soar.integration")
    assert (len(row["correlation_id"]), len(row["short_description"])) == (100, 160)


def test_fields_kept_from_the_portal(desk: Desk) -> None:
    made = desk.create(description="Secret", correlation_id="u")
    desk.tell("arrange", unreadable=["description"], unwritable=["short_description"])
    row = desk.api.patch(f"{INCIDENT}/{made['sys_id']}", json={"short_description": "Mine"}).json()["result"]
    assert "description" not in row
    assert row["short_description"] == "A ticket"
    assert len(numbers(desk, "description=nothing")) == 4


def test_names_and_times_can_be_typed_in(desk: Desk) -> None:
    wish = {"assigned_to": "Ola Strand", "opened_at": "2026-01-10 12:00:00", "state": "In Progress"}
    desk.tell("user", user_name="soar.integration", set={"time_zone": "Europe/Oslo"})
    typed = desk.api.post(INCIDENT, params={"sysparm_input_display_value": "true"}, json=wish).json()["result"]
    assert typed["assigned_to"]["value"] and typed["opened_at"] == "2026-01-10 11:00:00" and typed["state"] == "2"


def test_of_several_records_one_is_taken(desk: Desk) -> None:
    desk.api.post(INCIDENT, json=[{"correlation_id": "one"}, {"correlation_id": "two"}])
    assert len(numbers(desk, "correlation_id=one")) == 1
    assert numbers(desk, "correlation_id=two") == []


@pytest.mark.parametrize(
    ("content", "headers"),
    [("{}", {"Content-Type": "text/plain"}), ("{}", {"Content-Type": "application/json", "Accept": "text/html"}),
     ("{no", {"Content-Type": "application/json"}), ('"x"', {"Content-Type": "application/json"})],
)  # fmt: skip
def test_bodies_that_are_none(desk: Desk, content: str, headers: dict[str, str]) -> None:
    answer = desk.api.post(INCIDENT, content=content, headers=headers)
    assert answer.status_code == 400
    assert answer.json()["status"] == "failure"


def test_a_table_that_is_not_there(desk: Desk) -> None:
    answer = desk.api.get("/api/now/table/incidnet")
    assert (answer.status_code, answer.json()["error"]["message"]) == (400, "Invalid table incidnet")
    assert answer.json()["error"]["detail"] is None


def test_an_update_that_changes_nothing_is_not_counted(desk: Desk) -> None:
    made = desk.create(short_description="Same")
    here = f"{INCIDENT}/{made['sys_id']}"
    assert desk.api.patch(here, json={"short_description": "Same"}).json()["result"]["sys_mod_count"] == "0"
    row = desk.api.patch(here, json={"work_notes": "Seen"}).json()["result"]
    assert (row["sys_mod_count"], row["sys_updated_by"]) == ("1", "soar.integration")


def test_two_changes_in_one_second_differ_by_their_count_alone(desk: Desk) -> None:
    desk.tell("clock", freeze=True)
    made = desk.create()
    first = desk.change(made, short_description="One")
    second = desk.change(made, short_description="Two")
    assert first["fields"]["sys_updated_on"] == second["fields"]["sys_updated_on"]
    assert (first["fields"]["sys_mod_count"], second["fields"]["sys_mod_count"]) == ("1", "2")


def test_its_clock_may_be_wrong_and_says_so(desk: Desk) -> None:
    right = parsedate_to_datetime(desk.api.get(INCIDENT).headers["Date"])
    desk.tell("clock", skew=-300)
    wrong = parsedate_to_datetime(desk.api.get(INCIDENT).headers["Date"])
    assert 290 < (right - wrong).total_seconds() < 301
    assert desk.create()["fields"]["sys_created_on"] <= (right - timedelta(seconds=290)).strftime("%Y-%m-%d %H:%M:%S")


def test_thousands_of_tickets_are_found_by_their_time(desk: Desk) -> None:
    desk.tell("stock", tickets=3000, correlation="soar:x:{n}")
    asked = {"sysparm_query": "correlation_idSTARTSWITHsoar:x:^ORDERBYsys_updated_on^ORDERBYsys_id"}
    answer = desk.api.get(INCIDENT, params={**asked, "sysparm_limit": "1000", "sysparm_fields": "sys_id"})
    assert (len(answer.json()["result"]), answer.headers["X-Total-Count"]) == (1000, "3000")
