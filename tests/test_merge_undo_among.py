"""Taking back one of several merges: what the others brought stays, and goes when they are taken back themselves."""

from __future__ import annotations

import pytest

from cases.actions import incidents, merge, merge_undo, observables, relations, restriction, split, tasks
from cases.actors import Actor
from cases.choices import Severity
from cases.models import (
    Alert,
    Evidence,
    Incident,
    IncidentMove,
    IncidentObservable,
    IncidentRelation,
    IncidentTask,
    IncidentUserPermission,
    TimelineEntry,
    Watch,
)
from cases.reporting.document import document
from soar.accounts.models import Team, User
from soar.lib import clock
from tests.evidence_files import keep
from tests.factories import make_alert, make_incident, make_user

pytestmark = pytest.mark.django_db
SOAR = Actor.system()


def again(incident: Incident) -> Incident:
    """As it is in the database now."""
    return Incident.objects.get(pk=incident.pk)


def take_back(actor: Actor, goes: Incident) -> list[str]:
    """Undo the merge of this incident; what was left."""
    move = IncidentMove.objects.get(source=goes)
    left: list[str] = merge_undo.undo(actor, move.target_id, move.pk).left
    return left


def alike(olga: User, about: Incident) -> Incident:
    """An incident with one of each sort of things."""
    made = make_incident("Goes", make_alert())
    incidents.update(SOAR, made.pk, changes={"tlp": "red", "severity": "critical", "tags": ["apt"]})
    observables.add_to_incident(SOAR, made.pk, "ip", "203.0.113.9")
    keep(made, "mail.eml", b"the same bytes")
    incidents.owners(SOAR, made.pk, add=[olga])
    relations.relate(SOAR, made.pk, about.pk, "related_to")
    Watch.objects.create(user=olga, incident=made, muted=False, created_at=clock.now())
    return made


def held(incident: Incident) -> list[object]:
    """What of all that an incident has."""
    one = again(incident)
    return [
        one.tlp, one.severity, one.tags, one.owner_rows.count(),
        IncidentObservable.objects.filter(incident=one).count(), Evidence.objects.filter(incident=one).count(),
        IncidentRelation.objects.filter(incident=one).count() + IncidentRelation.objects.filter(other=one).count(),
        Watch.objects.filter(incident=one).count(),
    ]  # fmt: skip


FULL = ["red", Severity.CRITICAL, ["apt"], 1, 1, 1, 1, 1]
BARE = ["amber", Severity.MEDIUM, [], 0, 0, 0, 0, 0]


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
@pytest.mark.parametrize("at_once", [True, False])
def test_what_two_brought_goes_with_the_last_of_them(
    admin: User, analyst: User, order: tuple[int, int], at_once: bool
) -> None:
    me, about = Actor.of(analyst), make_incident("About")
    stays, olga = make_incident("Stays", make_alert()), make_user("olga", "Analyst")
    two = [alike(olga, about), alike(olga, about)]
    for group in [two] if at_once else [[one] for one in two]:
        merge.merge(me, stays.pk, [one.pk for one in group])
    assert held(stays) == FULL
    assert take_back(me, two[order[0]]) == []
    assert held(stays) == FULL and held(two[order[0]]) == FULL
    assert document(admin, stays.pk)["tlp"] == "red"
    assert take_back(me, two[order[1]]) == []
    assert held(stays) == BARE and held(two[order[1]]) == FULL


def test_marks_that_went_up_step_by_step_come_down_to_what_is_still_inside(analyst: User) -> None:
    me = Actor.of(analyst)
    stays = make_incident("Stays", make_alert())
    some, more = make_incident("Some", make_alert()), make_incident("More", make_alert())
    incidents.update(SOAR, some.pk, changes={"severity": "high"})
    incidents.update(SOAR, more.pk, changes={"severity": "critical"})
    merge.merge(me, stays.pk, [some.pk, more.pk])
    assert take_back(me, some) == [] and again(stays).severity == Severity.CRITICAL
    assert take_back(me, more) == [] and again(stays).severity == Severity.MEDIUM


def test_a_less_grave_one_inside_keeps_its_own_mark(analyst: User) -> None:
    me = Actor.of(analyst)
    stays = make_incident("Stays", make_alert())
    more, some = make_incident("More", make_alert()), make_incident("Some", make_alert())
    incidents.update(SOAR, more.pk, changes={"tlp": "red"})
    incidents.update(SOAR, some.pk, changes={"tlp": "amber+strict"})
    merge.merge(me, stays.pk, [more.pk])
    merge.merge(me, stays.pk, [some.pk])
    assert take_back(me, more) == [] and again(stays).tlp == "amber+strict"
    assert take_back(me, some) == [] and again(stays).tlp == "amber"


