"""What can go wrong while changes are read from ServiceNow (servicenow.md 8): what was not asked for, what is left out,
times that tell too little, tickets that end or go. After each both sides are equal, or people read why not."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.utils import timezone

from cases.actions import incident_owners, incidents
from cases.actions import servicenow as verbs
from cases.choices import IncidentStatus, Severity
from cases.models import MappingGap, ServiceNowInstance, TicketConflict, TicketLink
from soar.accounts.models import User
from soar.standins.servicenow import seed
from tests.factories import make_user
from tests.fixtures import client_of
from tests.servicenow_tools import Both, both_sides
from tests.ticket_sides import differences, edit, equal, here, incident_of, kinds, resolve, say

ENDED = (IncidentStatus.RESOLVED, IncidentStatus.CLOSED)
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def both() -> Iterator[Both]:
    cache.clear()
    with both_sides() as made:
        yield made
    cache.clear()


def page(user: User, address: str = "/servicenow/") -> str:
    """What a person reads there."""
    answer = client_of(user).get(address)
    assert answer.status_code == 200
    text: str = answer.content.decode()
    return text


def others(both: Both) -> list[dict[str, str]]:
    """The tickets that are none of ours, as they stand there."""
    return [one["fields"] for one in both.desk.ask("tickets") if not one["fields"]["correlation_id"]]


def known(username: str, theirs: str) -> None:
    """A person here with the mail address of one there."""
    make_user(username)
    User.objects.filter(username=username).update(email=f"{theirs}@corp.example.com")


# A query of which a part is ignored in silence.


def test_8_an_ignored_query_makes_no_ticket_and_takes_no_stranger(both: Both, admin: User) -> None:
    before = others(both)
    both.desk.tell("arrange", unreadable=["correlation_id"])
    link = both.open("Beacon", severity="high")
    assert link.state == "creating" and others(both) == before and len(both.desk.ask("tickets")) == 3
    assert both.failures() and "correlation_id" in page(admin)
    both.desk.tell("arrange", unreadable=[])
    verbs.retry_all(here())
    both.work()
    link.refresh_from_db()
    equal(both, link)


def test_8_an_ignored_query_of_the_poll_changes_nothing_and_is_told(both: Both, admin: User) -> None:
    link = both.open("Beacon", severity="high")
    both.settle()
    reached = ServiceNowInstance.objects.get().read_until
    both.desk.tell("arrange", unreadable=["correlation_id"])
    both.desk.change(both.ticket(link), impact="3", urgency="3")
    before = both.writes()
    both.poll()
    instance = ServiceNowInstance.objects.get()
    assert instance.in_failures == 1 and instance.read_until == reached and both.writes() == before
    assert instance.in_error in page(admin).replace("&#x27;", "'").replace("&quot;", '"')
    assert incident_of(link).severity != Severity.INFORMATIONAL
    both.desk.tell("arrange", unreadable=[])
    equal(both, link)
    assert incident_of(link).severity == Severity.INFORMATIONAL


def test_8_an_instance_that_answers_no_rows_to_such_a_query_loses_nothing(both: Both) -> None:
    both.desk.tell("property", name="glide.invalid_query.returns_no_rows", value="true")
    both.desk.tell("arrange", unreadable=["correlation_id"])
    link = both.open("Beacon")
    both.desk.tell("arrange", unreadable=[])
    verbs.retry_all(here())
    both.settle()
    link.refresh_from_db()
    equal(both, link)


# A page that access rules made shorter.


def test_8_a_page_of_which_access_rules_left_nothing_is_not_the_last(both: Both) -> None:
    link = both.open("Beacon", severity="high")
    both.settle()
    correlation = f"soar:{both.instance.installation}:{{n}}:hidden"
    stocked = both.desk.tell("stock", tickets=1050, correlation=correlation)["stocked"]
    with both.desk.standin.lock:
        both.desk.standin.state["hidden"].update({one["sys_id"]: True for one in stocked})
    both.desk.change(both.ticket(link), impact="3", urgency="3")
    both.desk.tell("note", sys_id=link.sys_id, as_="mara.lindqvist", text="Behind a thousand hidden ones.")
    both.poll()
    both.work()
    assert differences(both, link) == [] and incident_of(link).severity == Severity.INFORMATIONAL


# Times of whole seconds.


def test_8_two_changes_in_one_second(both: Both) -> None:
    link = both.open("Beacon", severity="high")
    both.settle()
    both.desk.tell("clock", freeze=True)
    both.desk.change(both.ticket(link), impact="3", urgency="3")
    both.desk.tell("note", sys_id=link.sys_id, as_="mara.lindqvist", text="First")
    both.poll()
    assert incident_of(link).severity == Severity.INFORMATIONAL
    both.desk.change(both.ticket(link), impact="1", urgency="1")
    both.desk.tell("note", sys_id=link.sys_id, as_="mara.lindqvist", text="Second")
    both.poll()
    assert incident_of(link).severity == Severity.CRITICAL and len(kinds(link, "servicenow.note")) == 2
    both.desk.tell("clock", freeze=False)
    equal(both, link)


def test_8_a_note_of_theirs_in_the_second_of_our_own_write(both: Both) -> None:
    link = both.open("Beacon")
    both.settle()
    both.desk.tell("clock", freeze=True)
    say(link, "Ours")
    both.desk.tell("note", sys_id=link.sys_id, as_="mara.lindqvist", text="Theirs, before")
    both.work()
    both.desk.tell("note", sys_id=link.sys_id, as_="mara.lindqvist", text="Theirs, after")
    both.poll()
    assert {entry.text for entry in kinds(link, "servicenow.note")} == {"Theirs, before", "Theirs, after"}
    both.desk.tell("clock", freeze=False)
    equal(both, link)


# What is shown in another zone.


@pytest.mark.parametrize("journal", ["yes", "no", "empty"])
@pytest.mark.parametrize("zone", ["US/Pacific", "Asia/Kolkata"])
def test_8_display_values_in_another_zone(both: Both, zone: str, journal: str) -> None:
    both.desk.tell("user", user_name=seed.INTEGRATION, set={"time_zone": zone, "date_format": "dd-MM-yyyy"})
    both.desk.tell("arrange", journal_read=journal)
    link = both.open("Beacon", severity="high")
    for number in range(3):
        say(link, f"Ours {number}\nwith two lines")
        both.desk.tell("note", sys_id=link.sys_id, as_="l.becker", text=f"Theirs {number}\nwith two lines")
        both.desk.change(
            both.ticket(link), as_="l.becker", short_description=f"{incident_of(link).number} By her {number}"
        )
        both.settle()
    equal(both, link)
    assert incident_of(link).title == "By her 2"
    (first, *_) = kinds(link, "servicenow.note")
    assert abs(timezone.now() - first.occurred_at) < timedelta(minutes=5)


# Tickets that end.


@pytest.mark.parametrize("state", ["6", "7"])
def test_8_a_ticket_closed_there_while_the_incident_is_open(both: Both, state: str) -> None:
    link = both.open("Beacon")
    say(link, "We still look at it.")
    both.settle()
    both.desk.tell("close", sys_id=link.sys_id, code="Duplicate", notes="Same as another one.", state=state)
    equal(both, link)
    incident = incident_of(link)
    assert incident.status in ENDED and incident.resolve_reason == "Same as another one."
    both.desk.tell("forget")
    both.desk.tell("auto-close")
    both.settle()
    assert both.writes() == 0 and differences(both, link) == []


def test_8_a_ticket_closed_there_in_the_moment_it_was_changed_here(both: Both) -> None:
    link = both.open("Beacon", severity="high")
    both.settle()
    edit(link, title="Beacon to a bad host", severity="critical")
    say(link, "Still open here.")
    both.desk.tell("close", sys_id=link.sys_id, code="Duplicate", notes="Same as another one.", state=7)
    equal(both, link)
    assert incident_of(link).status in ENDED and both.fields(link)["state"] == "7"


def test_8_a_ticket_that_is_opened_again_there(both: Both) -> None:
    link = both.open("Beacon")
    resolve(link)
    equal(both, link)
    both.desk.tell("reopen", sys_id=link.sys_id)
    equal(both, link)
    assert incident_of(link).status == IncidentStatus.IN_PROGRESS


def test_8_a_closed_incident_that_is_opened_again_here(both: Both) -> None:
    link = both.open("Beacon")
    resolve(link)
    equal(both, link)
    incidents.set_status(here(), link.incident_id, "in_progress", reason="It beacons again.")
    equal(both, link)
    assert both.fields(link)["state"] == "2"


def test_8_a_ticket_cancelled_there_with_no_word_of_why(both: Both, admin: User) -> None:
    """The incident needs a determination that nobody has given: a person decides, and reads that."""
    link = both.open("Beacon")
    both.settle()
    both.desk.change(both.ticket(link), state="8")
    both.settle()
    conflict = TicketConflict.objects.get(outcome="", field="status")
    assert incident_of(link).number in page(admin, "/servicenow/conflicts/")
    verbs.decide(here(), conflict.pk, "ours")
    equal(both, link)
    assert both.fields(link)["state"] in ("1", "2")


# People and states without a counterpart.


def test_8_an_unmapped_person_there(both: Both, admin: User) -> None:
    known("mara.lindqvist", "mara.lindqvist")
    link = both.open("Beacon")
    incident_owners.owners(here(), link.incident_id, lead="mara.lindqvist")
    equal(both, link)
    both.desk.change(both.ticket(link), assigned_to=seed.user_id("l.becker"))
    edit(link, title="Everything else goes on")
    both.settle()
    assert [row.split(":")[0] for row in both.compare(link.incident_id)] == ["owner"]
    gap = MappingGap.objects.get(map="user")
    assert seed.user_id("l.becker") in gap.value and (gap.label or gap.value) in page(admin)
    assert incident_of(link).owner_rows.get(lead=True).user.username == "mara.lindqvist"
    assert both.fields(link)["assigned_to"] == seed.user_id("l.becker")  # nor is it taken back
    known("lena", "l.becker")
    both.profile.maps = {**both.profile.maps, "user": {"lena": {"value": seed.user_id("l.becker"), "label": "Lena"}}}
    both.profile.save()
    both.reconcile()
    both.desk.tell("note", sys_id=link.sys_id, as_="l.becker", text="It is mine.")
    both.settle()
    assert incident_of(link).owner_rows.get(lead=True).user.username == "lena"
    assert both.compare(link.incident_id) == []


def test_8_an_unmapped_person_here(both: Both, admin: User) -> None:
    known("nobody.there", "nobody.there")
    link = both.open("Beacon")
    incident_owners.owners(here(), link.incident_id, lead="nobody.there")
    edit(link, title="Everything else goes on")
    both.settle()
    assert both.fields(link)["assigned_to"] == ""
    assert both.fields(link)["short_description"].endswith("Everything else goes on")
    assert MappingGap.objects.get(map="user").value == "nobody.there" and "nobody.there" in page(admin)


def test_an_unmapped_state_leaves_the_incident_alone_and_is_named(both: Both, admin: User) -> None:
    maps = both.profile.maps
    both.profile.maps = {**maps, "state": {key: word for key, word in maps["state"].items() if key != "3"}}
    both.profile.save()
    link = both.open("Beacon")
    both.settle()
    both.desk.change(both.ticket(link), state="3", hold_reason="5", impact="3", urgency="3")
    both.settle()
    assert incident_of(link).status == IncidentStatus.OPEN and incident_of(link).severity == Severity.INFORMATIONAL
    gap = MappingGap.objects.get(map="state")
    assert gap.value == "3" and both.fields(link)["state"] == "3"
    assert "state" in page(admin)
    both.desk.change(both.ticket(link), state="2")
    equal(both, link)


def linked(both: Both) -> TicketLink:
    link = both.open("Beacon", severity="high")
    both.settle()
    return link


def test_5_a_hook_hurries_the_poll(both: Both) -> None:
    ServiceNowInstance.objects.update(webhook_secret="a secret of the hook")
    link = linked(both)
    both.desk.change(both.ticket(link), impact="3", urgency="3")
    address = f"/api/v1/servicenow/{both.instance.slug}/events/"
    client = client_of(make_user("hook"))
    for wrong in ({}, {"X-Soar-Secret": "another"}):
        assert client.post(address, {}, headers=wrong).status_code == 401
        assert both.work() == 0 and incident_of(link).severity != Severity.INFORMATIONAL
    assert client.post(address, {}, headers={"X-Soar-Secret": "a secret of the hook"}).status_code == 202
    both.work()
    assert incident_of(link).severity == Severity.INFORMATIONAL and differences(both, link) == []
