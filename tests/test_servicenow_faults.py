"""What can go wrong while something is sent to ServiceNow (servicenow.md 8). After each: both sides are equal, field by
field and note by note, nothing is doubled, nothing is lost; or people read what differs and why."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from cases.actions import evidence
from cases.actions import servicenow as verbs
from cases.choices import Severity
from cases.models import ServiceNowInstance, TicketChange, TicketLink
from soar.accounts.models import User
from soar.standins.servicenow import seed
from tests.fixtures import client_of
from tests.servicenow_tools import Both, both_sides
from tests.ticket_sides import edit, equal, here, incident_of, kinds, resolve, say

pytestmark = pytest.mark.django_db(transaction=True)
OAUTH = {"client_id": seed.CLIENT_ID}
HIDDEN = {"password": seed.PASSWORD, "client_secret": seed.CLIENT_SECRET}


@pytest.fixture
def both() -> Iterator[Both]:
    with both_sides() as made:
        yield made


@pytest.fixture
def with_files() -> Iterator[Both]:
    with both_sides(send_evidence=True) as made:
        yield made


def page(user: User, address: str = "/servicenow/") -> str:
    """What a person reads there."""
    answer = client_of(user).get(address)
    assert answer.status_code == 200
    text: str = answer.content.decode()
    return text


def attach(link: TicketLink, name: str = "mail.eml", content: bytes = b"From: somebody") -> None:
    evidence.add_bytes(here(), link.incident_id, name, content)


def the_instance() -> ServiceNowInstance:
    return ServiceNowInstance.objects.get()


# An answer that never comes, after the server did what it was asked.
LOST: list[tuple[str, Callable[[TicketLink], object]]] = [
    ("update", lambda link: edit(link, title="Beacon to a bad host", severity="critical")),
    ("update", resolve),
    ("journal", lambda link: say(link, "The host is isolated.")),
    ("attach", attach),
]


@pytest.mark.parametrize("kind", ["lost", "after"])
def test_8_an_answer_lost_after_the_ticket_was_made(both: Both, kind: str) -> None:
    both.desk.tell("fault", kind=kind, on="create")
    link = both.open("Beacon", severity="high")
    assert link.state == "creating"
    edit(link, title="Beacon to a bad host")
    equal(both, link)
    assert [one["fields"]["correlation_id"] for one in both.desk.ask("tickets")].count(link.correlation_id) == 1


def test_8_an_answer_that_comes_too_late_after_the_ticket_was_made() -> None:
    with both_sides(timeout=1) as both:
        both.desk.tell("fault", kind="late", on="create", delay=2.5)
        link = both.open("Beacon", severity="high")
        assert link.state == "creating"
        say(link, "While the answer was on its way.")
        equal(both, link)


@pytest.mark.parametrize("place", range(len(LOST)))
@pytest.mark.parametrize("kind", ["lost", "before", "503", "garbage", "html"])
def test_8_an_answer_lost_after_a_change(with_files: Both, kind: str, place: int) -> None:
    both, (sort, change) = with_files, LOST[place]
    link = both.open("Beacon", severity="high")
    both.desk.tell("fault", kind=kind, on=sort, times=3)
    change(link)
    both.work()
    assert TicketChange.objects.filter(state="waiting").exists()
    equal(both, link)
    ticket = both.ticket(link)
    assert len(ticket["attachments"]) == (sort == "attach") and len(ticket["journal"]) == (sort == "journal")


def test_8_a_long_note_of_which_one_part_lost_its_answer(both: Both) -> None:
    link = both.open("Beacon")
    text = "\n".join(f"line {number} of what the host wrote" for number in range(400))
    say(link, text)
    both.desk.tell("fault", kind="lost", on="journal")
    both.work()
    equal(both, link)
    assert len(both.ticket(link)["journal"]) > 2


# 401: a token that ended.


@pytest.mark.parametrize("refresh", [False, True])
@pytest.mark.parametrize("way", ["password", "client_credentials"])
def test_8_401_of_an_expired_token(both: Both, way: str, refresh: bool) -> None:
    account = both.account
    account.settings = {**account.settings, **OAUTH, "auth": way}
    account.secrets = HIDDEN
    account.save()
    link = both.open("Beacon")
    for number in range(3):
        both.desk.tell("expire", refresh=refresh)
        edit(link, title=f"Beacon {number}")
        say(link, f"Note {number}")
        both.work()
    assert not TicketChange.objects.exclude(state="done").exists()
    equal(both, link)


def test_8_401_of_a_wrong_password_holds_all_back_and_is_told(both: Both, admin: User) -> None:
    link = both.open("Beacon")
    both.desk.tell("user", user_name=seed.INTEGRATION, password="another")
    edit(link, title="Beacon to a bad host")
    say(link, "Nobody hears this.")
    both.work()
    assert the_instance().out_resume_at is not None
    assert "does not take the credentials" in page(admin)
    both.desk.tell("user", user_name=seed.INTEGRATION, password=seed.PASSWORD)
    equal(both, link)


# 403: a data policy.


def test_8_403_of_a_data_policy_waits_for_a_person_with_its_own_words(both: Both, admin: User) -> None:
    both.profile.maps = {**both.profile.maps, "close_code": {}, "close_code_in": {}}
    both.profile.save()
    link = both.open("Beacon")
    resolve(link)
    say(link, "Told after it was resolved.")
    both.work()
    (failed,) = TicketChange.objects.filter(state="failed")
    assert "Data Policy Exception" in failed.said and "Resolution code" in failed.said
    assert "Data Policy Exception" in page(admin)
    before = both.writes()
    both.work()
    both.due()
    both.work()
    assert both.writes() == before  # it is not tried blindly
    both.profile.maps = {**both.profile.maps, "close_code": {"malicious": "Solution provided"}}
    both.profile.save()
    verbs.retry(here(), failed.pk)
    equal(both, link)
    assert both.fields(link)["state"] == "6"


def test_8_403_that_is_let_go_leaves_the_difference_and_the_rest_goes_on(both: Both, admin: User) -> None:
    link = both.open("Beacon", severity="high")
    both.desk.tell("fault", kind="403", on="update", message="Operation Failed", detail="Aborted by Business Rule")
    edit(link, title="Beacon to a bad host")
    say(link, "Goes on.")
    both.work()
    (failed,) = TicketChange.objects.filter(state="failed")
    assert "Aborted by Business Rule" in failed.said
    verbs.skip(here(), failed.pk, "The desk wants its own title.")
    both.settle()
    assert [row.split(":")[0] for row in both.compare(link.incident_id)] == ["title"]
    (entry,) = kinds(link, "servicenow.skipped")
    assert entry.text == "The desk wants its own title."
    edit(link, title="Beacon to a very bad host")
    equal(both, link)


def test_8_a_field_that_may_not_be_written_is_named(both: Both, admin: User) -> None:
    link = both.open("Beacon")
    both.desk.tell("arrange", unwritable=["short_description"])
    edit(link, title="Beacon to a bad host")
    both.work()
    assert "short_description" in both.failures()[0] and "short_description" in page(admin)
    both.desk.tell("arrange", unwritable=[])
    verbs.retry_all(here())
    equal(both, link)


# 404: missing, or hidden by an access rule.


def test_8_404_of_a_hidden_ticket_breaks_the_link_and_makes_no_other(both: Both, admin: User) -> None:
    link = both.open("Beacon")
    say(link, "Told before.")
    both.desk.tell("note", sys_id=link.sys_id, as_="mara.lindqvist", text="Taken before.")
    both.settle()
    both.desk.tell("hide", sys_id=link.sys_id)
    edit(link, title="Beacon to a bad host")
    say(link, "Not told.")
    both.settle()
    link.refresh_from_db()
    assert link.state == "broken" and "hides it" in link.reason
    assert "hides it" in page(admin, "/servicenow/links/") and "hides it" in page(admin)
    assert len(both.desk.ask("tickets")) == 4  # those of others, and the one that is hidden
    both.desk.tell("show", sys_id=link.sys_id)
    again = verbs.relink(here(), link.pk, link.number)
    both.settle()
    again.refresh_from_db()
    equal(both, again)
    assert again.sys_id == link.sys_id


@pytest.mark.parametrize("found_by", ["sending", "reading", "noting"])
def test_8_a_deleted_ticket(both: Both, found_by: str, admin: User) -> None:
    link = both.open("Beacon")
    say(link, "Told once.")
    both.settle()
    both.desk.tell("delete", sys_id=link.sys_id)
    if found_by == "sending":
        edit(link, title="Beacon to a bad host")
    elif found_by == "noting":
        say(link, "Told to nobody.")
    else:
        both.reconcile()
    both.settle()
    link.refresh_from_db()
    assert link.state == "broken" and link.number in page(admin, "/servicenow/links/")
    assert len(both.desk.ask("tickets")) == 3
    again = verbs.recreate(here(), link.pk)
    both.settle()
    again.refresh_from_db()
    equal(both, again)
    assert again.sys_id != link.sys_id


# 429 and outages.


def test_8_429_holds_the_whole_instance_back(both: Both, admin: User) -> None:
    links = [both.open(f"Beacon {number}") for number in range(3)]
    both.desk.tell("budget", per_hour=0)
    both.desk.tell("forget")
    for link in links:
        edit(link, title="Beacon to a bad host", severity="critical")
        say(link, "Goes later.")
    both.work()
    assert len(both.desk.ask("requests")) == 1  # the others were not even tried
    resume = the_instance().out_resume_at
    assert resume is not None and (resume - TicketChange.objects.latest("pk").created_at).total_seconds() > 3000
    assert "too many requests" in page(admin)
    both.desk.tell("budget", per_hour=None)
    equal(both, *links)


@pytest.mark.parametrize("outage", ["hibernate", "down", "unavailable"])
def test_8_an_outage(both: Both, outage: str, admin: User) -> None:
    links = [both.open(f"Beacon {number}") for number in range(4)]
    orders: dict[str, Any] = {"hibernate": {}, "down": {"seconds": 600}, "unavailable": {"seconds": 600, "how": "503"}}
    both.desk.tell("hibernate" if outage == "hibernate" else "down", **orders[outage])
    for link in links:
        edit(link, severity="critical")
        say(link, "Said during the outage.")
    for _ in range(6):
        both.due()
        both.work()
        both.poll()
    assert both.failures() == [] and TicketChange.objects.filter(state="waiting").count() == 8
    assert the_instance().out_resume_at is not None and the_instance().in_failures
    if outage == "hibernate":
        assert "hibernates" in page(admin)
    both.desk.tell("wake")
    equal(both, *links)


def test_8_an_outage_while_they_work_too(both: Both) -> None:
    link = both.open("Beacon", severity="high")
    both.desk.tell("hibernate")
    edit(link, title="Beacon to a bad host")
    both.work()
    both.desk.change(both.ticket(link), impact="3", urgency="3")
    both.desk.tell("note", sys_id=link.sys_id, as_="mara.lindqvist", text="We were here.")
    both.desk.tell("wake")
    equal(both, link)
    assert incident_of(link).title == "Beacon to a bad host" and incident_of(link).severity == Severity.INFORMATIONAL
