"""What a merge, a split and an undo took over stands on the timeline, and who came to own something is told."""

from __future__ import annotations

import pytest
from django.db import transaction

from cases import timeline
from cases.actions import alerts, incidents, merge, merge_undo, split, tasks
from cases.actors import Actor
from cases.models import CustomField, Incident, IncidentMove, TimelineEntry
from cases.timeline_words import sentence
from cases.verify import report_of_incident
from soar.accounts.models import Team, User
from tests.factories import make_alert, make_incident, make_user
from tests.notification_tools import reasons, run, told

pytestmark = pytest.mark.django_db
SOAR = Actor.system()


def changes(incident: Incident) -> list[tuple[str, object, object, str]]:
    """Field, old and new value, and why, of each change on its timeline, the first one first."""
    rows = TimelineEntry.objects.filter(incident=incident, kind="changed").order_by("pk")
    return [(row.data["field"], row.data["old"], row.data["new"], row.text) for row in rows]


def take_back(actor: Actor, goes: Incident) -> None:
    move = IncidentMove.objects.get(source=goes)
    merge_undo.undo(actor, move.target_id, move.pk)


def test_tags_techniques_and_fields_that_came_and_went_are_told(analyst: User) -> None:
    CustomField.objects.create(key="site", name="Site", kind="text")
    stays, goes = make_incident("Stays", make_alert()), make_incident("Goes", make_alert())
    incidents.update(SOAR, stays.pk, changes={"tags": ["vpn"]})
    incidents.update(SOAR, goes.pk, changes={"tags": ["apt"], "custom_fields": {"site": "Oslo"}})
    incidents.update(SOAR, goes.pk, changes={"techniques": ["T1566"]})
    before = len(changes(stays))
    merge.merge(Actor.of(analyst), stays.pk, [goes.pk])
    assert changes(stays)[before:] == [
        ("tags", ["vpn"], ["vpn", "apt"], "By a merge"),
        ("techniques", [], ["T1566"], "By a merge"),
        ("cf.site", None, "Oslo", "By a merge"),
    ]
    before = len(changes(stays))
    take_back(Actor.of(analyst), goes)
    assert sorted(changes(stays)[before:]) == [
        ("cf.site", "Oslo", None, "By taking a merge back"),
        ("tags", ["vpn", "apt"], ["vpn"], "By taking a merge back"),
        ("techniques", ["T1566"], [], "By taking a merge back"),
    ]
    again = Incident.objects.get(pk=stays.pk)
    assert (again.tags, again.techniques, again.custom_fields) == (["vpn"], [], {})
    assert report_of_incident(again).findings == []


def test_what_changes_nothing_is_not_told(analyst: User) -> None:
    stays, goes = make_incident("Stays", make_alert()), make_incident("Goes", make_alert())
    for one in (stays, goes):
        incidents.update(SOAR, one.pk, changes={"tags": ["apt"]})
    before = changes(stays)
    merge.merge(Actor.of(analyst), stays.pk, [goes.pk])
    take_back(Actor.of(analyst), goes)
    assert changes(stays) == before


def test_a_field_that_is_defined_no_more_is_told_by_its_key(analyst: User) -> None:
    stays, goes = make_incident("Stays", make_alert()), make_incident("Goes", make_alert())
    Incident.objects.filter(pk=goes.pk).update(custom_fields={"old_field": 7})
    merge.merge(Actor.of(analyst), stays.pk, [goes.pk])
    assert changes(stays) == [("cf.old_field", None, 7, "By a merge")]


def test_how_much_went_is_told_in_numbers(analyst: User) -> None:
    stays, goes = make_incident("Stays", make_alert()), make_incident("Goes", make_alert())
    for title in ("Call", "Write"):
        tasks.add(SOAR, goes.pk, title=title)
    merge.merge(Actor.of(analyst), stays.pk, [goes.pk])
    entry = TimelineEntry.objects.get(incident=stays, kind="incident.merged")
    assert sentence(entry).endswith("Goes into this one, 1 alert, 2 tasks")


