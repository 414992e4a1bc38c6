"""Merges at the same moment, and a merge while somebody works in the incident: one after the other, nothing lost."""

from __future__ import annotations

from functools import partial

import pytest
from django.db import transaction

from cases.actions import bulk_together, incidents, links, merge, merge_undo, split
from cases.actions.base import save
from cases.actors import Actor
from cases.errors import Conflict
from cases.models import Alert, Incident, IncidentMove
from soar.accounts.models import User
from tests.factories import make_alert, make_incident, make_user
from tests.test_concurrency import Racers, held, whole

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def mara() -> User:
    return make_user("mara", "Analyst")


@pytest.fixture
def priya() -> User:
    return make_user("priya", "Analyst")


def pair() -> tuple[Incident, Incident]:
    return make_incident("One", make_alert()), make_incident("Two", make_alert())


def test_each_into_the_other(mara: User, priya: User) -> None:
    one, two = pair()
    racers = Racers()
    with held(one):
        racers.start(partial(merge.merge, Actor.of(mara), one.pk, [two.pk]))
        racers.waiting(1)
        racers.start(partial(merge.merge, Actor.of(priya), two.pk, [one.pk]))
        racers.waiting(2)
    racers.join()
    (error,) = racers.errors
    assert isinstance(error, Conflict) and "was merged into" in error.message
    husks = Incident.objects.filter(merged_at__isnull=False)
    assert husks.count() == 1 == IncidentMove.objects.count()
    assert Incident.objects.get(merged_at=None).alert_count == 2
    whole()


def test_the_same_twice(mara: User, priya: User) -> None:
    one, two = pair()
    racers = Racers()
    with held(one):
        for number, user in enumerate((mara, priya), 1):
            racers.start(partial(merge.merge, Actor.of(user), one.pk, [two.pk]))
            racers.waiting(number)
    racers.join()
    assert [type(error) for error in racers.errors] == [Conflict]
    assert Incident.objects.get(pk=one.pk).alert_count == 2
    whole()


def test_an_alert_that_is_linked_meanwhile_is_not_lost(mara: User, priya: User) -> None:
    one, two = pair()
    late, racers = make_alert("Late"), Racers()
    with held(two):
        racers.start(partial(links.link, Actor.of(mara), [late.pk], two.pk))
        racers.waiting(1)
        racers.start(partial(merge.merge, Actor.of(priya), one.pk, [two.pk]))
        racers.waiting(2)
    racers.join()
    assert not [error for error in racers.errors if not isinstance(error, Conflict)]
    late.refresh_from_db()
    assert late.incident_id in (one.pk, None)
    assert not Alert.objects.filter(incident=two).exists()
    whole()


def assign_both(user: User, alerts: list[Alert]) -> None:
    """As a bulk job changes alerts: locked by id, whatever incident they are in."""
    with transaction.atomic():
        rows = bulk_together.locked(Alert.objects.all(), [alert.pk for alert in alerts], ())
        act = partial(set_owner, user)
        assert bulk_together.change_each(Actor.of(user), rows, act, ("owner",)).done == len(alerts)


def set_owner(user: User, _actor: Actor, alert: Alert) -> None:
    alert.owner = user
    save(alert, "owner")


@pytest.mark.parametrize("undone", [False, True])
def test_alerts_of_several_incidents_are_changed_meanwhile(mara: User, priya: User, undone: bool) -> None:
    low, high = make_alert("Low"), make_alert("High")
    aim, first, second = make_incident("Aim", make_alert()), make_incident("One", high), make_incident("Two", low)
    call = partial(merge.merge, Actor.of(mara), aim.pk, [first.pk, second.pk])
    racers = Racers()
    with held(low):
        racers.start(partial(assign_both, priya, [low, high]))
        racers.waiting(1)
        racers.start(call)
        racers.waiting(2)
    racers.join()
    assert racers.errors == []
    assert {alert.owner for alert in Alert.objects.filter(pk__in=[low.pk, high.pk])} == {priya}
    assert set(Alert.objects.filter(incident=aim)) >= {low, high}
    whole()
    if undone:
        undo_while_changed(mara, priya, aim, [low, high])


def undo_while_changed(mara: User, priya: User, aim: Incident, alerts: list[Alert]) -> None:
    """Both merges are taken back at once, while the alerts are changed."""
    racers = Racers()
    with held(alerts[0]):
        racers.start(partial(assign_both, mara, alerts))
        racers.waiting(1)
        for number, move in enumerate(IncidentMove.objects.order_by("pk"), 2):
            racers.start(partial(merge_undo.undo, Actor.of(priya), aim.pk, move.pk))
            racers.waiting(number)
    racers.join()
    assert racers.errors == []
    assert not Alert.objects.filter(incident=aim, pk__in=[alert.pk for alert in alerts]).exists()
    whole()


def test_a_playbook_that_waits_for_the_incident_writes_into_the_other(mara: User) -> None:
    one, two = pair()
    racers = Racers()
    with held(one, two):
        racers.start(partial(merge.merge, Actor.of(mara), one.pk, [two.pk]))
        racers.waiting(1)
        racers.start(partial(incidents.comment, Actor.playbook("Contain", 7, None), two.pk, "Host is isolated"))
        racers.waiting(2)
    racers.join()
    assert racers.errors == []
    entry = next(one for one in racers.results if not isinstance(one, Incident))
    assert entry.incident_id in (one.pk, two.pk)  # whoever was first: it is read in the one that remains
    whole()


def test_two_undos(mara: User, priya: User) -> None:
    one, two = pair()
    merge.merge(Actor.of(mara), one.pk, [two.pk])
    move, racers = IncidentMove.objects.get(), Racers()
    with held(one):
        for number, user in enumerate((mara, priya), 1):
            racers.start(partial(merge_undo.undo, Actor.of(user), one.pk, move.pk))
            racers.waiting(number)
    racers.join()
    assert [type(error) for error in racers.errors] == [Conflict]
    assert [Incident.objects.get(pk=each.pk).alert_count for each in (one, two)] == [1, 1]
    whole()


def test_two_who_split_the_same_alert_off(mara: User, priya: User) -> None:
    rows = [make_alert(), make_alert(), make_alert()]
    incident, racers = make_incident("Three", *rows), Racers()
    with held(incident):
        for number, user in enumerate((mara, priya), 1):
            racers.start(partial(split.split, Actor.of(user), incident.pk, alerts=[rows[0].pk]))
            racers.waiting(number)
    racers.join()
    assert len(racers.errors) == 1 and "is not in" in str(racers.errors[0])
    assert Incident.objects.count() == 2
    whole()
