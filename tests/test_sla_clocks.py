"""The clocks of an incident: when they start, stop, stand still and begin anew (casework.md 11)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from cases.actions import incidents, merge, merge_undo, sla_pause, sla_policy
from cases.actors import Actor
from cases.errors import Conflict, Forbidden, Missing, Refused
from cases.models import Incident, IncidentClock, IncidentOwner, IncidentPause, TimelineEntry
from cases.sla import clocks
from cases.sla.calendar import NEVER
from cases.sla.states import STATES, condition, due_of, state_of
from soar.accounts.models import User
from soar.lib import clock
from tests.factories import make_alert, make_incident

pytestmark = pytest.mark.django_db
MONDAY = datetime(2026, 3, 2, 9, tzinfo=UTC)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


def at(minutes: float) -> Any:
    """The world as it is so many minutes after Monday, nine o'clock."""
    return clock.at(MONDAY + MINUTE * minutes)


def opened(**fields: Any) -> Incident:
    with at(0):
        return make_incident(severity=fields.pop("severity", "critical"), **fields)


def rows(incident: Incident, name: str) -> list[IncidentClock]:
    return list(IncidentClock.objects.filter(incident=incident, name=name).order_by("round"))


def one(incident: Incident, name: str) -> IncidentClock:
    return rows(incident, name)[-1]


def fresh(incident: Incident) -> Incident:
    return Incident.objects.get(pk=incident.pk)


def test_an_incident_begins_with_three_clocks() -> None:
    incident = opened()
    assert [(row.name, row.target, row.due_at) for row in IncidentClock.objects.filter(incident=incident)] == [
        ("acknowledge", 15, MONDAY + 15 * MINUTE),
        ("contain", 60, MONDAY + HOUR),
        ("resolve", 480, MONDAY + 8 * HOUR),
    ]
    incident = fresh(incident)
    assert incident.sla_due_at == MONDAY + 15 * MINUTE
    assert incident.sla_risk_at == MONDAY + 11.25 * MINUTE
    assert (incident.sla_missed, incident.sla_version) == (False, 1)


def test_without_a_target_nothing_is_due() -> None:
    incident = fresh(opened(severity="informational"))
    assert incident.sla_due_at == NEVER
    assert due_of(incident) is None
    assert state_of(incident, MONDAY) == "none"


def test_who_opens_it_for_an_owner_has_it_acknowledged(analyst: User) -> None:
    incident = opened(owners=[analyst])
    row = one(incident, "acknowledge")
    assert (row.stopped_at, row.seconds) == (MONDAY, 0)
    assert fresh(incident).sla_due_at == MONDAY + HOUR


def test_the_first_owner_stops_the_first_clock(analyst: User, responder: User) -> None:
    incident = opened()
    with at(4):
        incidents.owners(Actor.system(), incident.pk, add=[analyst])
    with at(9):
        incidents.owners(Actor.system(), incident.pk, add=[responder])
    row = one(incident, "acknowledge")
    assert (row.stopped_at, row.seconds) == (MONDAY + 4 * MINUTE, 240)
    assert fresh(incident).sla_due_at == MONDAY + HOUR


def test_a_person_who_moves_it_on_takes_it_and_a_playbook_does_not(analyst: User) -> None:
    incident = opened()
    robot = Actor.playbook("Triage", 1, None)
    with at(2):
        incidents.set_status(robot, incident.pk, "in_progress")
    assert one(incident, "acknowledge").stopped_at is None
    with at(5):
        incidents.set_status(Actor.of(analyst), incident.pk, "contained")
    assert one(incident, "acknowledge").seconds == 300
    assert one(incident, "contain").seconds == 300
    assert fresh(incident).sla_due_at == MONDAY + 8 * HOUR


def test_what_a_playbook_ends_alone_nobody_has_acknowledged() -> None:
    incident = opened()
    with at(3):
        incidents.set_status(Actor.playbook("Close", 1, None), incident.pk, "resolved", determination="benign")
    row = one(incident, "acknowledge")
    assert (row.stopped_at, row.seconds) == (MONDAY + 3 * MINUTE, None)
    assert one(incident, "resolve").seconds == 180
    assert fresh(incident).sla_due_at == NEVER


def test_a_late_stop_is_remembered(analyst: User) -> None:
    incident = opened()
    with at(16):
        incidents.owners(Actor.of(analyst), incident.pk, add=[analyst])
    incident = fresh(incident)
    assert incident.sla_missed
    assert state_of(incident, MONDAY + 16 * MINUTE) == "ok"
    assert Incident.objects.filter(condition("missed")).get() == incident


