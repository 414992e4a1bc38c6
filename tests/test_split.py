"""Splitting an incident: what goes, who sees it, what stands in the way, and the way back."""

from __future__ import annotations

from typing import Any

import pytest

from cases import verify
from cases.actions import alerts, holds, incidents, merge_undo, observables, restriction, split, tasks
from cases.actions.access import INCIDENT
from cases.actors import Actor
from cases.choices import Severity
from cases.errors import Conflict, Forbidden, Missing, Refused, Stale
from cases.models import Alert, Evidence, Incident, IncidentClock, IncidentMove, IncidentTask, TimelineEntry
from cases.timeline_read import entries_of_incident
from soar.accounts.access.actions import grant
from soar.accounts.models import Team, User
from tests.evidence_files import keep
from tests.factories import make_alert, make_incident

pytestmark = pytest.mark.django_db


def again(incident: Incident) -> Incident:
    """As it is in the database now."""
    return Incident.objects.get(pk=incident.pk)


def of_three(**fields: Any) -> tuple[Incident, list[Alert]]:
    """An incident from three alerts, the last of which is critical."""
    rows = [make_alert(f"Alert {n}") for n in (1, 2)] + [make_alert("Alert 3", severity=Severity.CRITICAL)]
    return make_incident("Whole", *rows, **fields), rows


def test_alerts_and_what_is_ticked_go_into_a_new_incident(analyst: User) -> None:
    me = Actor.of(analyst)
    whole, rows = of_three(owners=[analyst])
    for title in ("First", "Second", "Third"):
        tasks.add(me, whole.pk, title=title)
    seen = observables.add_to_incident(me, whole.pk, "ip", "203.0.113.9")
    piece = keep(whole, "mail.eml")
    second = IncidentTask.objects.get(title="Second")
    new = split.split(
        me, whole.pk, alerts=[rows[2].number], tasks=[second.pk], observables=[seen.pk], evidence=[piece.pk]
    )
    new, whole = again(new), again(whole)
    assert (new.title, new.severity, new.alert_count, whole.alert_count) == ("Alert 3", Severity.CRITICAL, 1, 2)
    assert list(IncidentTask.objects.filter(incident=whole).values_list("title", "position")) == [
        ("First", 1),
        ("Third", 2),
    ]
    assert IncidentTask.objects.get(incident=new).title == "Second"
    assert Evidence.objects.get(pk=piece.pk).incident_id == new.pk
    assert new.observable_links.get().observable_id == seen.pk
    assert new.owner_rows.get().user == analyst
    assert TimelineEntry.objects.filter(incident=new, kind="incident.split_off").exists()
    assert TimelineEntry.objects.filter(incident=whole, kind="incident.split").exists()
    assert verify.report_of_incident(new).findings == [] == verify.report_of_incident(whole).findings


@pytest.mark.parametrize("field", ["tasks", "observables", "assets", "evidence"])
def test_what_is_not_in_it(analyst: User, field: str) -> None:
    whole, rows = of_three()
    which: dict[str, Any] = {"alerts": [rows[0].pk], field: [987654]}
    with pytest.raises(Refused) as caught:
        split.split(Actor.of(analyst), whole.pk, **which)
    assert caught.value.field == field
    assert Incident.objects.count() == 1


def test_no_alert_all_alerts_and_those_of_another(analyst: User) -> None:
    me = Actor.of(analyst)
    whole, rows = of_three()
    other = make_incident("Other", make_alert())
    for chosen, said in (
        ([], "at least one"),
        ([row.pk for row in rows], "must stay"),
        ([other.alerts.get().pk], "is not in"),
    ):
        with pytest.raises(Refused, match=said):
            split.split(me, whole.pk, alerts=chosen)
    assert again(whole).alert_count == 3


def test_rights(stranger: User, viewer: User, blue: Team) -> None:
    whole, rows = of_three(team=blue)
    with pytest.raises(Missing):
        split.split(Actor.of(stranger), whole.pk, alerts=[rows[0].pk])
    with pytest.raises(Forbidden):
        split.split(Actor.of(viewer), whole.pk, alerts=[rows[0].pk])


def test_states_that_do_not_allow_it(admin: User) -> None:
    me = Actor.of(admin)
    whole, rows = of_three()
    with pytest.raises(Stale):
        split.split(me, whole.pk, alerts=[rows[0].pk], expected_version=again(whole).version + 1)
    holds.place(me, whole.pk, "Court order")
    with pytest.raises(Conflict, match="legal hold"):
        split.split(me, whole.pk, alerts=[rows[0].pk])
    holds.lift(me, whole.pk, "Over")
    incidents.set_status(me, whole.pk, "closed", determination="benign")
    with pytest.raises(Conflict, match="has ended"):
        split.split(me, whole.pk, alerts=[rows[0].pk])


