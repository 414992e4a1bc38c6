"""Clocks of incidents that are merged and split (casework.md 9, 11): nothing that is late becomes punctual by it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from cases.actions import incidents, merge, merge_undo, sla_pause, sla_policy, split
from cases.actors import Actor
from cases.models import Incident, IncidentClock, IncidentMove
from cases.sla import figures
from cases.sla.states import state_of
from soar.accounts.models import User
from soar.lib import clock
from tests.factories import make_alert, make_incident, make_user

pytestmark = pytest.mark.django_db
MONDAY = datetime(2026, 3, 2, 9, tzinfo=UTC)
DAY = timedelta(days=1)


def at(days: float) -> Any:
    """The world as it is so many days after Monday, nine o'clock."""
    return clock.at(MONDAY + DAY * days)


def again(incident: Incident) -> Incident:
    """As it is in the database now."""
    return Incident.objects.get(pk=incident.pk)


def state(incident: Incident) -> str:
    """How it stands to its targets now."""
    return state_of(again(incident), clock.now())


def old_and_new(name: str = "Old") -> tuple[Incident, Incident]:
    """One that is critical and three days old, and one that is opened on the third day."""
    with at(0):
        old = make_incident(name, make_alert(), make_alert(), severity="critical")
    with at(3):
        return old, make_incident("New", make_alert())


def test_what_is_split_off_is_as_late_as_the_whole(admin: User, analyst: User) -> None:
    old, _new = old_and_new()
    with at(1):
        incidents.owners(Actor.of(analyst), old.pk, add=[analyst])
    with at(3):
        part = split.split(Actor.of(analyst), old.pk, alerts=[old.alerts.order_by("pk")[0].pk])
        assert (state(old), state(part), again(part).sla_missed) == ("breached", "breached", True)
        counted = figures.figures(admin, MONDAY, MONDAY + 9 * DAY)["acknowledge"]
        assert counted.count == 1  # the whole's


def test_what_is_late_makes_what_it_is_merged_into_late_and_an_undo_takes_that_back(analyst: User) -> None:
    old, new = old_and_new()
    with at(3):
        assert state(new) == "ok"
        merge.merge(Actor.of(analyst), new.pk, [old.pk])
        assert state(new) == "breached" and again(new).sla_missed
        merge_undo.undo(Actor.of(analyst), new.pk, IncidentMove.objects.get().pk)
        assert state(new) == "ok" and not again(new).sla_missed
        assert set(IncidentClock.objects.filter(incident=new).values_list("started_at", flat=True)) == {
            MONDAY + 3 * DAY
        }


def test_another_late_one_that_is_still_inside_keeps_it_late(analyst: User) -> None:
    me = Actor.of(analyst)
    (first, new), (second, _other) = old_and_new("First"), old_and_new("Second")
    with at(3):
        merge.merge(me, new.pk, [first.pk, second.pk])
        merge_undo.undo(me, new.pk, IncidentMove.objects.get(source=first).pk)
        assert state(new) == "breached"
        merge_undo.undo(me, new.pk, IncidentMove.objects.get(source=second).pk)
        assert state(new) == "ok"


def test_a_target_that_was_missed_before_the_merge_is_still_missed(analyst: User) -> None:
    me = Actor.of(analyst)
    old, new = old_and_new()
    with at(3):
        incidents.set_status(me, old.pk, "contained")
        incidents.set_status(me, old.pk, "resolved", determination="malicious")
        merge.merge(me, new.pk, [old.pk])
        assert state(new) == "ok" and again(new).sla_missed


def test_nobody_owns_it_after_the_undo_and_its_clock_runs_again(analyst: User) -> None:
    me, olga = Actor.of(analyst), make_user("olga", "Analyst")
    stays, goes = make_incident("Stays", make_alert(), severity="critical"), make_incident("Goes", make_alert())
    incidents.owners(me, goes.pk, add=[olga])
    merge.merge(me, stays.pk, [goes.pk])
    clocks = IncidentClock.objects.filter(incident=stays, name="acknowledge")
    assert clocks.get().stopped_at is not None
    merge_undo.undo(me, stays.pk, IncidentMove.objects.get().pk)
    assert clocks.get().stopped_at is None and clocks.get().seconds is None


def test_who_left_one_part_of_a_split_does_not_come_back_with_the_other(analyst: User) -> None:
    me, olga, nia = Actor.of(analyst), make_user("olga", "Analyst"), make_user("nia", "Analyst")
    one, two = make_alert(), make_alert()
    whole = make_incident("Whole", one, two)
    incidents.owners(me, whole.pk, add=[olga])
    part = split.split(me, whole.pk, alerts=[one.pk])
    incidents.owners(me, whole.pk, remove=[olga])
    incidents.owners(me, part.pk, add=[nia])
    merge_undo.undo(me, whole.pk, IncidentMove.objects.get().pk)
    assert [row.user for row in again(whole).owner_rows.all()] == [nia]


