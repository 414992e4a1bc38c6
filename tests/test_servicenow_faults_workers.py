"""Workers that are killed or meet, an instance that is away, both sides at one field, clocks that differ, a database
that is brought back from a copy. Each ends with both sides compared."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, connections
from django.utils import timezone

from cases.actions import evidence
from cases.actions import servicenow as verbs
from cases.choices import Severity
from cases.models import ServiceNowInstance, TicketChange, TicketConflict, TicketLink, TimelineEntry
from cases.servicenow import considering, polling, sending
from tests.playbook_files import _environment, until
from tests.restore import _replace
from tests.servicenow_tools import Both, both_sides
from tests.ticket_sides import differences, edit, equal, here, incident_of, kinds, resolve, say, values_differ

pytestmark = pytest.mark.django_db(transaction=True)
Change = Callable[[TicketLink], Any]
DAY = timedelta(days=1)


@pytest.fixture
def both() -> Iterator[Both]:
    with both_sides(send_evidence=True, timeout=30) as made:
        yield made


# kill -9 between request and answer.


def elsewhere(call: str) -> subprocess.Popen[bytes]:
    """A worker in a process of its own that does this."""
    code = f"import django; django.setup()\nfrom cases import tasks\ntasks.{call}"
    return subprocess.Popen([sys.executable, "-c", code], env=_environment(), cwd=Path(__file__).parents[1])


def killed_in(call: str, both: Both, happened: Callable[[], object]) -> None:
    """Have a worker do it, and kill -9 it as soon as it has happened there: the answer is still on its way."""
    worker = elsewhere(call)
    try:
        until(happened, 60)
        assert worker.poll() is None, "it was over before it could be killed"
    finally:
        worker.kill()
        worker.wait()


def attach(link: TicketLink) -> object:
    return evidence.add_bytes(here(), link.incident_id, "mail.eml", b"From: somebody")


WRITES: dict[str, tuple[str, Change, Callable[[dict[str, Any]], object]]] = {
    "fields": ("update", lambda link: edit(link, severity="critical"), lambda there: there["fields"]["impact"] == "1"),
    "closing": ("update", resolve, lambda there: there["fields"]["state"] == "6"),
    "note": ("journal", lambda link: say(link, "The host is isolated."), lambda there: there["journal"]),
    "file": ("attach", attach, lambda there: there["attachments"]),
}


@pytest.mark.parametrize("what", WRITES)
def test_kill_9_between_request_and_answer(both: Both, what: str) -> None:
    sort, change, happened = WRITES[what]
    link = both.open("Beacon", severity="medium")
    both.settle()
    change(link)
    consider(both)
    both.desk.tell("fault", kind="late", on=sort, delay=20)
    killed_in(f"servicenow_send({link.pk})", both, lambda: happened(both.ticket(link)))
    assert TicketChange.objects.filter(link=link, state="sending").count() == 1
    edit(link, title="Changed after the kill")
    equal(both, link)
    there = both.ticket(link)
    assert len(there["journal"]) == (what == "note") and len(there["attachments"]) == (what == "file")


def test_kill_9_while_the_ticket_is_made(both: Both) -> None:
    link = both.open("Beacon", work=False)
    both.desk.tell("fault", kind="late", on="create", delay=20)
    killed_in(f"servicenow_send({link.pk})", both, lambda: len(both.desk.ask("tickets")) == 4)
    say(link, "Said after the kill.")
    equal(both, link)
    assert len(both.desk.ask("tickets")) == 4


def test_kill_9_after_our_write_and_their_change_to_the_same_field(both: Both) -> None:
    """What stands there is neither ours nor what was agreed on: theirs is younger."""
    link = both.open("Beacon", severity="medium")
    both.settle()
    edit(link, severity="critical")
    consider(both)
    both.desk.tell("fault", kind="late", on="update", delay=20)
    killed_in(f"servicenow_send({link.pk})", both, lambda: both.fields(link)["impact"] == "1")
    both.desk.tell("clock", skew=2)  # that much later
    both.desk.change(both.ticket(link), impact="3", urgency="3")
    equal(both, link)
    assert incident_of(link).severity == Severity.INFORMATIONAL


def test_kill_9_while_changes_are_read(both: Both) -> None:
    links = [both.open(f"Beacon {number}", severity="medium") for number in range(3)]
    both.settle()
    for link in links:
        both.desk.change(both.ticket(link), impact="1", urgency="1")
        both.desk.tell("note", sys_id=link.sys_id, as_="mara.lindqvist", text="Look at this.")
    both.desk.tell("forget")
    both.desk.tell("fault", kind="slow", on="sys_journal_field", delay=20)
    killed_in(f"servicenow_poll({both.instance.pk})", both, lambda: both.desk.ask("requests"))
    assert {incident_of(link).severity for link in links} == {Severity.MEDIUM}
    equal(both, *links)


def consider(both: Both) -> None:
    """Write down what the timelines give to do, without doing it."""
    ServiceNowInstance.objects.update(out_paused=True)
    both.work()
    ServiceNowInstance.objects.update(out_paused=False)


# Two workers at once.


def together(*calls: Callable[[], object]) -> None:
    """Do them at the same time, each on a connection of its own."""
    errors: list[BaseException] = []
    ready = threading.Barrier(len(calls))

    def run(call: Callable[[], object]) -> None:
        try:
            ready.wait()
            call()
        except BaseException as error:
            errors.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(call,)) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []


def test_two_workers_at_once_make_one_ticket_and_send_each_note_once(both: Both) -> None:
    links = [both.open(f"Beacon {number}", work=False) for number in range(4)]
    for link in links:
        for number in range(3):
            say(link, f"Note {number}")
    consider(both)
    both.desk.tell("delay", seconds=0.02)

    def send() -> None:
        for link in links:
            sending.work(link.pk)

    together(*[send] * 4)
    for link in links:
        link.refresh_from_db()
    equal(both, *links)
    assert len(both.desk.ask("tickets")) == 3 + len(links)


def test_two_polls_and_a_sender_at_once(both: Both) -> None:
    links = [both.open(f"Beacon {number}", severity="medium") for number in range(4)]
    both.settle()
    for link in links:
        edit(link, title="Beacon to a bad host")
        both.desk.change(both.ticket(link), impact="1", urgency="1")
        for number in range(3):
            both.desk.tell("note", sys_id=link.sys_id, as_="mara.lindqvist", text=f"Theirs {number}")
    consider(both)
    both.desk.tell("delay", seconds=0.01)

    def send() -> None:
        for link in links:
            sending.work(link.pk)

    together(*[lambda: polling.poll(both.instance.pk)] * 2, *[send] * 2)
    equal(both, *links)
    assert {incident_of(link).severity for link in links} == {Severity.CRITICAL}


def test_a_worker_whose_lease_ran_out_does_not_send_twice(both: Both) -> None:
    """It is so slow that somebody else takes the link; then it comes back."""
    link = both.open("Beacon")
    say(link, "Slowly said.")
    consider(both)
    both.desk.tell("fault", kind="late", on="journal", delay=1)

    def second() -> None:
        until(lambda: both.ticket(link)["journal"])
        TicketLink.objects.filter(pk=link.pk).update(leased_until=timezone.now() - timedelta(seconds=1))
        sending.work(link.pk)

    together(lambda: sending.work(link.pk), second)
    equal(both, link)
    assert len(both.ticket(link)["journal"]) == 1


# The instance is away for an hour.


def test_8_an_hour_away_with_500_changes_queued(both: Both) -> None:
    links = [both.open(f"Beacon {number}") for number in range(10)]
    both.settle()
    both.desk.tell("down", seconds=3600)
    for number in range(50):
        for link in links:
            say(link, f"{number:02d} of the outage")
    both.work()
    for _ in range(4):  # an hour, in steps of fifteen minutes
        both.due()
        both.work()
        both.poll()
    assert TicketChange.objects.filter(state="waiting").count() == 500 and both.failures() == []
    both.desk.tell("up")
    both.desk.tell("forget")
    windows = 0
    while TicketChange.objects.filter(state="waiting").exists():
        windows += 1
        assert windows < 20
        both.desk.tell("budget", per_hour=100)  # of an hour that begins now
        both.due()
        both.work()
    taken = [one for one in both.desk.ask("requests") if one["status"] < 300]
    refused = [one for one in both.desk.ask("requests") if one["status"] == 429]
    assert len(taken) <= 100 * windows and len(refused) <= windows  # one refusal is enough to stop them all
    both.desk.tell("budget", per_hour=None)
    equal(both, *links)
    for link in links:
        told = [one["value"].partition("\n")[2][:2] for one in both.ticket(link)["journal"]]
        assert told == [f"{number:02d}" for number in range(50)]


# Both sides change one field in the same second.


@pytest.mark.parametrize("winner", ["ours", "theirs", "newest", "ask"])
def test_6_both_sides_at_one_field_in_one_second(both: Both, winner: str) -> None:
    both.profile.winners = dict.fromkeys(both.profile.winners, winner)
    both.profile.save()
    link = both.open("Beacon", severity="medium")
    both.settle()
    both.desk.tell("clock", freeze=True)
    edit(link, severity="critical", title="Ours")
    both.desk.change(both.ticket(link), impact="3", urgency="3", short_description=f"{incident_of(link).number} Theirs")
    both.settle()
    told = {entry.data["field"]: entry.data for entry in kinds(link, "servicenow.conflict")}
    assert set(told) == {"severity", "title"}
    assert told["severity"]["ours"] == "critical" and told["severity"]["theirs"] == "informational"
    assert len(kinds(link, "servicenow.conflict")) == 2
    if winner == "ask":
        assert {row.split(":")[0] for row in differences(both, link)} == {"severity", "title"}
        verbs.decide(here(), TicketConflict.objects.get(field="severity").pk, "theirs")
        verbs.decide(here(), TicketConflict.objects.get(field="title").pk, "ours")
    equal(both, link)
    both.desk.tell("clock", freeze=False)
    equal(both, link)
    wins = {"ours": (4, "Ours"), "newest": None, "theirs": (0, "Theirs"), "ask": (0, "Ours")}[winner]
    if wins:
        assert (incident_of(link).severity, incident_of(link).title) == wins


# Clocks that differ.


@pytest.mark.parametrize("winner", ["newest", "ask"])
@pytest.mark.parametrize("skew", [-300, 300])
def test_clocks_that_differ_by_five_minutes(both: Both, skew: int, winner: str) -> None:
    both.profile.winners = dict.fromkeys(both.profile.winners, winner)
    both.profile.save()
    both.desk.tell("clock", skew=skew)
    links = [both.open(f"Beacon {number}", severity="medium") for number in range(2)]
    for number in range(3):
        for link in links:
            say(link, f"Ours {number}")
            both.desk.tell("note", sys_id=link.sys_id, as_="mara.lindqvist", text=f"Theirs {number}")
            both.desk.change(both.ticket(link), impact=str(number + 1), urgency="3")
            both.work()
            edit(link, title=f"Beacon, look {number}")
        equal(both, *links)
    assert not TicketConflict.objects.exists()
    assert all(entry.occurred_at <= timezone.now() for entry in TimelineEntry.objects.all())
    for theirs_at, wins in ((-10, Severity.LOW), (10, Severity.CRITICAL)):
        edit(links[0], severity="medium")
        both.settle()
        at_one_field(both, links[0], skew, theirs_at)
        if winner == "ask":
            side = "ours" if wins == Severity.LOW else "theirs"
            verbs.decide(here(), TicketConflict.objects.get(outcome="").pk, side)
        equal(both, links[0])
        assert incident_of(links[0]).severity == wins


def at_one_field(both: Both, link: TicketLink, skew: int, theirs_at: int) -> None:
    """Both sides change the severity, they so many seconds after us, whatever their clock says."""
    both.desk.tell("clock", skew=skew + theirs_at)
    both.desk.change(both.ticket(link), impact="1", urgency="1")
    both.desk.tell("clock", skew=skew)
    edit(link, severity="low")
    both.settle()


# A database from yesterday.


def copied(name: str) -> None:
    """A dump of the database as it is now."""
    _replace(connection.settings_dict["NAME"] + name, connection.settings_dict["NAME"])


def brought_back(name: str) -> None:
    """The database as it was."""
    _replace(connection.settings_dict["NAME"], connection.settings_dict["NAME"] + name)


def test_a_database_brought_back_from_yesterday(both: Both) -> None:
    """Links, changes and what was agreed on are older than what stands there; notes and files of the lost day are only
    there by now, and come back from there. Nothing is told twice, no ticket is made twice."""
    known = both.open("Known yesterday", severity="medium")
    say(known, "Said before the dump.")
    both.settle()
    waiting = both.open("Waits yesterday", work=False)
    say(waiting, "Waited while the dump was made.")
    say(known, "Waited too.")
    consider(both)
    age(DAY)
    copied("_yesterday")
    both.settle()
    edit(known, title="Changed after the dump", severity="critical")
    say(known, "Said after the dump.")
    both.desk.tell("note", sys_id=known.sys_id, as_="mara.lindqvist", text="Theirs after the dump.")
    lost = both.open("Made after the dump")
    equal(both, known, waiting, lost)
    before = len(both.desk.ask("tickets"))
    brought_back("_yesterday")
    for link in (known, waiting):
        link.refresh_from_db()
    again = both.open("Has the number of one that is lost", severity="low")
    both.settle()
    for link in (known, waiting, again):
        link.refresh_from_db()
        assert link.state == "linked" and both.failures() == []
        assert values_differ(incident_of(link), both.fields(link)) == []
    assert both.compare(waiting.incident_id) == both.compare(again.incident_id) == []
    assert incident_of(known).title == "Changed after the dump" and incident_of(known).severity == Severity.CRITICAL
    texts = " ".join(entry.text for entry in kinds(known, "servicenow.note"))
    assert texts.count("Said after the dump.") == 1 and texts.count("Theirs after the dump.") == 1
    journal = " ".join(one["value"] for one in both.ticket(known)["journal"])
    for said in ("Said before the dump.", "Waited too.", "Said after the dump.", "Theirs after the dump."):
        assert journal.count(said) == 1
    assert len(both.ticket(waiting)["journal"]) == 1
    assert again.sys_id != lost.sys_id and len(both.desk.ask("tickets")) == before + 1
    say(known, "And it goes on.")
    both.desk.change(both.ticket(known), impact="3", urgency="3")
    both.settle()
    assert incident_of(known).severity == Severity.INFORMATIONAL
    assert " ".join(one["value"] for one in both.ticket(known)["journal"]).count("And it goes on.") == 1


def age(by: timedelta) -> None:
    """As if what waits had been written so much earlier."""
    for row in TicketChange.objects.all():
        TicketChange.objects.filter(pk=row.pk).update(created_at=row.created_at - by)


def test_what_was_read_before_our_write_does_not_take_it_back(both: Both) -> None:
    """A poll has read the ticket, and before it deals with it a worker writes to it."""
    link = both.open("Beacon", severity="medium")
    both.settle()
    both.desk.tell("note", sys_id=link.sys_id, as_="mara.lindqvist", text="Makes the poll look.")
    both.desk.tell("forget")
    both.desk.tell("fault", kind="slow", on="sys_journal_field", delay=3)

    def second() -> None:
        until(lambda: any("records" in one["path"] or "incident" in one["path"] for one in both.desk.ask("requests")))
        edit(link, severity="critical")
        both.work()

    together(lambda: polling.poll(both.instance.pk), second)
    assert incident_of(link).severity == Severity.CRITICAL
    assert [entry for entry in kinds(link, "changed") if entry.actor_type == "servicenow"] == []
    equal(both, link)


def test_4_notes_keep_their_order_whatever_worker_comes_first(both: Both) -> None:
    link = both.open("Beacon")
    both.settle()
    entries = [say(link, f"{number} of five") for number in range(5)]
    for entry in reversed(entries):
        considering.consider([entry.pk])
    equal(both, link)
    told = [one["value"].partition("\n")[2][:1] for one in both.ticket(link)["journal"]]
    assert told == list("01234")
