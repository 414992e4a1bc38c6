"""Incidents and tickets edited at random on both sides, while the instance fails at random and workers are killed; at
the end both sides are equal, nothing is doubled and nothing is lost.

``SOAR_SOAK=20:200`` for 20 incidents and 200 edits, ``SOAR_SEED`` for the same edits again."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from cases import tasks
from cases.actions import servicenow as verbs
from cases.models import ServiceNowInstance, TicketChange, TicketConflict, TicketLink, TicketProfile
from cases.verify import report_of_all
from soar.accounts.models import User
from soar.standins.servicenow import seed
from tests.chaos.soak_edits import PEOPLE, Edits
from tests.factories import make_user
from tests.playbook_files import _environment, until
from tests.portal import children
from tests.servicenow_tools import Both, both_sides
from tests.ticket_sides import differences, here

pytestmark = [pytest.mark.chaos, pytest.mark.django_db(transaction=True)]
INCIDENTS, EDITS = (int(number) for number in os.environ.get("SOAR_SOAK", "200:2000").split(":"))
SEED = int(os.environ.get("SOAR_SEED", str(time.time_ns() % 100_000)))
WORKERS, KILLED = 2, 0.05
LEASES = {"SOAR_LEASE_SECONDS": "9"}  # 30 in production: nobody waits for that here
QUEUED = "SELECT count(*) FROM soar_queue WHERE task LIKE 'cases.tasks.servicenow%'"
WAYS = {"client_id": seed.CLIENT_ID, "auth": "password"}


class Crew:
    """Workers in processes of their own."""

    def __init__(self) -> None:
        root = Path(__file__).parents[2]
        command = [sys.executable, "-m", "tests.chaos.sync_workers", str(WORKERS)]
        self.process = subprocess.Popen(command, cwd=root, env={**_environment(), **LEASES})
        self.killed = 0
        until(lambda: len(self.pids()) == WORKERS, 60)

    def pids(self) -> list[int]:
        """Those that work now."""
        return children(self.process.pid)

    def kill_one(self, chance: random.Random) -> None:
        """kill -9, whatever it does."""
        if pids := self.pids():
            self.killed += _killed(chance.choice(pids))

    def end(self) -> None:
        """All of them."""
        pids = self.pids() if self.process.poll() is None else []
        self.process.kill()
        self.process.wait()
        for pid in pids:
            _killed(pid)


def _killed(pid: int) -> bool:
    """Whether it was there to be killed."""
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
        return True
    return False


@contextmanager
def crew() -> Iterator[Crew]:
    made = Crew()
    try:
        yield made
    finally:
        made.end()


@pytest.fixture
def both(settings: Any) -> Iterator[Both]:
    with both_sides(send_evidence=True, timeout=2) as made:
        account = made.account
        account.settings = {**account.settings, **WAYS}
        account.secrets = {"password": seed.PASSWORD, "client_secret": seed.CLIENT_SECRET}
        account.save()
        yield made


def test_the_soak(both: Both) -> None:
    chance = random.Random(SEED)  # repeatable, not secret
    print(f"SOAR_SEED={SEED} SOAR_SOAK={INCIDENTS}:{EDITS}")
    both.desk.tell("clock", skew=chance.choice([-300, 0, 300]))
    both.desk.tell("arrange", audit_read=chance.choice(["yes", "no", "empty"]))
    for name in PEOPLE:
        make_user(name)
        User.objects.filter(username=name).update(email=f"{name}@corp.example.com")
    profiles = [both.profile, *_more_profiles(both)]
    edits, started = Edits(both, chance), time.monotonic()
    with crew() as workers:
        links = _edit(both, edits, workers, profiles)
        edits.calm()
        _come_to_rest(both)
        decided = 0
        while done := _decide(both, chance):
            decided += done
            _come_to_rest(both)
    spent = time.monotonic() - started
    print(f"{dict(edits.done)}; {workers.killed} workers killed, {decided} decided by people, {spent:.0f} s")
    _check(both, edits, links)


def _more_profiles(both: Both) -> list[TicketProfile]:
    made = []
    for winner in ("ours", "theirs", "ask"):
        fields = {one.name: getattr(both.profile, one.name) for one in TicketProfile._meta.concrete_fields
                  if one.name not in ("id", "created_at", "updated_at")}  # fmt: skip
        fields |= {"name": f"Profile {winner}", "winners": dict.fromkeys(both.profile.winners, winner)}
        made.append(TicketProfile.objects.create(**fields))
    return made


def _edit(both: Both, edits: Edits, workers: Crew, profiles: list[TicketProfile]) -> list[TicketLink]:
    """New incidents come while others are edited; now and then something breaks, or somebody is killed."""
    chance = edits.chance
    links: list[TicketLink] = []
    for number in range(EDITS):
        while len(links) < INCIDENTS and len(links) <= number * INCIDENTS * 2 // EDITS:
            links.append(_opened(both, chance.choice(profiles)))
        edits.one(chance.choice(links))
        if chance.random() < 0.05:
            edits.fault()
        if chance.random() < KILLED:
            workers.kill_one(chance)
        if number % 10 == 9:
            _time_passes(chance)
            _keep_up(300)
        if number % 50 == 49:
            edits.calm()
    return links


def _opened(both: Both, profile: TicketProfile) -> TicketLink:
    link = both.open(f"Incident {time.monotonic_ns()}", work=False)
    TicketLink.objects.filter(pk=link.pk).update(profile=profile)
    link.refresh_from_db()
    return link


def _time_passes(chance: random.Random | None = None) -> None:
    """What waits for a later try is due; the scheduler rings. Leases end by themselves."""
    past = timezone.now() - timedelta(seconds=1)
    TicketChange.objects.filter(state__in=("waiting", "sending")).update(due_at=past)
    ServiceNowInstance.objects.update(out_resume_at=None, due_at=past)
    if chance is not None and chance.random() < 0.02:
        ServiceNowInstance.objects.update(reconcile_at=past)
    tasks.servicenow_due()


def _keep_up(most: int) -> None:
    """Edits are not so much faster than two workers that all of it comes at the end."""
    end = time.monotonic() + 5
    while _queued() > most and time.monotonic() < end:
        time.sleep(0.05)


def _queued() -> int:
    with connection.cursor() as cursor:
        cursor.execute(QUEUED)
        return int(cursor.fetchone()[0])


def _come_to_rest(both: Both) -> None:
    """Until nothing is queued, nothing waits, and two polls in a row changed nothing."""
    end, quiet, before = time.monotonic() + 900, 0, None
    ServiceNowInstance.objects.update(reconcile_at=timezone.now())
    while quiet < 3:
        assert time.monotonic() < end, f"no rest: {_left()}"
        _time_passes()
        while _queued() and time.monotonic() < end:
            time.sleep(0.1)
        now = (_left(), _mods(both))
        quiet = quiet + 1 if now == before and not now[0] else 0
        before = now


def _left() -> list[Any]:
    rows = TicketChange.objects.filter(state__in=("waiting", "sending")).exclude(link__state__in=("broken", "ended"))
    failed = set(TicketChange.objects.filter(state="failed").values_list("link", flat=True))
    return [row for row in rows.values_list("link", "pk", "kind", "state", "said") if row[0] not in failed]


def _mods(both: Both) -> list[Any]:
    return sorted((one["fields"]["number"], one["fields"]["sys_mod_count"])
                  for one in both.desk.ask("tickets", limit=10_000))  # fmt: skip


def _decide(both: Both, chance: random.Random) -> int:
    """What a person has to do: decide conflicts, retry what was refused. What changed since a conflict was told is
    another conflict, so that nobody decides about what they have not seen."""
    done = 0
    for row in TicketConflict.objects.filter(outcome="").exclude(link__state="ended").order_by("pk"):
        verbs.decide(here(), row.pk, chance.choice(["ours", "theirs"]))
        done += 1
    return done + verbs.retry_all(here())


def _check(both: Both, edits: Edits, links: list[TicketLink]) -> None:
    wrong: dict[str, list[str]] = {}
    for link in links:
        link.refresh_from_db()
        found = [f"{link.state}: {link.reason}"] if link.state != "linked" else differences(both, link)
        found += [*both.compare(link.incident_id), *edits.stale(link)]
        if found:
            wrong[f"{link} (profile {link.profile})"] = found
    for name, found in wrong.items():
        print(name, *found, sep="\n  ")
    assert wrong == {} and both.failures() == []
    assert len(both.desk.ask("tickets", limit=10_000)) == len(links) + 3
    report = report_of_all()
    print(report)
