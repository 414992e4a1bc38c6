"""Reminders of what is at risk or overdue: once, whoever looks, and none of what is history (casework.md 11)."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection, transaction

from cases.actions import incidents, sla_pause, sla_policy, sla_work
from cases.actors import Actor
from cases.models import Incident, IncidentClock, TimelineEntry
from cases.sla.calendar import NEVER
from cases.verify import report_of_incident
from soar.accounts.models import User
from soar.lib import clock
from tests.factories import make_incident

MONDAY = datetime(2026, 3, 2, 9, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def at(minutes: float) -> Any:
    return clock.at(MONDAY + MINUTE * minutes)


def opened(severity: str = "critical") -> Incident:
    with at(0):
        return make_incident(severity=severity)


def look(minutes: float) -> None:
    with at(minutes):
        sla_work.remind()


def told(incident: Incident) -> list[tuple[str, str]]:
    rows = TimelineEntry.objects.filter(incident=incident, kind__in=("sla.at_risk", "sla.breached")).order_by("pk")
    return [(row.kind, row.data["clock"]) for row in rows]


@pytest.mark.django_db
def test_each_is_told_once_at_its_time() -> None:
    incident = opened()
    look(11)
    assert told(incident) == []
    look(12)
    look(13)
    assert told(incident) == [("sla.at_risk", "acknowledge")]
    look(15)
    look(16)
    assert told(incident)[1:] == [("sla.breached", "acknowledge")]
    entry = TimelineEntry.objects.get(incident=incident, kind="sla.breached")
    assert entry.data == {
        "clock": "acknowledge", "target": 15, "due_at": "2026-03-02T09:15:00Z", "severity": "critical",
    }  # fmt: skip
    assert entry.actor_type == "system"
    assert not report_of_incident(incident).findings


@pytest.mark.django_db
def test_a_worker_that_was_away_tells_of_the_breach_alone(analyst: User) -> None:
    incident = opened()
    look(70)
    assert told(incident) == [("sla.breached", "acknowledge"), ("sla.breached", "contain")]


@pytest.mark.django_db
def test_what_was_done_in_time_is_not_told(analyst: User) -> None:
    incident = opened()
    with at(5):
        incidents.set_status(Actor.of(analyst), incident.pk, "resolved", determination="benign")
    look(10_000)
    assert told(incident) == []


@pytest.mark.django_db
def test_nothing_is_told_while_the_clocks_stand_still_and_all_after() -> None:
    incident = opened()
    with at(5):
        sla_pause.pause(Actor.system(), incident.pk, "Waits")
    look(500)
    assert told(incident) == []
    with at(500):
        sla_pause.resume(Actor.system(), incident.pk)
    look(507)
    assert told(incident) == [("sla.at_risk", "acknowledge")]


@pytest.mark.django_db
def test_a_target_that_moved_into_the_future_is_told_of_again() -> None:
    incident = opened()
    look(16)
    with at(20):
        incidents.update(Actor.system(), incident.pk, changes={"severity": "high"})
    look(23)
    look(31)
    assert told(incident) == [
        ("sla.breached", "acknowledge"), ("sla.at_risk", "acknowledge"), ("sla.breached", "acknowledge"),
    ]  # fmt: skip


@pytest.mark.django_db
def test_what_went_into_another_incident_is_not_told() -> None:
    incident, other = opened(), opened("informational")
    Incident.objects.filter(pk=incident.pk).update(merged_into=other, merged_at=MONDAY, status=4)
    look(1000)
    assert told(incident) == []


@pytest.mark.django_db
def test_a_change_of_the_policy_reaches_open_incidents_without_reminders(admin: User) -> None:
    incident, ended = opened(), opened()
    with at(2):
        incidents.set_status(Actor.of(admin), ended.pk, "closed", determination="benign")
    with at(10):
        sla_policy.change(Actor.of(admin), {"targets": {"critical": {"acknowledge": 5, "contain": 90}}})
    look(10)
    assert told(incident) == []  # not reckoned by it yet
    with at(10):
        sla_work.reckon()
    assert Incident.objects.get(pk=incident.pk).sla_due_at == MONDAY + 5 * MINUTE
    assert Incident.objects.get(pk=ended.pk).sla_version == 1
    assert IncidentClock.objects.get(incident=ended, name="contain").target == 60
    look(11)
    assert told(incident) == []
    look(91)
    assert told(incident) == [("sla.breached", "contain")]


@pytest.mark.django_db
def test_incidents_without_clocks_get_them_in_the_background() -> None:
    made = [opened() for _ in range(3)]
    IncidentClock.objects.all().delete()
    Incident.objects.update(sla_version=None, sla_due_at=NEVER)
    with at(30):
        sla_work.look()
        sla_work.reckon()
    assert IncidentClock.objects.count() == 9
    look(31)
    assert [told(one) for one in made] == [[], [], []]  # overdue since before there were clocks
    assert {one.sla_due_at for one in Incident.objects.all()} == {made[0].created_at + 15 * MINUTE}


@pytest.mark.django_db(transaction=True)
def test_two_workers_tell_once() -> None:
    incident = opened()
    gate = threading.Barrier(2)

    def work() -> None:
        gate.wait(20)
        try:
            look(16)
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    look(17)
    assert told(incident) == [("sla.breached", "acknowledge")]


@pytest.mark.django_db(transaction=True)
def test_a_worker_leaves_what_somebody_else_holds() -> None:
    incident = opened()
    done = threading.Event()

    def work() -> None:
        look(16)
        with at(16):
            sla_work.reckon()
        connection.close()
        done.set()

    with transaction.atomic():
        Incident.objects.select_for_update().get(pk=incident.pk)
        thread = threading.Thread(target=work)
        thread.start()
        thread.join(30)
        assert done.is_set()
        assert told(incident) == []
    look(17)
    assert told(incident) == [("sla.breached", "acknowledge")]
