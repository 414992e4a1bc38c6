"""Clocks of incidents that are merged and split (casework.md 9, 11): nothing that is late becomes punctual by it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from cases.actions import incidents, merge, merge_undo, split
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
