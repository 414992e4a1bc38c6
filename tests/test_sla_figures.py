"""MTTA, MTTC and MTTR, to the second (casework.md 11)."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from cases.actions import incidents, sla_pause
from cases.actors import Actor
from cases.choices import Severity
from cases.models import Incident, IncidentClock
from cases.sla.figures import Figure, figures, trend
from soar.accounts.models import Team, User
from soar.lib import clock
from tests.factories import make_incident
from tests.fixtures import client_of

pytestmark = pytest.mark.django_db
MONDAY = datetime(2026, 3, 2, 9, tzinfo=UTC)
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)


def at(minutes: float) -> Any:
    return clock.at(MONDAY + MINUTE * minutes)


def worked(user: User, begin: float, taken: float, contained: float, ended: float, **fields: Any) -> Incident:
    """An incident opened at ``begin`` and brought to its end; the others are minutes after that."""
    person = Actor.of(user)
    with at(begin):
        incident = make_incident(**{"severity": "critical", **fields})
    for after, status in ((taken, "in_progress"), (contained, "contained"), (ended, "resolved")):
        with at(begin + after):
            incidents.set_status(person, incident.pk, status, determination="malicious")
    return incident


def of_all(user: User, **more: Any) -> dict[str, Figure]:
    return figures(user, MONDAY, MONDAY + DAY, **more)


def test_means_medians_and_what_was_in_time(analyst: User) -> None:
    worked(analyst, 0, 5, 30, 100)
    worked(analyst, 10, 10, 50, 500)
    worked(analyst, 20, 30, 100, 600)
    found = of_all(analyst)
    assert found["acknowledge"] == Figure(3, 900.0, 600.0, 1800.0, met=2, missed=1, incidents=3)
    assert found["contain"] == Figure(3, 3600.0, 3000.0, 6000.0, met=2, missed=1, incidents=3)
    assert found["resolve"] == Figure(3, 24000.0, 30000.0, 36000.0, met=1, missed=2, incidents=3)
    assert found["resolve"].percent_met == 33


def test_pauses_are_not_counted(analyst: User) -> None:
    with at(0):
        incident = make_incident(severity="critical", owners=[analyst])
    with at(10):
        sla_pause.pause(Actor.of(analyst), incident.pk, "Waits")
    with at(100):
        sla_pause.resume(Actor.of(analyst), incident.pk)
    with at(120):
        incidents.set_status(Actor.of(analyst), incident.pk, "resolved", determination="malicious")
    found = of_all(analyst)
    assert (found["contain"].mean, found["resolve"].mean, found["acknowledge"].mean) == (1800.0, 1800.0, 0.0)
    assert found["contain"].met == 1


def test_nothing_measured_is_nothing_not_zero(analyst: User) -> None:
    with at(0):
        make_incident(severity="critical")
    assert of_all(analyst)["resolve"] == Figure(0, None, None, None, 0, 0)
    assert of_all(analyst)["resolve"].percent_met is None


def test_what_a_playbook_ended_alone_was_not_acknowledged(analyst: User) -> None:
    with at(0):
        incident = make_incident(severity="critical")
    with at(60):
        incidents.set_status(Actor.playbook("Close", 1, None), incident.pk, "closed", determination="benign")
    found = of_all(analyst)
    assert (found["acknowledge"].count, found["resolve"].count) == (0, 1)


def test_a_period_takes_its_beginning_and_leaves_its_end(analyst: User) -> None:
    worked(analyst, 0, 5, 30, 100)
    end = MONDAY + 100 * MINUTE
    assert figures(analyst, MONDAY, end)["resolve"].count == 0
    assert figures(analyst, end, end + MINUTE)["resolve"].count == 1


def test_each_round_counts(analyst: User) -> None:
    incident = worked(analyst, 0, 5, 30, 100)
    with at(200):
        incidents.set_status(Actor.of(analyst), incident.pk, "contained")
    with at(260):
        incidents.set_status(Actor.of(analyst), incident.pk, "closed", determination="malicious")
    assert of_all(analyst)["resolve"].mean == (6000 + 3600) / 2
    rounds = IncidentClock.objects.filter(incident=incident, name="resolve").order_by("round")
    assert [row.seconds for row in rounds] == [6000, 3600]


def test_only_what_one_may_see_counts(analyst: User, stranger: User, admin: User, blue: Team) -> None:
    worked(admin, 0, 5, 30, 100, team=blue)
    hidden = worked(admin, 0, 5, 30, 300)
    Incident.objects.filter(pk=hidden.pk).update(restricted=True)
    assert of_all(analyst)["resolve"] == Figure(1, 6000.0, 6000.0, 6000.0, 1, 0, 1)
    assert of_all(stranger)["resolve"].count == 0
    assert of_all(admin)["resolve"].count == 1
    assert of_all(analyst, team=blue)["resolve"].count == 1


def test_what_went_into_another_incident_does_not_count(analyst: User) -> None:
    kept, husk = worked(analyst, 0, 5, 30, 100), worked(analyst, 0, 5, 30, 200)
    Incident.objects.filter(pk=husk.pk).update(merged_into=kept, merged_at=MONDAY, status=4)
    assert of_all(analyst)["resolve"].longest == 6000.0


def test_by_severity_and_among_some(analyst: User) -> None:
    low = worked(analyst, 0, 5, 30, 100, severity="low")
    worked(analyst, 0, 5, 30, 200)
    assert of_all(analyst, severity=Severity.LOW)["resolve"].longest == 6000.0
    assert of_all(analyst, incidents=Incident.objects.filter(pk=low.pk))["contain"] == Figure(
        1, 1800.0, 1800.0, 1800.0, met=0, missed=0, incidents=1
    )


def test_days_without_any_are_there_too(analyst: User) -> None:
    worked(analyst, 0, 5, 30, 100)
    worked(analyst, 2 * 1440, 10, 30, 100)
    days = trend(analyst, MONDAY, MONDAY + 3 * DAY)
    assert [day.day for day in days] == [date(2026, 3, n) for n in (2, 3, 4, 5)]
    assert [day.figures["acknowledge"].mean for day in days] == [300.0, None, 600.0, None]


def test_the_api_says_the_same(analyst: User) -> None:
    worked(analyst, 0, 5, 30, 100)
    client = client_of(analyst)
    url = "/api/v1/sla-figures/?since=2026-03-02T09:00:00Z&until=2026-03-03"
    answer = client.get(url).json()
    assert answer["resolve"] == {
        "count": 1, "mean": 6000.0, "median": 6000.0, "longest": 6000.0, "met": 1, "missed": 0, "incidents": 1,
    }  # fmt: skip
    assert answer["since"] == "2026-03-02T09:00:00Z"
    assert client.get(f"{url}&severity=low").json()["resolve"]["count"] == 0
    for wrong in ("since=soon", "until=2026-03-02&since=2026-03-03", "severity=odd", "team=none", "odd=1"):
        assert client.get(f"/api/v1/sla-figures/?{wrong}").status_code == 400, wrong


def test_the_api_tells_nobody_else(nobody: User) -> None:
    assert client_of(nobody).get("/api/v1/sla-figures/").status_code == 403


def test_what_was_ended_in_time_while_it_was_paused_is_in_time(analyst: User) -> None:
    person = Actor.of(analyst)
    with at(0):
        incident = make_incident(severity="critical")
    with at(5):
        sla_pause.pause(person, incident.pk, "Waits for the bank")
    with at(600):
        incidents.set_status(person, incident.pk, "resolved", determination="malicious")
    assert {name: (one.met, one.missed) for name, one in of_all(analyst).items()} == dict.fromkeys(
        ("acknowledge", "contain", "resolve"), (1, 0)
    )