def test_of_a_restricted_one_the_same_people_see_both(admin: User, analyst: User, viewer: User) -> None:
    me = Actor.of(admin)
    whole, rows = of_three()
    restriction.restrict(me, whole.pk)
    grant(admin, INCIDENT, str(whole.pk), analyst, "comment")
    new = split.split(Actor.of(User.objects.get(pk=admin.pk)), whole.pk, alerts=[rows[0].pk])
    assert again(new).restricted
    assert Alert.objects.get(pk=rows[0].pk).restricted
    for user, sees in ((analyst, True), (viewer, False), (admin, True)):
        fresh = User.objects.get(pk=user.pk)
        assert Incident.objects.visible_to(fresh).filter(pk=new.pk).exists() is sees
        assert Alert.objects.visible_to(fresh).filter(pk=rows[0].pk).exists() is sees


def test_team_and_marks_are_those_of_the_whole(analyst: User, blue: Team) -> None:
    me = Actor.of(analyst)
    whole, rows = of_three(team=blue)
    incidents.update(me, whole.pk, changes={"tlp": "red", "pap": "red"})
    new = again(split.split(me, whole.pk, alerts=[rows[0].pk], title="Mine", severity="low"))
    assert (new.team, new.tlp, new.pap, new.title, new.severity) == (blue, "red", "red", "Mine", Severity.LOW)


def test_undo_brings_back_whatever_came_since_and_tells_notes_once(analyst: User) -> None:
    me = Actor.of(analyst)
    noted = make_alert("Noted")
    alerts.comment(me, noted.pk, "Look at this")
    whole = make_incident("Whole", noted, make_alert())
    new = split.split(me, whole.pk, alerts=[noted.pk])
    later = incidents.comment(me, new.pk, "Worked on it")
    tasks.add(me, new.pk, title="Made there")
    move = IncidentMove.objects.get(kind="split")
    assert merge_undo.preview(me, move).refusal is None
    merge_undo.undo(me, new.pk, move.pk)
    assert again(new).merged_into_id == whole.pk
    assert again(whole).alert_count == 2
    assert IncidentTask.objects.get(title="Made there").incident_id == whole.pk
    joined = entries_of_incident(again(whole))
    assert later in joined
    assert joined.filter(kind="note.moved").count() == 1


def test_the_preview(analyst: User) -> None:
    me = Actor.of(analyst)
    row = make_alert("Named", observables=(("ip", "203.0.113.9"), ("domain", "evil.com")))
    alerts.comment(me, row.pk, "A note")
    whole = make_incident("Whole", row, make_alert())
    found = split.preview(me, whole.pk, alerts=[row.number])
    assert (found.title, found.observables, found.notes, found.refusal) == ("Named", 2, 1, None)
    assert Incident.objects.count() == 1


def test_what_is_owned_already_waits_for_nobody(analyst: User) -> None:
    me = Actor.of(analyst)
    whole, rows = of_three()
    incidents.owners(me, whole.pk, add=[analyst])
    new = split.split(me, whole.pk, alerts=[rows[2].pk])
    assert IncidentClock.objects.get(incident=new, name="acknowledge").stopped_at is not None


def test_undo_leaves_a_severity_that_a_person_lowered(analyst: User) -> None:
    me = Actor.of(analyst)
    whole, rows = of_three()
    incidents.update(me, whole.pk, changes={"severity": "low"})
    new = split.split(me, whole.pk, alerts=[rows[2].pk])
    assert new.severity > Severity.LOW
    merge_undo.undo(me, whole.pk, IncidentMove.objects.get().pk)
    whole.refresh_from_db()
    assert whole.severity == Severity.LOW


def test_undo_takes_a_severity_over_that_somebody_set_since(analyst: User) -> None:
    me = Actor.of(analyst)
    whole, rows = of_three()
    new = split.split(me, whole.pk, alerts=[rows[0].pk])
    incidents.update(me, whole.pk, changes={"severity": "low"})
    incidents.update(me, new.pk, changes={"severity": "critical"})
    merge_undo.undo(me, whole.pk, IncidentMove.objects.get().pk)
    whole.refresh_from_db()
    assert whole.severity == Severity.CRITICAL
