"""Workers of the sync that are killed or slow: another one goes on soon, but never while the first one lives."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, connections
from django.db.models.functions import Now
from django.utils import timezone

from cases import leases, tasks
from cases.models import ServiceNowInstance, TicketChange, TicketLink
from cases.servicenow import holding, polling, sending
from soar.lib import clock
from tests.playbook_files import _environment, until
from tests.servicenow_tools import Both, both_sides
from tests.ticket_sides import edit, equal, incident_of, say

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def both() -> Iterator[Both]:
    with both_sides(timeout=30) as made:
        yield made


def killed_in(call: str, happened: Any) -> None:
    """A worker does it, and is killed -9 as soon as it has happened there."""
    code = f"import django; django.setup()\nfrom cases import tasks\ntasks.{call}"
    environment = {**_environment(), "SOAR_LEASE_SECONDS": "3"}
    worker = subprocess.Popen([sys.executable, "-c", code], env=environment, cwd=Path(__file__).parents[1])
    try:
        until(happened, 60)
        assert worker.poll() is None, "it was over before it could be killed"
    finally:
        worker.kill()
        worker.wait()


def ringing(both: Both, done: Any) -> None:
    """What the scheduler and the workers do, until it is done: nobody touches a lease."""

    def once() -> Any:
        tasks.servicenow_due()
        both.work()
        return done()

    until(once, 60)


def waits_for_nobody(link: TicketLink) -> None:
    """What is to be sent is due: only leases hold it back."""
    TicketChange.objects.filter(link=link).update(due_at=timezone.now() - timedelta(seconds=1))


@pytest.mark.parametrize("what", ["note", "fields"])
def test_after_kill_9_another_worker_goes_on_by_itself(both: Both, settings: Any, what: str) -> None:
    settings.LEASE_SECONDS = 3
    link = both.open("Beacon", severity="medium")
    both.settle()
    if what == "note":
        say(link, "The host is isolated.")
    else:
        edit(link, severity="critical")
    ServiceNowInstance.objects.update(out_paused=True)
    both.work()
    ServiceNowInstance.objects.update(out_paused=False)
    both.desk.tell("fault", kind="late", on="journal" if what == "note" else "update", delay=60)
    there = (lambda: both.ticket(link)["journal"]) if what == "note" else (lambda: both.fields(link)["impact"] == "1")
    killed_in(f"servicenow_send({link.pk})", there)
    waits_for_nobody(link)
    leased = TicketLink.objects.get(pk=link.pk).leased_until
    assert leased is not None and leased - timezone.now() <= timedelta(seconds=2)
    ringing(both, lambda: not TicketChange.objects.filter(link=link).exclude(state="done").exists())
    equal(both, link)
    assert len(both.ticket(link)["journal"]) == (what == "note")


@pytest.mark.parametrize("seconds", [-90, 90])
def test_a_worker_whose_clock_is_off_takes_nothing_that_is_held(both: Both, seconds: int) -> None:
    """Leases are measured by the one clock that all hosts share, the database's."""
    link = both.open("Beacon")
    rows = TicketLink.objects.filter(pk=link.pk)
    held = leases.take(rows, timedelta(seconds=20))
    assert held
    with clock.at(clock.now() + timedelta(seconds=seconds)):
        assert leases.take(rows, timedelta(seconds=20)) is None
        assert leases.keep(TicketLink, link.pk, held, timedelta(seconds=20))
    assert leases.take(rows, timedelta(seconds=20)) is None, "what it has kept is kept for all"
    rows.update(leased_until=Now() - timedelta(seconds=1))
    with clock.at(clock.now() + timedelta(seconds=seconds)):
        assert leases.take(rows, timedelta(seconds=20)), "and what is over is over for it too"


def test_after_kill_9_of_a_poll_another_one_reads_on(both: Both, settings: Any) -> None:
    settings.LEASE_SECONDS = 3
    link = both.open("Beacon", severity="medium")
    both.settle()
    both.desk.change(both.ticket(link), impact="1", urgency="1")
    both.desk.tell("note", sys_id=link.sys_id, as_="mara.lindqvist", text="Look at this.")
    both.desk.tell("forget")
    both.desk.tell("fault", kind="slow", on="sys_journal_field", delay=60)
    killed_in(f"servicenow_poll({both.instance.pk})", lambda: both.desk.ask("requests"))

    def read() -> bool:
        ServiceNowInstance.objects.update(due_at=timezone.now() - timedelta(seconds=1))
        return incident_of(link).severity == 4

    ringing(both, read)
    equal(both, link)


def test_a_slow_worker_keeps_what_it_holds(both: Both, settings: Any) -> None:
    """An answer that takes more than twice as long as a lease lasts."""
    settings.LEASE_SECONDS = 9
    link = both.open("Beacon")
    both.settle()
    say(link, "Slowly said.")
    ServiceNowInstance.objects.update(out_paused=True)
    both.work()
    ServiceNowInstance.objects.update(out_paused=False)
    both.desk.tell("forget")
    both.desk.tell("fault", kind="late", on="journal", delay=15)
    slow = threading.Thread(target=_sends, args=(link.pk,))
    slow.start()
    until(lambda: both.ticket(link)["journal"])
    tried = 0
    while slow.is_alive():
        waits_for_nobody(link)
        tasks.servicenow_due()
        both.work()
        tried += 1
    slow.join()
    assert tried > 3 and both.writes() == 1
    equal(both, link)


def test_a_slow_poll_keeps_its_instance(both: Both, settings: Any) -> None:
    settings.LEASE_SECONDS = 9
    link = both.open("Beacon")
    both.settle()
    both.desk.tell("note", sys_id=link.sys_id, as_="mara.lindqvist", text="Slowly read.")
    both.desk.tell("forget")
    both.desk.tell("fault", kind="slow", on="sys_journal_field", delay=15)
    slow = threading.Thread(target=_polls, args=(both.instance.pk,))
    slow.start()
    until(lambda: both.desk.ask("requests"))
    while slow.is_alive():
        polling.poll(both.instance.pk)
        slow.join(0.2)
    reads = [one for one in both.desk.ask("requests") if "sys_journal_field" in one["path"]]
    assert len(reads) == 1
    equal(both, link)


def _sends(pk: int) -> None:
    try:
        sending.work(pk)
    finally:
        connections.close_all()


def _polls(pk: int) -> None:
    try:
        polling.poll(pk)
    finally:
        connections.close_all()


def test_a_worker_that_was_killed_keeps_nobody_from_being_rung_for(both: Both) -> None:
    """Its row of the queue stays locked for longer than its lease."""
    link = both.open("Beacon")
    both.settle()
    say(link, "Waits.")
    ServiceNowInstance.objects.update(out_paused=True)
    both.work()
    ServiceNowInstance.objects.update(out_paused=False)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO soar_queue (task, args, ready_at) VALUES (%s, %s, now() + interval '1 minute')",
            ["cases.tasks.servicenow_send", f"[{link.pk}]"],
        )
    tasks.servicenow_due()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM soar_queue WHERE task = %s AND ready_at <= now()", ["cases.tasks.servicenow_send"]
        )
        assert cursor.fetchone()[0] == 1
    equal(both, link)


def test_somebody_else_has_it_within_half_a_minute(settings: Any) -> None:
    every = next(seconds for name, seconds in settings.SCHEDULED if name == "cases.tasks.servicenow_due")
    assert holding.span().total_seconds() + every <= 30
