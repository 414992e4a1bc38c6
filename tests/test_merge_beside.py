"""What hangs on an incident beside the case itself: tickets in ServiceNow, playbook runs, purge and retention."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest

from cases import retention
from cases.actions import holds, incidents, merge, merge_undo, notifications, relations
from cases.actors import Actor
from cases.errors import Conflict
from cases.models import Incident, IncidentMove, IncidentRelation, LegalHold, LinkState, TicketLink, Watch
from cases.servicenow.agreeing import locked
from playbooks.actions.responses import case_of
from playbooks.actions.runs import run_by_hand
from playbooks.announce import announce, lock_subject
from playbooks.choices import RunStatus, StartedBy
from playbooks.models import Playbook, Run
from playbooks.response.locking import hold
from soar.accounts.models import User
from soar.lib import clock
from tests.factories import make_alert, make_incident, make_user
from tests.fixtures import client_of
from tests.ticket_rows import make_instance, make_link, make_profile

pytestmark = pytest.mark.django_db


def pair() -> tuple[Incident, Incident]:
    """The one that stays, and the one that goes."""
    return make_incident("Stays", make_alert()), make_incident("Goes", make_alert())


def running(incident: Incident) -> Run:
    """A run on an incident that is under way."""
    playbook = Playbook.objects.create(name="Contain", kind="python", trigger="manual")
    return Run.objects.create(
        playbook=playbook, incident=incident, status=RunStatus.IN_PROGRESS, trigger=StartedBy.MANUAL, cause=uuid.uuid4()
    )


def test_the_only_ticket_goes_along_and_back(analyst: User) -> None:
    me = Actor.of(analyst)
    stays, goes = pair()
    link = make_link(goes, make_profile(make_instance()))
    merge.merge(me, stays.pk, [goes.pk])
    link.refresh_from_db()
    assert (link.incident_id, link.state) == (stays.pk, LinkState.LINKED)
    assert locked(link.pk)[0].pk == stays.pk
    merge_undo.undo(me, stays.pk, IncidentMove.objects.get().pk)
    link.refresh_from_db()
    assert link.incident_id == goes.pk


def test_with_a_ticket_on_both_the_one_that_stays_goes_on(analyst: User) -> None:
    me = Actor.of(analyst)
    stays, goes = pair()
    profile = make_profile(make_instance())
    ours, theirs = make_link(stays, profile), make_link(goes, profile)
    (found,) = merge.preview(me, stays.pk, [goes.pk])
    told = next(one for part, one in found.told if part.name == "tickets")
    assert (told.moves, told.stays) == (0, 1) and theirs.number in told.why
    merge.merge(me, stays.pk, [goes.pk])
    ours.refresh_from_db()
    theirs.refresh_from_db()
    assert (ours.state, ours.incident_id) == (LinkState.LINKED, stays.pk)
    assert (theirs.state, theirs.incident_id) == (LinkState.ENDED, goes.pk)
    assert (
        "ticket of its own" in theirs.reason and stays.number not in theirs.reason
    )  # who reads it may not see that one
    assert goes.timeline.filter(kind="servicenow.unlinked").exists()
    assert merge_undo.preview(me, IncidentMove.objects.get()).left == []
    merge_undo.undo(me, stays.pk, IncidentMove.objects.get().pk)
    theirs.refresh_from_db()
    assert (theirs.state, theirs.reason) == (LinkState.LINKED, "")


def test_a_ticket_that_another_incident_has_by_now_is_named(analyst: User) -> None:
    me = Actor.of(analyst)
    stays, goes = pair()
    profile = make_profile(make_instance())
    make_link(stays, profile)
    theirs = make_link(goes, profile)
    merge.merge(me, stays.pk, [goes.pk])
    make_link(make_incident("Third"), profile, sys_id=theirs.sys_id)
    told = merge_undo.preview(me, IncidentMove.objects.get()).left
    done = merge_undo.undo(me, stays.pk, IncidentMove.objects.get().pk)
    assert told == done.left == ["1 ticket is not linked any more"]
    assert TicketLink.objects.get(pk=theirs.pk).state == LinkState.ENDED


def test_a_run_on_it_goes_on_in_the_other_and_back(analyst: User) -> None:
    me = Actor.of(analyst)
    stays, goes = pair()
    run = running(goes)
    (found,) = merge.preview(me, stays.pk, [goes.pk])
    told = next(one for part, one in found.told if part.name == "runs")
    assert told.moves == 1 and "1 under way" in told.why
    merge.merge(me, stays.pk, [goes.pk])
    subject = lock_subject(run)  # as the worker has it in memory: it began on the husk
    assert isinstance(subject, Incident) and subject.pk == stays.pk
    announce("run.finished", run, subject, status="successful")
    assert stays.timeline.filter(kind="run.finished").exists()
    held = hold(run.pk)
    assert held is not None and held.incident is not None and held.incident.pk == stays.pk
    merge_undo.undo(me, stays.pk, IncidentMove.objects.get().pk)
    assert Run.objects.get(pk=run.pk).incident_id == goes.pk


def test_retention_takes_a_husk_with_the_incident_that_it_went_to(analyst: User) -> None:
    me = Actor.of(analyst)
    stays, goes = pair()
    merge.merge(me, stays.pk, [goes.pk])
    old = clock.now() - timedelta(days=100)
    Incident.objects.filter(pk=goes.pk).update(closed_at=old)
    before = clock.now() - timedelta(days=30)
    assert list(retention.INCIDENTS.rows(before)) == []
    incidents.set_status(me, stays.pk, "closed", determination="benign")
    Incident.objects.filter(pk=stays.pk).update(closed_at=old)
    assert [row.pk for row in retention.INCIDENTS.rows(before)] == [stays.pk]
    assert retention.INCIDENTS.delete([stays.pk]) == 2
    assert not Incident.objects.exists()


def following(incident: Incident) -> set[str]:
    """User names of those who follow it."""
    return set(Watch.objects.filter(incident=incident, muted=False).values_list("user__username", flat=True))


def test_followers_who_see_the_other_one_follow_it_and_back(analyst: User, responder: User) -> None:
    stays, goes = pair()
    mutes, gone = make_user("mutes", "Analyst"), make_user("gone", "Analyst")
    for one in (responder, mutes, gone):
        notifications.watch(one, goes, "follow")
    notifications.watch(mutes, stays, "mute")
    gone.groups.clear()
    (preview,) = merge.preview(Actor.of(analyst), stays.pk, [goes.pk])
    told = {part.name: told for part, told in preview.told}
    assert (told["followers"].moves, told["followers"].stays) == (1, 1)
    merge.merge(Actor.of(analyst), stays.pk, [goes.pk])
    assert following(stays) == {responder.username}
    merge_undo.undo(Actor.of(analyst), stays.pk, IncidentMove.objects.get().pk)
    assert following(stays) == set()
    assert following(goes) == {responder.username, "mutes", "gone"}


def test_a_hold_is_placed_on_what_keeps_the_case_and_not_on_its_husk(admin: User) -> None:
    stays, goes = pair()
    merge.merge(Actor.of(admin), stays.pk, [goes.pk])
    with pytest.raises(Conflict, match=stays.number):
        holds.place(Actor.of(admin), goes.pk, "A court asks")
    assert not LegalHold.objects.exists()
    holds.place(Actor.of(admin), stays.pk, "A court asks")


def test_links_that_would_go_round_in_a_circle_stay(analyst: User) -> None:
    me = Actor.of(analyst)
    stays, goes = pair()
    above, top = make_incident("Above"), make_incident("Top")
    for child, parent in ((goes, above), (above, top), (top, stays)):
        relations.relate(me, child.pk, parent.pk, "child_of")
    (preview,) = merge.preview(me, stays.pk, [goes.pk])
    told = {part.name: told for part, told in preview.told}["relations"]
    assert (told.moves, told.stays) == (0, 1)
    merge.merge(me, stays.pk, [goes.pk])
    assert IncidentRelation.objects.filter(incident=goes, other=above).exists()
    assert not IncidentRelation.objects.filter(incident=stays).exists()


def test_nothing_is_begun_on_a_husk(responder: User) -> None:
    stays, goes = pair()
    playbook = Playbook.objects.create(name="Contain", kind="python", trigger="manual", enabled=True)
    merge.merge(Actor.of(responder), stays.pk, [goes.pk])
    with pytest.raises(Conflict, match=stays.number):
        run_by_hand(Actor.of(responder), playbook, incident=goes.pk)
    with pytest.raises(Conflict, match=stays.number):
        case_of(Actor.of(responder), incident=goes.pk)
    assert not Run.objects.exists()
    box = client_of(responder).get(f"/incidents/{goes.number}/runs/", headers={"HX-Request": "true"}).content.decode()
    assert "Run playbook" not in box and "Respond" not in box


def test_the_targets_of_a_husk_press_nobody(analyst: User) -> None:
    stays, goes = pair()
    later = clock.now() + timedelta(days=9)
    with clock.at(later):
        assert "overdue" in client_of(analyst).get(f"/incidents/{goes.number}/targets/").content.decode()
        merge.merge(Actor.of(analyst), stays.pk, [goes.pk])
        told = client_of(analyst).get(f"/incidents/{goes.number}/targets/").content.decode()
    assert "overdue" not in told and "the targets of the other incident count" in told