def test_reopening_begins_the_clocks_of_what_is_open_again(analyst: User) -> None:
    incident = opened()
    person = Actor.of(analyst)
    with at(10):
        incidents.set_status(person, incident.pk, "resolved", determination="malicious")
    with at(100):
        incidents.set_status(person, incident.pk, "in_progress")
    assert [(row.round, row.started_at) for row in rows(incident, "resolve")] == [
        (1, MONDAY), (2, MONDAY + 100 * MINUTE),
    ]  # fmt: skip
    assert one(incident, "contain").due_at == MONDAY + 160 * MINUTE
    assert len(rows(incident, "acknowledge")) == 1
    with at(130):
        incidents.set_status(person, incident.pk, "closed", determination="malicious")
    assert [row.seconds for row in rows(incident, "resolve")] == [600, 1800]


def test_reopened_as_contained_only_the_last_clock_begins_anew(analyst: User) -> None:
    incident = opened()
    with at(10):
        incidents.set_status(Actor.of(analyst), incident.pk, "closed", determination="malicious")
    with at(20):
        incidents.set_status(Actor.of(analyst), incident.pk, "contained")
    assert [len(rows(incident, name)) for name in ("acknowledge", "contain", "resolve")] == [1, 1, 2]


def test_reopened_to_nobody_it_waits_for_somebody_again() -> None:
    incident = opened()
    system = Actor.system()
    with at(10):
        incidents.set_status(system, incident.pk, "closed", determination="malicious")
    with at(20):
        incidents.set_status(system, incident.pk, "open")
    assert one(incident, "acknowledge").due_at == MONDAY + 35 * MINUTE


def test_a_lost_containment_begins_that_clock_anew(analyst: User) -> None:
    incident = opened()
    for minute, status in ((10, "contained"), (20, "in_progress"), (50, "contained")):
        with at(minute):
            incidents.set_status(Actor.of(analyst), incident.pk, status)
    assert [row.seconds for row in rows(incident, "contain")] == [600, 1800]
    assert len(rows(incident, "resolve")) == 1


def test_another_severity_counts_from_the_beginning() -> None:
    incident = opened(severity="low")
    with at(30):
        incidents.update(Actor.system(), incident.pk, changes={"severity": "critical"})
    assert one(incident, "acknowledge").due_at == MONDAY + 15 * MINUTE
    assert state_of(fresh(incident), MONDAY + 30 * MINUTE) == "breached"
    with at(31):
        incidents.update(Actor.system(), incident.pk, changes={"severity": "informational"})
    assert fresh(incident).sla_due_at == NEVER


def test_what_has_stopped_keeps_its_target(analyst: User) -> None:
    incident = opened()
    with at(10):
        incidents.owners(Actor.of(analyst), incident.pk, add=[analyst])
    with at(20):
        incidents.update(Actor.system(), incident.pk, changes={"severity": "low"})
    assert one(incident, "acknowledge").target == 15


def test_a_pause_moves_what_is_due(analyst: User) -> None:
    incident = opened()
    person = Actor.of(analyst)
    with at(5):
        sla_pause.pause(person, incident.pk, "Waits for the landlord")
    paused = fresh(incident)
    assert (paused.sla_due_at, paused.sla_paused_at) == (NEVER, MONDAY + 5 * MINUTE)
    assert state_of(paused, MONDAY + HOUR) == "paused"
    assert Incident.objects.filter(condition("paused")).exists()
    with at(65):
        sla_pause.resume(person, incident.pk)
    assert one(incident, "acknowledge").due_at == MONDAY + 75 * MINUTE
    assert one(incident, "contain").due_at == MONDAY + 2 * HOUR
    with at(70):
        incidents.owners(person, incident.pk, add=[analyst])
    assert one(incident, "acknowledge").seconds == 600
    said = TimelineEntry.objects.filter(incident=incident, kind__startswith="sla.").order_by("pk")
    assert [(entry.kind, entry.text) for entry in said] == [
        ("sla.paused", "Waits for the landlord"), ("sla.resumed", ""),
    ]  # fmt: skip
    assert said[1].data["seconds"] == 3600


def test_what_was_overdue_before_the_pause_stays_overdue() -> None:
    incident = opened()
    with at(16):
        sla_pause.pause(Actor.system(), incident.pk, "Waits")
    assert state_of(fresh(incident), MONDAY + 17 * MINUTE) == "breached"


def test_an_end_ends_the_pause_too(analyst: User) -> None:
    incident = opened()
    with at(5):
        sla_pause.pause(Actor.of(analyst), incident.pk, "Waits")
    with at(50):
        incidents.set_status(Actor.of(analyst), incident.pk, "closed", determination="benign")
    assert IncidentPause.objects.get(incident=incident).ended_at == MONDAY + 50 * MINUTE
    assert fresh(incident).sla_paused_at is None
    assert one(incident, "resolve").seconds == 300
    with at(60):
        incidents.set_status(Actor.of(analyst), incident.pk, "in_progress")
    assert one(incident, "resolve").due_at == MONDAY + 60 * MINUTE + 8 * HOUR