def test_who_comes_to_own_it_by_a_merge_is_told(analyst: User, responder: User) -> None:
    stays, goes = make_incident("Stays", make_alert()), make_incident("Goes", make_alert())
    incidents.owners(SOAR, goes.pk, add=[analyst, responder])
    run()
    merge.merge(Actor.of(analyst), stays.pk, [goes.pk])
    run()
    assert reasons(responder).count("assigned") == 2
    assert reasons(analyst).count("assigned") == 1  # who did it themselves knows


def test_of_a_split_the_owners_and_marks_are_told(analyst: User, responder: User, blue: Team) -> None:
    stays = make_incident("Whole", make_alert(team=blue), make_alert(team=blue), team=blue)
    incidents.owners(SOAR, stays.pk, add=[responder, analyst], lead=responder)
    incidents.update(SOAR, stays.pk, changes={"pap": "red", "restricted": True})
    run()
    me = Actor.of(User.objects.get(pk=responder.pk))
    new = split.split(me, stays.pk, alerts=[stays.alerts.order_by("pk")[0].pk])
    run()
    owners = TimelineEntry.objects.get(incident=new, kind="incident.owners")
    assert set(owners.data["added_ids"]) == {responder.pk, analyst.pk} and owners.data["lead_id"] == responder.pk
    assert owners.text == "As what it was split off"
    assert ("pap", "amber", "red", "As what it was split off") in changes(new)
    assert TimelineEntry.objects.filter(incident=new, kind="access.restricted").count() == 1
    assert report_of_incident(Incident.objects.get(pk=new.pk)).findings == []
    assert [words for _reason, words in told(analyst)].count("Priya Raman gave it to you") == 1


def test_a_split_that_is_taken_back_says_so(analyst: User) -> None:
    whole = make_incident("Whole", make_alert(), make_alert())
    new = split.split(Actor.of(analyst), whole.pk, alerts=[whole.alerts.order_by("pk")[0].pk])
    incidents.update(SOAR, new.pk, changes={"tags": ["apt"]})
    merge_undo.undo(Actor.of(analyst), whole.pk, IncidentMove.objects.get(target=new).pk)
    assert changes(whole)[-1] == ("tags", [], ["apt"], "By taking a split back")


@pytest.fixture
def twins() -> list[User]:
    """Two people of one name."""
    return [make_user(name, "Analyst", first_name="Sam", last_name="Ito") for name in ("sam1", "sam2")]


def test_of_two_of_one_name_only_the_one_who_is_meant_is_told(admin: User, twins: list[User]) -> None:
    me, (first, second) = Actor.of(admin), twins
    incident, alert = make_incident("Case", make_alert()), make_alert("Other")
    incidents.owners(me, incident.pk, add=[first], lead=first)
    run()
    assert (reasons(first), reasons(second)) == (["assigned"], [])
    incidents.owners(me, incident.pk, add=[second])
    run()
    assert (reasons(first), reasons(second)) == (["assigned"], ["assigned"])
    task = tasks.add(me, incident.pk, title="Call", assignee=first)
    tasks.assign(me, task.pk, second)
    run()
    assert (reasons(first), reasons(second)) == (["assigned"], ["assigned", "task"])
    alerts.assign(me, alert.pk, owner=first)
    alerts.assign(me, alert.pk, owner=second)
    run()
    assert (reasons(first), reasons(second)) == (["assigned"], ["assigned", "task", "assigned"])


def test_entries_from_before_there_were_ids_are_understood_by_name(admin: User, analyst: User) -> None:
    incident = make_incident("Case", make_alert())
    incidents.owners(Actor.of(admin), incident.pk, add=[analyst])
    run()
    with transaction.atomic():  # as an older version of Soar wrote it
        held = Incident.objects.select_for_update().get(pk=incident.pk)
        timeline.record("incident.owners", held, Actor.of(admin), data={"added": ["Mara Lindqvist"]})
    run()
    assert reasons(analyst) == ["assigned", "assigned"]
