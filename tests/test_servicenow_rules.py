"""Rules and habits of instances that a sync meets sooner or later: after each both sides are equal, or
people read what differs and why."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.core.cache import cache

from cases.actions import evidence, incident_owners
from cases.actions import servicenow as verbs
from cases.choices import IncidentStatus
from cases.models import Evidence, ServiceNowInstance, TicketChange, TicketLink
from soar.accounts.models import User
from soar.connectors import actions as accounts
from soar.standins.servicenow import seed
from tests.factories import make_user
from tests.fixtures import client_of
from tests.servicenow_tools import Both, both_sides
from tests.ticket_sides import edit, equal, here, incident_of, kinds, resolve, say

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def both() -> Iterator[Both]:
    cache.clear()
    with both_sides(send_evidence=True) as made:
        yield made
    cache.clear()


def page(user: User, address: str = "/servicenow/") -> str:
    answer = client_of(user).get(address)
    assert answer.status_code == 200
    text: str = answer.content.decode()
    return text


def alike(both: Both, link: TicketLink) -> None:
    """As equal, of a ticket that was not made by us: its short description is its own."""
    both.settle()
    assert both.failures() == [] and both.compare(link.incident_id) == []


def known(username: str) -> None:
    """A person here with the mail address of one there."""
    make_user(username)
    User.objects.filter(username=username).update(email=f"{username}@corp.example.com")


def test_two_tickets_with_our_id_are_for_a_person(both: Both, admin: User) -> None:
    link = both.open("Beacon", work=False)
    made = [both.desk.create(correlation_id=link.correlation_id) for _ in range(2)]
    both.settle()
    link.refresh_from_db()
    (failed,) = TicketChange.objects.filter(state="failed")
    assert link.state == "creating" and made[0]["fields"]["number"] in failed.said and failed.said in page(admin)
    assert len(both.desk.ask("tickets")) == 5  # none was made beside them
    both.desk.tell("delete", sys_id=made[0]["sys_id"])
    verbs.retry(here(), failed.pk)
    both.settle()
    link.refresh_from_db()
    assert link.sys_id == made[1]["sys_id"]
    alike(both, link)


def test_a_400_waits_for_a_person_with_its_own_words(both: Both, admin: User) -> None:
    link = both.open("Beacon")
    both.desk.tell("fault", kind="400", on="update", message="Invalid value", detail="impact is not what it was")
    edit(link, severity="critical")
    both.settle()
    assert "Invalid value: impact is not what it was" in both.failures()[0] and "Invalid value" in page(admin)
    before = both.writes()
    both.settle()
    assert both.writes() == before
    verbs.retry_all(here())
    equal(both, link)


def test_who_is_no_member_of_the_group_is_refused_in_its_words(both: Both, admin: User) -> None:
    known("mara.lindqvist")
    known("hanna.wojcik")
    both.profile.directions = {**both.profile.directions, "team": "off"}
    both.profile.save()
    both.desk.tell("arrange", members_only=True)
    group = next(one["sys_id"] for one in both.desk.ask("people")["groups"] if one["name"] == "Endpoint Team")
    link = both.open("Beacon")
    both.desk.change(both.ticket(link), assignment_group=group)
    incident_owners.owners(here(), link.incident_id, lead="mara.lindqvist")
    say(link, "Comes later.")
    both.settle()
    assert "member of the assignment group" in both.failures()[0] and "member of the assignment group" in page(admin)
    incident_owners.owners(here(), link.incident_id, lead="hanna.wojcik")
    verbs.retry_all(here())
    equal(both, link)
    assert both.fields(link)["assigned_to"] == seed.user_id("hanna.wojcik")


def test_a_field_that_the_ticket_does_not_show_is_left_alone(both: Both) -> None:
    """Neither is its absence taken for an empty value, nor does it keep anything else from going over."""
    known("mara.lindqvist")
    link = both.open("Beacon")
    incident_owners.owners(here(), link.incident_id, lead="mara.lindqvist")
    equal(both, link)
    both.desk.tell("arrange", unreadable=["assigned_to", "close_notes"])
    both.desk.change(both.ticket(link), short_description=f"{incident_of(link).number} Theirs")
    edit(link, severity="critical")
    both.settle()
    assert incident_of(link).owner_rows.get(lead=True).user.username == "mara.lindqvist"
    equal(both, link)
    both.desk.tell("arrange", unreadable=[])
    equal(both, link)


@pytest.mark.parametrize("way", ["api_key", "client_credentials"])
@pytest.mark.parametrize("linked", [False, True])
def test_without_a_user_name_our_own_notes_are_known_all_the_same(both: Both, way: str, linked: bool) -> None:
    secrets: dict[str, str] = {"api_key": seed.API_KEY}
    settings: dict[str, Any] = {"username": "", "auth": way}
    if way == "client_credentials":
        secrets, settings = {"client_secret": seed.CLIENT_SECRET}, {**settings, "client_id": seed.CLIENT_ID}
    accounts.update_account(None, both.account.pk, settings={**both.account.settings, **settings}, secrets=secrets)
    link = _adopted(both) if linked else both.open("Beacon")
    both.settle()
    say(link, "Ours.")
    both.desk.tell("fault", kind="lost", on="journal")
    both.settle()
    both.reconcile()
    both.desk.tell("note", sys_id=link.sys_id, as_="mara.lindqvist", text="Theirs.")
    alike(both, link)
    assert [entry.text for entry in kinds(link, "servicenow.note")] == ["Theirs."]
    assert len([one for one in both.ticket(link)["journal"] if "Ours." in one["value"]]) == 1


def _adopted(both: Both) -> TicketLink:
    """A ticket of the desk that a person linked."""
    ticket = both.desk.create(short_description="Made by the desk")
    first = both.open("Beacon", work=False)
    verbs.unlink(here(), first.pk)
    link = verbs.link_ticket(here(), first.incident_id, both.profile.pk, ticket["fields"]["number"])
    both.settle()
    link.refresh_from_db()
    assert link.state == "linked"
    return link


def test_a_ticket_that_waits_for_its_caller_comes_back_by_itself(both: Both) -> None:
    link = both.open("Beacon")
    both.settle()
    both.desk.change(both.ticket(link), caller_id="e.caller")
    both.desk.change(both.ticket(link), state="3", hold_reason="1", comments="Which device?")
    equal(both, link)
    assert incident_of(link).status == IncidentStatus.IN_PROGRESS and both.fields(link)["state"] == "3"
    both.desk.tell("note", sys_id=link.sys_id, as_="e.caller", element="comments", text="The old laptop.")
    equal(both, link)
    assert both.fields(link)["state"] == "2" and incident_of(link).status == IncidentStatus.IN_PROGRESS
    assert {entry.text for entry in kinds(link, "servicenow.note")} == {"Which device?", "The old laptop."}
    both.desk.change(both.ticket(link), state="3", hold_reason="4")
    edit(link, title="Changed while it waits")
    equal(both, link)
    assert both.fields(link)["state"] == "3"  # on hold is work in progress: nobody takes it back
    resolve(link)
    equal(both, link)


def test_a_file_that_the_instance_does_not_let_in_holds_nothing_else_back_once_it_is_let_go(
    both: Both, admin: User
) -> None:
    both.desk.tell("property", name="glide.attachment.extensions", value="png, txt")
    link = both.open("Beacon")
    evidence.add_bytes(here(), link.incident_id, "run.exe", b"MZ")
    say(link, "Behind the file.")
    both.settle()
    (failed,) = TicketChange.objects.filter(state="failed")
    assert "File type is not allowed" in failed.said and "File type is not allowed" in page(admin)
    verbs.skip(here(), failed.pk, "Not over there.")
    both.settle()
    digest = Evidence.objects.get().sha256
    assert both.compare(link.incident_id) == [f"file not there: {digest}"] and both.failures() == []
    evidence.add_bytes(here(), link.incident_id, "mail.txt", b"From: somebody")
    both.settle()
    assert both.compare(link.incident_id) == [f"file not there: {digest}"]


def test_notes_that_may_not_be_written_are_named_and_go_once_they_may(both: Both, admin: User) -> None:
    link = both.open("Beacon")
    both.desk.tell("arrange", unwritable=["work_notes"])
    say(link, "Told once.")
    both.settle()
    assert "may not write work_notes" in both.failures()[0] and "may not write work_notes" in page(admin)
    both.desk.tell("arrange", unwritable=[])
    verbs.retry_all(here())
    equal(both, link)
    assert len(both.ticket(link)["journal"]) == 1


def test_what_the_profile_does_not_take_is_overwritten_by_no_poll(both: Both) -> None:
    """One way only: ours goes over, theirs stays there until ours changes."""
    both.profile.directions = {**both.profile.directions, "title": "out", "severity": "in"}
    both.profile.save()
    link = both.open("Beacon", severity="medium")
    both.settle()
    both.desk.change(both.ticket(link), short_description="Theirs", impact="1", urgency="1")
    both.settle()
    assert incident_of(link).title == "Beacon" and both.fields(link)["short_description"] == "Theirs"
    edit(link, title="Ours once more", severity="low")
    both.settle()
    assert both.fields(link)["short_description"].endswith("Ours once more")
    assert (both.fields(link)["impact"], both.fields(link)["urgency"]) == ("1", "1")
    assert both.compare(link.incident_id) == [] and both.failures() == []
    assert ServiceNowInstance.objects.get().in_error == ""
