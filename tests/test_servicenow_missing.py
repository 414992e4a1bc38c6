"""Tickets that are gone are missed soon, and hidden ones that are shown again are told of; people decide (8, 9)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.utils import timezone

from cases.actions import servicenow as verbs
from cases.models import ServiceNowInstance, TicketLink
from soar.accounts.models import User
from tests.fixtures import client_of
from tests.servicenow_tools import Both, both_sides
from tests.ticket_sides import edit, equal, here, kinds, say

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def both() -> Iterator[Both]:
    with both_sides() as made:
        yield made


def page(user: User, address: str) -> str:
    answer = client_of(user).get(address)
    assert answer.status_code == 200
    text: str = answer.content.decode()
    return text


def minutes_pass(minutes: int) -> None:
    """As if the last look at all tickets, and the last poll, had been so much earlier."""
    row = ServiceNowInstance.objects.get()
    assert row.in_ok_at
    by = timedelta(minutes=minutes)
    ServiceNowInstance.objects.update(reconcile_at=row.reconcile_at - by, in_ok_at=row.in_ok_at - by)


def webhook_calls() -> None:
    ServiceNowInstance.objects.update(heard_at=timezone.now())


def state_of(link: TicketLink) -> str:
    link.refresh_from_db()
    return link.state


def watched(both: Both, number: int = 3) -> list[TicketLink]:
    """Links that were all looked at, and counted."""
    links = [both.open(f"Beacon {place}") for place in range(number)]
    both.settle()
    both.reconcile()
    minutes_pass(6)
    both.poll()
    return links


def test_8_a_deleted_ticket_is_missed_when_the_webhook_calls(both: Both, admin: User) -> None:
    gone, *others = watched(both)
    both.desk.tell("delete", sys_id=gone.sys_id)
    both.poll()
    assert state_of(gone) == "linked"  # a poll alone tells nothing
    webhook_calls()
    both.poll()
    assert state_of(gone) == "broken" and gone.number in page(admin, "/servicenow/")
    assert len(kinds(gone, "servicenow.broken")) == 1
    equal(both, *others)
    again = verbs.recreate(here(), gone.pk)
    both.settle()
    again.refresh_from_db()
    equal(both, again)


def test_8_a_deleted_ticket_is_missed_within_minutes_without_a_webhook(both: Both) -> None:
    gone, *others = watched(both)
    both.desk.tell("delete", sys_id=gone.sys_id)
    minutes_pass(6)
    both.poll()
    assert state_of(gone) == "broken" and both.compare(gone.incident_id) == [f"broken: {gone.reason}"]
    equal(both, *others)


def test_8_one_that_is_made_while_another_is_deleted_hides_nothing(both: Both) -> None:
    gone, *_others = watched(both)
    both.desk.tell("delete", sys_id=gone.sys_id)
    new = both.open("One more")
    minutes_pass(6)
    both.poll()
    assert state_of(gone) == "broken" and state_of(new) == "linked"
    equal(both, new)


def test_nobody_looks_at_all_tickets_while_none_is_missing(both: Both) -> None:
    links = watched(both)
    both.desk.tell("forget")
    for _ in range(3):
        webhook_calls()
        both.poll()
    assert len(both.desk.ask("requests")) == 6  # what changed, and how many there are
    equal(both, *links)


def test_calls_of_the_webhook_make_no_look_at_all_tickets_again_and_again(both: Both) -> None:
    first, second, _ = watched(both)
    both.desk.tell("delete", sys_id=first.sys_id)
    webhook_calls()
    both.poll()
    both.desk.tell("delete", sys_id=second.sys_id)
    webhook_calls()
    both.poll()
    assert (state_of(first), state_of(second)) == ("broken", "linked")
    minutes_pass(6)
    both.poll()
    assert state_of(second) == "broken"


def test_9_a_hidden_ticket_that_is_shown_again_is_told_and_a_person_links_it(both: Both, admin: User) -> None:
    link = both.open("Beacon")
    say(link, "Told before.")
    both.settle()
    both.desk.tell("hide", sys_id=link.sys_id)
    both.reconcile()
    assert state_of(link) == "broken"
    number = f"INC-{link.incident_id}"
    assert "cannot be read" in page(admin, f"/incidents/{number}/") and "Link again" not in page(admin, "/servicenow/")
    edit(link, title="Changed meanwhile")
    say(link, "Waits.")
    both.settle()
    both.desk.tell("show", sys_id=link.sys_id)
    both.reconcile()
    both.reconcile()
    assert state_of(link) == "broken" and both.ticket(link)["journal"][-1]["value"].count("Waits.") == 0
    assert len(kinds(link, "servicenow.shown")) == 1
    assert "Link again" in page(admin, "/servicenow/") and "can be seen again" in page(admin, f"/incidents/{number}/")
    assert f'value="{link.number}"' in page(admin, f"/servicenow/links/{link.pk}/relink/")
    again = verbs.relink(here(), link.pk, link.number)
    both.settle()
    again.refresh_from_db()
    equal(both, again)
    assert len(both.ticket(again)["journal"]) == 2


def test_9_what_is_hidden_once_more_is_not_offered_any_longer(both: Both, admin: User) -> None:
    link = both.open("Beacon")
    both.settle()
    for verb in ("hide", "show", "hide"):
        both.desk.tell(verb, sys_id=link.sys_id)
        both.reconcile()
    assert state_of(link) == "broken" and link.shown_again_at is None
    assert "Link again" not in page(admin, "/servicenow/")
    both.desk.tell("show", sys_id=link.sys_id)
    again = verbs.relink(here(), link.pk, link.number)
    both.settle()
    again.refresh_from_db()
    equal(both, again)
