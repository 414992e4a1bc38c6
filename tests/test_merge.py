"""Merging incidents: what goes, what stays, who may, who sees, what stands in the way."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from cases import verify
from cases.actions import holds, incidents, links, merge, observables, relations, restriction, tasks
from cases.actions.access import INCIDENT
from cases.actors import Actor
from cases.choices import IncidentStatus, Severity
from cases.errors import Conflict, Forbidden, Missing, Refused, Stale
from cases.models import Alert, Evidence, Incident, IncidentObservable, IncidentTask, TimelineEntry
from cases.permissions import incident_for
from cases.timeline_read import entries_of_incident
from soar.accounts.access.actions import grant
from soar.accounts.models import Team, User
from tests.evidence_files import keep
from tests.factories import make_alert, make_asset, make_incident, make_user

SYSTEM = Actor.system()
pytestmark = pytest.mark.django_db


def pair(**fields: Any) -> tuple[Incident, Incident]:
    """The one that stays, and the one that goes, each with an alert."""
    stays = make_incident("Stays", make_alert("One"), **fields)
    return stays, make_incident("Goes", make_alert("Two"), **fields)


def again(incident: Incident) -> Incident:
    """As it is in the database now."""
    return Incident.objects.get(pk=incident.pk)


def kinds(incident: Incident) -> list[str]:
    """Its own entries, oldest first."""
    return list(TimelineEntry.objects.filter(incident=incident).order_by("pk").values_list("kind", flat=True))


def test_everything_of_one_is_in_the_other(analyst: User) -> None:
    me = Actor.of(analyst)
    stays, goes = pair()
    incidents.update(me, goes.pk, changes={"tags": ["apt"], "severity": "critical", "tlp": "red"})
    observables.add_to_incident(me, goes.pk, "ip", "203.0.113.9")
    tasks.add(me, stays.pk, title="First")
    tasks.add(me, goes.pk, title="Second")
    piece = keep(goes, "mail.eml")
    incidents.owners(me, goes.pk, add=[analyst])

    merge.merge(me, stays.pk, [goes.number])

    stays, goes = again(stays), again(goes)
    assert (stays.alert_count, goes.alert_count) == (2, 0)
    assert Alert.objects.filter(incident=stays).count() == 2
    assert (stays.severity, stays.tlp, stays.tags) == (Severity.CRITICAL, "red", ["apt"])
    assert IncidentObservable.objects.get(incident=stays).observable.value == "203.0.113.9"
    assert list(IncidentTask.objects.filter(incident=stays).values_list("title", "position")) == [
        ("First", 1),
        ("Second", 2),
    ]
    assert Evidence.objects.get(pk=piece.pk).incident_id == stays.pk
    assert stays.owner_rows.get().user == analyst
    assert (goes.status, goes.merged_into_id) == (IncidentStatus.CLOSED, stays.pk)
    assert kinds(goes)[-1] == "incident.merged_into"
    assert kinds(stays)[-1] == "incident.merged"


def test_nothing_is_doubled(analyst: User) -> None:
    me = Actor.of(analyst)
    stays, goes = pair()
    for incident in (stays, goes):
        observables.add_to_incident(me, incident.pk, "ip", "203.0.113.9")
        incidents.update(me, incident.pk, changes={"tags": ["apt"]})
        incidents.owners(me, incident.pk, add=[analyst])
        keep(incident, "same.eml", b"the same bytes")
    merge.merge(me, stays.pk, [goes.pk])
    assert IncidentObservable.objects.filter(incident=stays).count() == 1
    assert again(stays).tags == ["apt"]
    assert stays.owner_rows.count() == 1
    assert Evidence.objects.filter(incident=stays).count() == 1
    assert Evidence.objects.filter(incident=goes).count() == 1  # its custody is its own


def test_as_many_techniques_come_along_as_an_incident_may_have(analyst: User) -> None:
    me = Actor.of(analyst)
    stays, goes = pair()
    incidents.update(me, stays.pk, changes={"techniques": [f"T{n}" for n in range(1000, 1060)]})
    incidents.update(me, goes.pk, changes={"techniques": [f"T{n}" for n in range(2000, 2150)]})
    told = {part.name: one for part, one in merge.preview(me, stays.pk, [goes.pk])[0].told}["techniques"]
    assert (told.moves, told.stays) == (140, 10)
    merge.merge(me, stays.pk, [goes.pk])
    assert len(again(stays).techniques) == 200


def test_timelines_stay_where_they_were_written_and_are_read_together(analyst: User) -> None:
    me = Actor.of(analyst)
    stays, goes = pair()
    before = list(TimelineEntry.objects.filter(incident=goes).values_list("pk", "hash"))
    note = incidents.comment(me, goes.pk, "Seen at the gateway")
    merge.merge(me, stays.pk, [goes.pk])
    joined = entries_of_incident(again(stays))
    assert note in joined
    assert joined.filter(kind="alert.opened").count() == 2
    own = entries_of_incident(again(goes))
    assert note in own and not own.filter(alert__isnull=False).exists()
    assert list(TimelineEntry.objects.filter(pk__in=[pk for pk, _hash in before]).values_list("pk", "hash")) == before
    for incident in (stays, goes):
        report = verify.report_of_incident(again(incident))
        assert report.findings == []
    assert verify.report_of_incident(again(stays)).subjects == 4


def test_a_chain_of_merges_is_read_as_one(analyst: User) -> None:
    me = Actor.of(analyst)
    first, second = pair()
    third = make_incident("Third", make_alert())
    note = incidents.comment(me, third.pk, "From the third")
    merge.merge(me, second.pk, [third.pk])
    merge.merge(me, first.pk, [second.pk])
    assert note in entries_of_incident(again(first))
    assert again(first).alert_count == 3


def test_several_at_once(analyst: User) -> None:
    stays, goes = pair()
    other = make_incident("Another", make_alert())
    merge.merge(Actor.of(analyst), stays.pk, [goes.pk, other.number])
    assert again(stays).alert_count == 3
    assert again(stays).merged_count == 2


def test_with_itself(analyst: User) -> None:
    stays, _goes = pair()
    with pytest.raises(Refused, match="itself"):
        merge.merge(Actor.of(analyst), stays.pk, [stays.number])


def test_twice(analyst: User) -> None:
    stays, goes = pair()
    merge.merge(Actor.of(analyst), stays.pk, [goes.pk])
    with pytest.raises(Conflict, match=f"was merged into {stays.number}") as caught:
        merge.merge(Actor.of(analyst), stays.pk, [goes.pk])
    assert caught.value.extra["url"] == f"/incidents/{stays.number}/"
    assert again(stays).alert_count == 2


def test_into_one_that_was_merged(analyst: User) -> None:
    stays, goes = pair()
    merge.merge(Actor.of(analyst), stays.pk, [goes.pk])
    other = make_incident("Another", make_alert())
    with pytest.raises(Conflict, match="was merged into"):
        merge.merge(Actor.of(analyst), goes.pk, [other.pk])


def test_a_stranger_and_a_reader(stranger: User, viewer: User, blue: Team) -> None:
    stays, goes = pair(team=blue)
    with pytest.raises(Missing):
        merge.merge(Actor.of(stranger), stays.pk, [goes.pk])
    with pytest.raises(Forbidden):
        merge.merge(Actor.of(viewer), stays.pk, [goes.pk])
    mine = make_incident("Mine", make_alert())
    with pytest.raises(Missing):
        merge.merge(Actor.of(stranger), mine.pk, [goes.pk])
    assert again(goes).merged_at is None


def test_if_match(analyst: User) -> None:
    stays, goes = pair()
    with pytest.raises(Stale):
        merge.merge(Actor.of(analyst), stays.pk, [goes.pk], expected_version=again(stays).version + 3)
    assert again(goes).merged_at is None


def test_open_work_does_not_vanish_in_an_ended_incident(analyst: User) -> None:
    me = Actor.of(analyst)
    stays, goes = pair()
    incidents.set_status(me, stays.pk, "closed", determination="benign")
    with pytest.raises(Conflict, match="has ended"):
        merge.merge(me, stays.pk, [goes.pk])
    incidents.set_status(me, goes.pk, "resolved", determination="benign")
    merge.merge(me, stays.pk, [goes.pk])
    assert again(goes).merged_into_id == stays.pk


def test_nothing_leaves_a_legal_hold(admin: User) -> None:
    me = Actor.of(admin)
    stays, goes = pair()
    holds.place(me, goes.pk, "Court order")
    with pytest.raises(Conflict, match="legal hold") as caught:
        merge.merge(me, stays.pk, [goes.pk])
    assert caught.value.code == "legal_hold"
    merge.merge(me, goes.pk, [stays.pk])  # into what is on hold things may come
    assert again(goes).alert_count == 2


def test_what_is_restricted_is_not_shown_by_a_merge(admin: User, analyst: User) -> None:
    me = Actor.of(admin)
    stays, goes = pair()
    restriction.restrict(me, goes.pk)
    with pytest.raises(Conflict, match="more people would see"):
        merge.merge(me, stays.pk, [goes.pk])
    restriction.restrict(me, stays.pk)
    grant(admin, INCIDENT, str(stays.pk), analyst, "view")
    with pytest.raises(Conflict, match="would see what it holds") as caught:
        merge.merge(me, stays.pk, [goes.pk])
    assert caught.value.extra["code"] == "would_widen"
    grant(admin, INCIDENT, str(goes.pk), analyst, "view")
    merge.merge(me, stays.pk, [goes.pk])
    assert set(Alert.objects.filter(incident=stays).values_list("restricted", flat=True)) == {True}


def test_an_open_one_in_a_restricted_one(admin: User, analyst: User) -> None:
    me = Actor.of(admin)
    stays, goes = pair()
    piece = keep(goes, "mail.eml")
    restriction.restrict(me, stays.pk)
    merge.merge(me, stays.pk, [goes.pk])
    assert not Evidence.objects.visible_to(analyst).filter(pk=piece.pk).exists()
    assert not Alert.objects.visible_to(analyst).filter(incident=stays).exists()
    with pytest.raises(Missing):  # nor its page
        incident_for(analyst, goes.pk)


def test_nothing_changes_in_a_husk_any_more(analyst: User) -> None:
    me = Actor.of(analyst)
    stays, goes = pair()
    merge.merge(me, stays.pk, [goes.pk])
    for act in (
        lambda: incidents.comment(me, goes.pk, "Late"),
        lambda: incidents.set_status(me, goes.pk, "open"),
        lambda: links.link(me, [make_alert().pk], goes.pk),
        lambda: tasks.add(me, goes.pk, title="Late"),
        lambda: relations.relate(me, goes.pk, make_incident().pk, "related_to"),
    ):
        with pytest.raises(Conflict, match="was merged into"):
            act()


def test_a_playbook_that_began_on_the_husk_goes_on_in_the_other(analyst: User) -> None:
    stays, goes = pair()
    merge.merge(Actor.of(analyst), stays.pk, [goes.pk])
    entry = incidents.comment(Actor.playbook("Contain", 7, None), goes.pk, "Host is isolated")
    assert entry.incident_id == stays.pk
    incidents.set_status(Actor.playbook("Contain", 7, None), goes.pk, "contained")
    assert again(stays).status == IncidentStatus.CONTAINED
    assert again(goes).status == IncidentStatus.CLOSED


def test_notes_of_an_alert_that_comes_back_are_told_once(analyst: User) -> None:
    from cases.actions import alerts

    me = Actor.of(analyst)
    alert = make_alert("Noted")
    alerts.comment(me, alert.pk, "Look at this")
    stays = make_incident("Stays", make_alert())
    goes = make_incident("Goes", alert, make_alert())
    merge.merge(me, stays.pk, [goes.pk])
    links.unlink(me, [alert.pk])
    links.link(me, [alert.pk], stays.pk)
    assert entries_of_incident(again(stays)).filter(kind="note.moved").count() == 1


def test_links_to_others_come_along(analyst: User) -> None:
    me = Actor.of(analyst)
    stays, goes = pair()
    parent = make_incident("Parent")
    relations.relate(me, goes.pk, parent.pk, "child_of")
    relations.relate(me, goes.pk, stays.pk, "duplicate_of")
    merge.merge(me, stays.pk, [goes.pk])
    assert [(one.word, one.other.pk) for one in relations.related_to(analyst, stays)] == [
        ("child_of", parent.pk),
        ("has_duplicate", goes.pk),
    ]


def test_the_preview_says_it_and_changes_nothing(analyst: User) -> None:
    me = Actor.of(analyst)
    stays, goes = pair()
    incidents.update(me, goes.pk, changes={"severity": "critical"})
    make_asset("host-1")
    keep(goes, "a.eml")
    before = again(goes).version
    (found,) = merge.preview(me, stays.pk, [goes.pk])
    told = {part.name: one.moves for part, one in found.told}
    assert told == {"alerts": 1, "evidence": 1, "fields": 1}
    assert found.raised == {"severity": Severity.CRITICAL}
    assert found.refusal is None
    assert (again(goes).version, again(goes).merged_at) == (before, None)


def test_the_preview_says_who_comes_to_see_it(
    analyst: User, stranger: User, blue: Team, red: Team, admin: User
) -> None:
    stays = make_incident("Stays", make_alert(), team=blue)
    goes = make_incident("Goes", make_alert(), team=red, owners=[stranger])
    (found,) = merge.preview(Actor.of(admin), stays.pk, [goes.pk])
    said = " ".join(found.sight)
    assert "belongs to Red" in said
    assert "Sam Stranger" in said


def test_the_other_number_is_hidden_from_who_may_not_see_it(admin: User, as_analyst: Client) -> None:
    me = Actor.of(admin)
    stays, goes = pair()
    restriction.restrict(me, stays.pk)
    merge.merge(me, stays.pk, [goes.pk])
    page = as_analyst.get(f"/incidents/{goes.number}/").content.decode()
    assert f"{stays.number} " not in page and f"/{stays.number}/" not in page
    assert "Stays" not in page


def test_people_of_other_teams_own_it_too(blue: Team) -> None:
    stays, goes = pair()
    owner = make_user("olaf", "Analyst", teams=("Blue",))
    incidents.owners(SYSTEM, goes.pk, add=[owner], lead=owner)
    merge.merge(SYSTEM, stays.pk, [goes.pk])
    row = stays.owner_rows.get()
    assert (row.user, row.lead) == (owner, False)
