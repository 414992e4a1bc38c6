"""Typed links between incidents: both directions, who sees them, circles."""

from __future__ import annotations

import pytest

from cases.actions import merge, relations, restriction
from cases.actors import Actor
from cases.errors import Conflict, Forbidden, Missing, Refused
from cases.models import Incident, IncidentRelation, TimelineEntry
from soar.accounts.models import Team, User
from tests.factories import make_alert, make_incident

pytestmark = pytest.mark.django_db


def words(user: User, incident: Incident) -> list[tuple[str, int]]:
    """What the incident says of others."""
    fresh = User.objects.get(pk=user.pk)
    return [(one.word, one.other.pk) for one in relations.related_to(fresh, incident)]


@pytest.mark.parametrize(
    ("word", "other"),
    [
        ("duplicate_of", "has_duplicate"),
        ("parent_of", "child_of"),
        ("caused_by", "cause_of"),
        ("related_to", "related_to"),
    ],
)
def test_both_tell_it_in_their_own_direction(analyst: User, word: str, other: str) -> None:
    me = Actor.of(analyst)
    here, there = make_incident("Here"), make_incident("There")
    relations.relate(me, here.number, there.number, word)
    assert words(analyst, here) == [(word, there.pk)]
    assert words(analyst, there) == [(other, here.pk)]
    said = (
        TimelineEntry.objects.filter(kind="incident.related").order_by("pk").values_list("incident", "data__relation")
    )
    assert list(said) == [(here.pk, word), (there.pk, other)]


def test_twice_and_from_the_other_side_it_is_one_link(analyst: User) -> None:
    me = Actor.of(analyst)
    here, there = make_incident(), make_incident()
    relations.relate(me, here.pk, there.pk, "child_of")
    relations.relate(me, here.pk, there.pk, "child_of")
    relations.relate(me, there.pk, here.pk, "parent_of")
    relations.relate(me, here.pk, there.pk, "related_to")
    relations.relate(me, there.pk, here.pk, "related_to")
    assert IncidentRelation.objects.count() == 2
    assert TimelineEntry.objects.filter(kind="incident.related").count() == 4


def test_circles_and_opposites(analyst: User) -> None:
    me = Actor.of(analyst)
    one, two, three = make_incident(), make_incident(), make_incident()
    relations.relate(me, one.pk, two.pk, "child_of")
    relations.relate(me, two.pk, three.pk, "child_of")
    for here, there in ((two, one), (three, one)):
        with pytest.raises(Conflict, match="already"):
            relations.relate(me, here.pk, there.pk, "child_of")
    relations.relate(me, three.pk, one.pk, "caused_by")  # another kind


def test_what_is_refused(analyst: User, viewer: User, stranger: User, blue: Team) -> None:
    here, there = make_incident(team=blue), make_incident(team=blue)
    with pytest.raises(Refused, match="itself"):
        relations.relate(Actor.of(analyst), here.pk, here.pk, "related_to")
    with pytest.raises(Refused, match="Must be one of"):
        relations.relate(Actor.of(analyst), here.pk, there.pk, "twin_of")
    with pytest.raises(Forbidden):
        relations.relate(Actor.of(viewer), here.pk, there.pk, "related_to")
    with pytest.raises(Missing):
        relations.relate(Actor.of(stranger), here.pk, there.pk, "related_to")
    mine = make_incident()
    with pytest.raises(Missing):
        relations.relate(Actor.of(stranger), mine.pk, there.pk, "related_to")


def test_one_that_is_not_seen_is_not_told_of(admin: User, analyst: User) -> None:
    here, there = make_incident(), make_incident()
    made = relations.relate(Actor.of(admin), here.pk, there.pk, "related_to")
    restriction.restrict(Actor.of(admin), there.pk)
    assert words(analyst, here) == []
    assert words(admin, here) == [("related_to", there.pk)]
    with pytest.raises(Missing):
        relations.unrelate(Actor.of(User.objects.get(pk=analyst.pk)), here.pk, made.row.pk)


def test_taking_it_away(analyst: User) -> None:
    me = Actor.of(analyst)
    here, there, other = make_incident(), make_incident(), make_incident()
    made = relations.relate(me, here.pk, there.pk, "child_of")
    with pytest.raises(Missing):
        relations.unrelate(me, other.pk, made.row.pk)
    relations.unrelate(me, there.pk, made.row.pk)
    assert words(analyst, here) == [] == words(analyst, there)
    said = (
        TimelineEntry.objects.filter(kind="incident.unrelated").order_by("pk").values_list("incident", "data__relation")
    )
    assert list(said) == [(there.pk, "parent_of"), (here.pk, "child_of")]
    with pytest.raises(Missing):
        relations.unrelate(me, there.pk, made.row.pk)


def test_a_link_with_a_husk_can_be_taken_away(analyst: User) -> None:
    me = Actor.of(analyst)
    here, there = make_incident("Here", make_alert()), make_incident("There", make_alert())
    made = relations.relate(me, here.pk, there.pk, "duplicate_of")
    merge.merge(me, there.pk, [here.pk])
    relations.unrelate(me, there.pk, made.row.pk)
    assert words(analyst, there) == []