def test_a_target_that_was_missed_in_an_earlier_round_is_missed_by_what_is_split_off(analyst: User) -> None:
    me = Actor.of(analyst)
    with at(0):
        whole = make_incident("Whole", make_alert(), make_alert(), severity="critical", owners=[analyst])
    with at(2):
        incidents.set_status(me, whole.pk, "contained")
        incidents.set_status(me, whole.pk, "in_progress")
        incidents.update(me, whole.pk, changes={"severity": "informational"})
        part = split.split(me, whole.pk, alerts=[whole.alerts.order_by("pk")[0].pk], severity="informational")
        assert again(whole).sla_missed and again(part).sla_missed
        assert (state(whole), state(part)) == ("none", "none")


def test_a_pause_of_the_one_gives_no_time_to_what_the_other_one_brings(analyst: User) -> None:
    me, minute = Actor.of(analyst), timedelta(minutes=1)
    with clock.at(MONDAY):
        goes = make_incident("Goes", make_alert(), severity="critical", owners=[analyst])  # to be contained in an hour
    with clock.at(MONDAY + 30 * minute):
        stays = make_incident("Stays", make_alert(), severity="critical", owners=[analyst])
        sla_pause.pause(me, stays.pk, "A call")
    with clock.at(MONDAY + 50 * minute):
        sla_pause.resume(me, stays.pk)
    with clock.at(MONDAY + 55 * minute):
        merge.merge(me, stays.pk, [goes.pk])
    assert again(goes).sla_due_at == again(stays).sla_due_at == MONDAY + 60 * minute


def test_a_pause_over_a_weekend_takes_no_more_than_its_working_hours(analyst: User, admin: User) -> None:
    me, hour = Actor.of(analyst), timedelta(hours=1)
    friday = MONDAY - 3 * DAY
    sla_policy.change(Actor.of(admin), {"targets": {"high": {"always": False}}})  # 8 to 18 from Monday to Friday
    with clock.at(friday + 8 * hour):  # five o'clock: to be contained within four hours, one of them today
        goes = make_incident("Goes", make_alert(), severity="high", owners=[analyst])
    with clock.at(friday + 8.5 * hour):
        sla_pause.pause(me, goes.pk, "Until Sunday noon")
    with clock.at(friday + 51 * hour):
        sla_pause.resume(me, goes.pk)
    with clock.at(MONDAY):
        stays = make_incident("Stays", make_alert(), severity="high", owners=[analyst])
        merge.merge(me, stays.pk, [goes.pk])
    assert again(goes).sla_due_at == again(stays).sla_due_at == MONDAY + 2.5 * hour


def begun(incident: Incident) -> dict[str, tuple[datetime, bool]]:
    """When each clock began, and whether it runs."""
    rows = IncidentClock.objects.filter(incident=incident)
    return {row.name: (row.started_at, row.stopped_at is None) for row in rows}


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
@pytest.mark.parametrize("owners", ["", "first", "second", "both"])
def test_after_all_undos_the_clocks_are_as_they_were(
    analyst: User, responder: User, order: tuple[int, int], owners: str
) -> None:
    me = Actor.of(analyst)
    with at(0):
        second = make_incident("Second", make_alert(), severity="critical")
    with at(1):
        first = make_incident("First", make_alert(), severity="critical")
    with at(3):
        stays = make_incident("Stays", make_alert(), severity="critical")
        for incident, who in ((first, analyst), (second, responder)):
            if owners in ("both", incident.title.lower()):
                incidents.owners(me, incident.pk, add=[who])
        was = begun(stays)
        for incident in (first, second):
            merge.merge(me, stays.pk, [incident.pk])
        assert begun(stays) != was
    moves = list(IncidentMove.objects.order_by("pk"))
    with at(3.1):
        for number in order:
            merge_undo.undo(me, stays.pk, moves[number].pk)
        assert begun(stays) == was


def test_of_a_paused_one_the_clocks_are_as_they_were_too(analyst: User) -> None:
    me = Actor.of(analyst)
    with at(0):
        second, first = (make_incident(name, make_alert(), severity="critical") for name in ("Second", "First"))
    with at(1):
        stays = make_incident("Stays", make_alert(), severity="critical")
        sla_pause.pause(me, stays.pk, "The bank must answer")
        was = begun(stays)
        merge.merge(me, stays.pk, [first.pk, second.pk])
    with at(1.5):
        for move in IncidentMove.objects.order_by("pk"):
            merge_undo.undo(me, stays.pk, move.pk)
        assert begun(stays) == was
