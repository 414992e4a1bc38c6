"""Taking a merge back: what goes back, what is named, what stands in the way."""

from __future__ import annotations

from datetime import timedelta

import pytest

from cases import verify
from cases.actions import holds, incidents, links, merge, merge_undo, observables, restriction, tasks
from cases.actors import Actor
from cases.choices import IncidentStatus, Severity
from cases.errors import Conflict, Forbidden, Missing
from cases.models import Alert, Evidence, Incident, IncidentMove, IncidentObservable, IncidentTask, TimelineEntry
from cases.timeline_read import entries_of_incident
from soar.accounts.models import Team, User
from tests.evidence_files import keep
from tests.factories import make_alert, make_incident

pytestmark = pytest.mark.django_db


def again(incident: Incident) -> Incident:
    """As it is in the database now."""
    return Incident.objects.get(pk=incident.pk)


def merged(actor: Actor) -> tuple[Incident, Incident, IncidentMove]:
    """An incident, the one that went into it with something of each sort, and the merge."""
    stays = make_incident("Stays", make_alert("One"))
    goes = make_incident("Goes", make_alert("Two"), make_alert("Three"))
    incidents.update(actor, goes.pk, changes={"tags": ["apt"], "severity": "critical"})
    observables.add_to_incident(actor, goes.pk, "ip", "203.0.113.9")
    tasks.add(actor, stays.pk, title="Ours")
    tasks.add(actor, goes.pk, title="Theirs")
    tasks.add(actor, goes.pk, title="Theirs too")
    keep(goes, "mail.eml")
    if actor.user:
        incidents.owners(actor, goes.pk, add=[actor.user])
    merge.merge(actor, stays.pk, [goes.pk])
    return again(stays), again(goes), IncidentMove.objects.get(target=stays)


def test_everything_goes_back(analyst: User) -> None:
    me = Actor.of(analyst)
    stays, goes, move = merged(me)
    done = merge_undo.undo(me, stays.pk, move.pk)
    assert done.left == [] and done.undone_at is not None
    stays, goes = again(stays), again(goes)
    assert (stays.alert_count, goes.alert_count) == (1, 2)
    assert Alert.objects.filter(incident=goes).count() == 2
    assert (stays.severity, stays.tags, goes.tags) == (Severity.MEDIUM, [], ["apt"])
    assert IncidentObservable.objects.get().incident_id == goes.pk
    assert Evidence.objects.get().incident_id == goes.pk
    listed = IncidentTask.objects.filter(incident=goes).values_list("title", "position")
    assert list(listed) == [("Theirs", 1), ("Theirs too", 2)]
    assert list(IncidentTask.objects.filter(incident=stays).values_list("title", "position")) == [("Ours", 1)]
    assert not stays.owner_rows.exists()
    assert (goes.status, goes.merged_at, goes.merged_into_id, goes.closed_at) == (IncidentStatus.OPEN, None, None, None)
    assert stays.merged_count == 0
    incidents.comment(me, goes.pk, "Here again")
    for incident in (stays, goes):
        assert verify.report_of_incident(again(incident)).findings == []
        assert not entries_of_incident(again(incident)).filter(text="Here again", incident=stays).exists()


def test_what_was_changed_since_stays_and_is_named(analyst: User) -> None:
    me = Actor.of(analyst)
    stays, goes, move = merged(me)
    moved = Alert.objects.get(title="Two")
    links.unlink(me, [moved.pk])
    tasks.complete(me, IncidentTask.objects.get(title="Theirs").pk)
    incidents.update(me, stays.pk, changes={"severity": "low"})
    incidents.owners(me, stays.pk, lead=analyst)
    observables.remove_from_incident(me, stays.pk, IncidentObservable.objects.get().observable_id)
    told = merge_undo.preview(me, move).left
    left = merge_undo.undo(me, stays.pk, move.pk).left
    assert told == left
    assert "1 alert was moved on or unlinked since" in left
    assert "The task “Theirs” was changed since" in left
    assert f"The severity of {stays.number} was set since" in left
    assert any("leads by now" in one for one in left)
    assert any("removed since" in one for one in left)
    assert len(left) == 5
    assert again(goes).alert_count == 1
    assert Alert.objects.get(pk=moved.pk).incident_id is None
    listed = IncidentTask.objects.filter(incident=stays).values_list("title", "position")
    assert list(listed) == [("Ours", 1), ("Theirs", 2)]