def test_pausing_needs_a_reason_a_right_and_an_open_incident(analyst: User, viewer: User, stranger: User) -> None:
    incident = opened(team="Blue")
    with pytest.raises(Refused):
        sla_pause.pause(Actor.of(analyst), incident.pk, "  ")
    with pytest.raises(Forbidden):
        sla_pause.pause(Actor.of(viewer), incident.pk, "Waits")
    with pytest.raises(Missing):
        sla_pause.pause(Actor.of(stranger), incident.pk, "Waits")
    with pytest.raises(Conflict):
        sla_pause.resume(Actor.of(analyst), incident.pk)
    sla_pause.pause(Actor.of(analyst), incident.pk, "Waits")
    with pytest.raises(Conflict):
        sla_pause.pause(Actor.of(analyst), incident.pk, "Waits once more")
    incidents.set_status(Actor.of(analyst), incident.pk, "closed", determination="benign")
    with pytest.raises(Conflict):
        sla_pause.pause(Actor.of(analyst), incident.pk, "Waits")


def test_working_hours_are_those_of_the_policy(admin: User) -> None:
    sla_policy.change(Actor.of(admin), {
        "targets": {"critical": {"always": False}},
        "hours": [{"days": ["mon", "tue"], "from": "09:00", "to": "10:00"}],
        "time_zone": "Europe/Berlin",
    })  # fmt: skip
    incident = opened()  # at ten there: the shift is over
    assert one(incident, "acknowledge").due_at == MONDAY + 23 * HOUR + 15 * MINUTE
    assert one(incident, "contain").due_at == MONDAY + 24 * HOUR
    assert one(incident, "resolve").due_at == datetime(2026, 3, 30, 8, tzinfo=UTC)  # summer time has begun


def test_an_incident_of_before_gets_its_clocks_from_what_is_known(analyst: User) -> None:
    incident = opened()
    with at(10):
        incidents.owners(Actor.of(analyst), incident.pk, add=[analyst])
    with at(20):
        incidents.set_status(Actor.of(analyst), incident.pk, "contained")
    with at(30):
        incidents.set_status(Actor.of(analyst), incident.pk, "closed", determination="malicious")
    IncidentOwner.objects.filter(incident=incident).update(added_at=MONDAY + 10 * MINUTE)
    measured = [row.seconds for row in IncidentClock.objects.filter(incident=incident).order_by("pk")]
    IncidentClock.objects.filter(incident=incident).delete()
    Incident.objects.filter(pk=incident.pk).update(sla_version=None)
    clocks.follow(fresh(incident))
    again = [row.seconds for row in IncidentClock.objects.filter(incident=incident).order_by("pk")]
    assert again == measured == [600, 1200, 1800]


def test_an_incident_from_alerts_has_clocks_as_well(analyst: User) -> None:
    alert = make_alert("Beacon", severity=4)
    incident = incidents.escalate(Actor.of(analyst), alert.pk)
    assert IncidentClock.objects.filter(incident=incident).count() == 3
    assert incident.sla_due_at < NEVER


def test_every_incident_is_in_one_state(analyst: User) -> None:
    late, risky, paused, ended, free, fine = (make_incident(severity=word) for word in (
        "critical", "critical", "critical", "critical", "informational", "high",
    ))  # fmt: skip
    now = clock.now()
    Incident.objects.filter(pk=late.pk).update(sla_due_at=now - MINUTE, sla_risk_at=now - HOUR)
    Incident.objects.filter(pk=risky.pk).update(sla_due_at=now + HOUR, sla_risk_at=now - MINUTE)
    sla_pause.pause(Actor.system(), paused.pk, "Waits")
    incidents.set_status(Actor.of(analyst), ended.pk, "closed", determination="benign")
    wanted = {late: "breached", risky: "at_risk", paused: "paused", ended: "none", free: "none", fine: "ok"}
    for incident, word in wanted.items():
        assert state_of(fresh(incident), now) == word
        found = [state for state in STATES if Incident.objects.filter(condition(state), pk=incident.pk).exists()]
        assert found == [word], incident


def test_a_merge_leaves_the_clocks_of_the_husk_and_the_undo_finds_them(analyst: User) -> None:
    kept, husk = opened(severity="low"), opened(owners=[analyst])
    with at(20):
        merge.merge(Actor.system(), kept.pk, [husk.pk])
    assert fresh(kept).severity == 4  # the graver of both, and the owner came along
    assert one(kept, "acknowledge").stopped_at == MONDAY + 20 * MINUTE
    assert one(kept, "contain").due_at == MONDAY + HOUR
    assert one(husk, "contain").stopped_at is None
    assert not Incident.objects.filter(condition("breached"), pk=husk.pk).exists()
    with at(30):
        merge_undo.undo(Actor.system(), husk.pk, husk.moves_out.get().pk)
    assert fresh(husk).sla_due_at == MONDAY + HOUR
    assert len(rows(husk, "contain")) == len(rows(kept, "contain")) == 1
    assert one(kept, "contain").target is None