def test_the_value_of_the_other_stands_in_for_the_one_that_went(analyst: User) -> None:
    me = Actor.of(analyst)
    stays = make_incident("Stays", make_alert())
    first, second = make_incident("First", make_alert()), make_incident("Second", make_alert())
    for one, value in ((first, "Rome"), (second, "Oslo")):
        Incident.objects.filter(pk=one.pk).update(custom_fields={"site": value})
    merge.merge(me, stays.pk, [first.pk, second.pk])
    assert again(stays).custom_fields == {"site": "Rome"}
    take_back(me, first)
    assert again(stays).custom_fields == {"site": "Oslo"}
    take_back(me, second)
    assert again(stays).custom_fields == {}


def test_what_went_on_to_a_third_one_goes_all_the_way_back(analyst: User) -> None:
    me = Actor.of(analyst)
    first, second, third = (make_incident(name, make_alert()) for name in ("First", "Second", "Third"))
    for incident in (first, second, third):
        tasks.add(me, incident.pk, title=f"Look at {incident.title}")
        tasks.add(me, incident.pk, title="Write it down")
    merge.merge(me, second.pk, [first.pk])
    merge.merge(me, third.pk, [second.pk])
    oldest = Alert.objects.filter(incident=third).order_by("pk")[0]
    part = split.split(me, third.pk, alerts=[oldest.pk], tasks=[IncidentTask.objects.get(title="Look at First").pk])
    merge_undo.undo(me, part.pk, IncidentMove.objects.get(target=part).pk)
    assert take_back(me, second) == [] and take_back(me, first) == []
    for incident in (first, second, third):
        listed = IncidentTask.objects.filter(incident=incident).order_by("position").values_list("title", flat=True)
        assert set(listed) == {f"Look at {incident.title}", "Write it down"}


def test_a_task_that_was_changed_or_done_in_a_third_one_stays_and_is_named(analyst: User) -> None:
    me = Actor.of(analyst)
    first, second, third = (make_incident(name, make_alert()) for name in ("First", "Second", "Third"))
    kept, done, words = (tasks.add(me, first.pk, title=title) for title in ("Kept", "Done", "Other words"))
    merge.merge(me, second.pk, [first.pk])
    merge.merge(me, third.pk, [second.pk])
    tasks.complete(me, done.pk)
    tasks.update(me, words.pk, changes={"description": "More"})
    tasks.move(me, kept.pk, 2)  # another place in the list is no change
    assert len(take_back(me, second)) == 2
    assert [row.title for row in IncidentTask.objects.filter(incident=third)] == ["Done", "Other words"]
    assert take_back(me, first) == ["2 tasks were removed since"]
    assert IncidentTask.objects.get(incident=first).pk == kept.pk


def test_who_owns_no_longer_loses_what_the_rule_for_owners_gave(admin: User, blue: Team) -> None:
    olga = make_user("olga", "Analyst", teams=("Blue",))
    stays = make_incident("Stays", make_alert(team=blue), team=blue)
    goes = make_incident("Goes", make_alert(team=blue), team=blue)
    incidents.owners(SOAR, goes.pk, add=[olga])
    merge.merge(Actor.of(admin), stays.pk, [goes.pk])
    restriction.restrict(Actor.of(admin), stays.pk, reason="About Olga")
    assert IncidentUserPermission.objects.filter(content_object=stays, user=olga, rule="owner").exists()
    take_back(Actor.of(User.objects.get(pk=admin.pk)), goes)
    assert not IncidentUserPermission.objects.filter(content_object=stays, user=olga).exists()
    assert not Incident.objects.visible_to(User.objects.get(pk=olga.pk)).filter(pk=stays.pk).exists()


def test_the_timeline_tells_who_came_to_own_it_and_who_left_it(analyst: User) -> None:
    olga = make_user("olga", "Analyst", first_name="Olga", last_name="Rey")
    stays, goes = make_incident("Stays", make_alert()), make_incident("Goes", make_alert())
    incidents.owners(SOAR, goes.pk, add=[olga])
    merge.merge(Actor.of(analyst), stays.pk, [goes.pk])
    take_back(Actor.of(analyst), goes)
    told = TimelineEntry.objects.filter(incident=stays, kind="incident.owners").order_by("pk")
    assert list(told.values_list("data", flat=True)) == [
        {"added": ["Olga Rey"], "added_ids": [olga.pk]},
        {"removed": ["Olga Rey"], "removed_ids": [olga.pk]},
    ]