def test_what_came_since_stays(analyst: User) -> None:
    me = Actor.of(analyst)
    stays, goes, move = merged(me)
    late = make_alert("Late")
    links.link(me, [late.pk], stays.pk)
    merge_undo.undo(me, goes.pk, move.pk)
    assert set(Alert.objects.filter(incident=stays).values_list("title", flat=True)) == {"One", "Late"}


def test_the_preview_tells_the_same_and_changes_nothing(analyst: User) -> None:
    me = Actor.of(analyst)
    stays, goes, move = merged(me)
    tasks.complete(me, IncidentTask.objects.get(title="Theirs").pk)
    count = TimelineEntry.objects.count()
    told = merge_undo.preview(me, move)
    assert told.refusal is None and told.left == ["The task “Theirs” was changed since"]
    assert TimelineEntry.objects.count() == count
    assert again(goes).merged_into_id == stays.pk


def test_twice(analyst: User) -> None:
    me = Actor.of(analyst)
    stays, _goes, move = merged(me)
    merge_undo.undo(me, stays.pk, move.pk)
    with pytest.raises(Conflict, match="undone already"):
        merge_undo.undo(me, stays.pk, move.pk)


def test_after_24_hours(analyst: User) -> None:
    me = Actor.of(analyst)
    stays, goes, move = merged(me)
    IncidentMove.objects.update(made_at=move.made_at - timedelta(hours=24, seconds=1))
    with pytest.raises(Conflict, match="24 hours") as caught:
        merge_undo.undo(me, stays.pk, move.pk)
    assert caught.value.extra["code"] == "too_late"
    assert again(goes).merged_into_id == stays.pk


def test_the_later_merge_first(analyst: User) -> None:
    me = Actor.of(analyst)
    stays, goes, move = merged(me)
    last = make_incident("Last", make_alert())
    merge.merge(me, last.pk, [stays.pk])
    with pytest.raises(Conflict, match="itself merged"):
        merge_undo.undo(me, goes.pk, move.pk)
    merge_undo.undo(me, last.pk, IncidentMove.objects.get(target=last).pk)
    merge_undo.undo(me, goes.pk, move.pk)
    assert [again(one).alert_count for one in (last, stays, goes)] == [1, 1, 2]


def test_nothing_leaves_a_hold(admin: User) -> None:
    me = Actor.of(admin)
    stays, _goes, move = merged(me)
    holds.place(me, stays.pk, "Court order")
    with pytest.raises(Conflict, match="legal hold"):
        merge_undo.undo(me, stays.pk, move.pk)


def test_strangers_and_readers(viewer: User, stranger: User, blue: Team) -> None:
    stays, goes, move = merged(Actor.system())
    Incident.objects.filter(pk__in=[stays.pk, goes.pk]).update(team=blue)
    with pytest.raises(Forbidden):
        merge_undo.undo(Actor.of(viewer), stays.pk, move.pk)
    with pytest.raises(Missing):
        merge_undo.undo(Actor.of(stranger), stays.pk, move.pk)
    Incident.objects.filter(pk=stays.pk).update(team=None)
    with pytest.raises(Missing):  # sees one of the two
        merge_undo.undo(Actor.of(stranger), stays.pk, move.pk)
    assert list(merge_undo.moves_seen(stranger, stays)) == []


def test_what_was_restricted_since_is_not_opened_by_an_undo(admin: User, analyst: User, viewer: User) -> None:
    from cases.actions.access import INCIDENT
    from soar.accounts.access.actions import grant

    stays, goes, move = merged(Actor.of(analyst))
    restriction.restrict(Actor.of(admin), stays.pk)
    grant(admin, INCIDENT, str(stays.pk), analyst, "edit")
    analyst = User.objects.get(pk=analyst.pk)
    with pytest.raises(Forbidden, match="manages its access"):
        merge_undo.undo(Actor.of(analyst), stays.pk, move.pk)
    merge_undo.undo(Actor.of(User.objects.get(pk=admin.pk)), stays.pk, move.pk)
    assert again(goes).restricted and not Alert.objects.filter(incident=goes, restricted=False).exists()
    analyst = User.objects.get(pk=analyst.pk)
    assert Incident.objects.visible_to(analyst).filter(pk=goes.pk).exists()  # the same people see both
    assert not Incident.objects.visible_to(viewer).filter(pk=goes.pk).exists()
    restriction.unrestrict(Actor.of(User.objects.get(pk=admin.pk)), goes.pk)
    assert again(stays).restricted and not again(goes).restricted
