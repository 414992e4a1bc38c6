"""Whom something concerns, and who is told of it: never oneself, never what one may not see, once (casework.md 19)."""

from __future__ import annotations

import pytest

from cases import tasks as queue
from cases import timeline
from cases.actions import alerts, incidents, restriction, tasks
from cases.actions import notifications as choose
from cases.actions.access import INCIDENT
from cases.actors import Actor
from cases.models import Alert, Incident, Notification, TimelineEntry
from cases.notifications import inbox, wording
from cases.tasks import notifications_tasks
from cases.timeline_kinds import KINDS
from soar.accounts.access.actions import grant
from soar.accounts.models import Team, User
from soar.lib import clock
from tests.factories import make_alert, make_incident, make_user
from tests.notification_tools import again, fresh, reasons, run, told

pytestmark = pytest.mark.django_db


@pytest.fixture
def alert(blue: Team) -> Alert:
    return make_alert("Beacon", team=blue)


@pytest.fixture
def incident(blue: Team) -> Incident:
    return make_incident("Takeover", team=blue)


def say(subject: Alert | Incident, actor: User | None, kind: str, **data: object) -> None:
    """An entry as another part of the portal writes it."""
    locked = type(subject).objects.select_for_update(of=("self",)).get(pk=subject.pk)
    timeline.record(kind, locked, Actor.of(actor) if actor else Actor.system(), text="Words", data=data)


def test_an_alert_that_is_given_to_me(alert: Alert, analyst: User, responder: User, viewer: User) -> None:
    alerts.assign(Actor.of(responder), alert.pk, owner=analyst)
    run()
    assert told(analyst) == [("assigned", "Priya Raman gave it to you")]
    assert told(responder) == told(viewer) == []


def test_not_what_i_do_myself(alert: Alert, incident: Incident, analyst: User) -> None:
    alerts.claim(Actor.of(analyst), alert.pk)
    alerts.comment(Actor.of(analyst), alert.pk, "Mine.")
    incidents.owners(Actor.of(analyst), incident.pk, add=[analyst])
    incidents.comment(Actor.of(analyst), incident.pk, "Mine too.")
    run()
    assert told(analyst) == []


def test_what_was_told_is_told_once(alert: Alert, analyst: User, responder: User) -> None:
    alerts.assign(Actor.of(responder), alert.pk, owner=analyst)
    run()
    again()
    again()
    assert reasons(analyst) == ["assigned"]


def test_who_lost_it_again_before_is_not_told(alert: Alert, analyst: User, responder: User, viewer: User) -> None:
    other = make_user("otto", "Analyst", teams=("Blue",))
    alerts.assign(Actor.of(responder), alert.pk, owner=analyst)
    alerts.assign(Actor.of(responder), alert.pk, owner=other)
    run()
    assert (reasons(analyst), reasons(other)) == ([], ["assigned"])


def test_owners_of_an_incident_hear_of_notes_and_status(incident: Incident, analyst: User, responder: User) -> None:
    incidents.owners(Actor.of(responder), incident.pk, add=[analyst], lead=responder)
    incidents.comment(Actor.of(responder), incident.pk, "Host is isolated.")
    incidents.set_status(Actor.of(responder), incident.pk, "contained")
    run()
    assert [reason for reason, _words in told(analyst)] == ["assigned", "comment", "status"]
    assert told(analyst)[1][1] == "Priya Raman wrote a note"
    assert "contained" in told(analyst)[2][1].lower()
    assert told(responder) == []


def test_a_mention_goes_before_a_note(incident: Incident, analyst: User, responder: User, stranger: User) -> None:
    incidents.owners(Actor.of(responder), incident.pk, add=[analyst])
    run()
    say(incident, responder, "comment", mentions=[analyst.pk, stranger.pk, responder.pk, "x", -1])
    run()
    assert reasons(analyst) == ["assigned", "mention"]
    assert reasons(stranger) == [] == reasons(responder)  # who may not see it is not told that they are named


def test_a_restricted_incident_tells_nobody_outside(incident: Incident, analyst: User, admin: User) -> None:
    Incident.objects.filter(pk=incident.pk).update(restricted=True)
    say(incident, admin, "comment", mentions=[analyst.pk])
    run()
    assert Notification.objects.count() == 0


def test_what_may_not_be_seen_any_more_is_in_no_inbox(
    incident: Incident, alert: Alert, analyst: User, responder: User, red: Team
) -> None:
    say(incident, responder, "comment", mentions=[analyst.pk])
    alerts.assign(Actor.of(responder), alert.pk, owner=analyst)
    run()
    assert len(told(analyst)) == 2
    Incident.objects.filter(pk=incident.pk).update(team=red)
    Alert.objects.filter(pk=alert.pk).update(team=red, owner=None)
    assert told(analyst) == []
    Incident.objects.filter(pk=incident.pk).update(team=incident.team)
    assert [reason for reason, _words in told(analyst)] == ["mention"]


def test_a_person_who_is_off_or_a_program_is_not_told(incident: Incident, responder: User, blue: Team) -> None:
    away, program = (make_user(name, "Analyst", teams=("Blue",)) for name in ("away", "program"))
    User.objects.filter(pk=away.pk).update(is_active=False)
    User.objects.filter(pk=program.pk).update(is_service=True)
    say(incident, responder, "comment", mentions=[away.pk, program.pk])
    run()
    assert Notification.objects.count() == 0


def test_a_task_of_mine(incident: Incident, analyst: User, responder: User) -> None:
    task = tasks.add(Actor.of(responder), incident.pk, title="Call the bank", assignee=analyst)
    tasks.assign(Actor.of(responder), task.pk, None)
    tasks.assign(Actor.of(responder), task.pk, analyst)
    run()
    assert told(analyst) == [("task", "Priya Raman gave you the task “Call the bank”")] * 2


def test_a_task_that_is_due_is_told_once_and_again_with_another_time(incident: Incident, analyst: User) -> None:
    soon = clock.now()
    task = tasks.add(Actor.of(analyst), incident.pk, title="Call", assignee=analyst, due_at=soon)
    for _look in range(3):
        notifications_tasks()
    assert told(analyst) == [("task", "The task “Call” is due")]
    tasks.update(Actor.of(analyst), task.pk, changes={"due_at": clock.now()})
    notifications_tasks()
    assert len(told(analyst)) in (1, 2)  # within the same second it is the same time
    tasks.complete(Actor.of(analyst), task.pk)
    notifications_tasks()
    assert len(told(analyst)) <= 2


def test_a_due_task_tells_nobody_who_does_not_see_it(incident: Incident, analyst: User, red: Team) -> None:
    tasks.add(Actor.of(analyst), incident.pk, title="Call", assignee=analyst, due_at=clock.now())
    Incident.objects.filter(pk=incident.pk).update(team=red)
    notifications_tasks()
    Incident.objects.filter(pk=incident.pk).update(team=None)
    notifications_tasks()
    assert told(analyst) == []


def test_a_team_is_told_of_what_comes_to_it(alert: Alert, red: Team, responder: User, stranger: User) -> None:
    alerts.assign(Actor.of(responder), alert.pk, team=red)
    run()
    assert [reason for reason, _words in told(stranger)] == ["team"]


def test_access_that_is_given_by_name(incident: Incident, stranger: User, admin: User) -> None:
    grant(admin, INCIDENT, str(incident.pk), stranger, "view")
    run()
    assert told(stranger) == [("access", "Ada Admin gave you access: view")]


def test_broken_glass_tells_owners_and_managers(incident: Incident, analyst: User, admin: User) -> None:
    incidents.owners(Actor.of(analyst), incident.pk, add=[analyst])
    restriction.restrict(Actor.of(make_user("boss", "Admin")), incident.pk, reason="")
    restriction.break_glass(admin, incident.pk, reason="Forensics need it")
    run()
    assert "glass" in reasons(analyst) and "glass" in reasons(User.objects.get(username="boss"))
    assert "glass" not in reasons(admin)


def test_conflicts_and_targets(incident: Incident, analyst: User, responder: User, viewer: User) -> None:
    incidents.owners(Actor.of(responder), incident.pk, add=[analyst])
    run()
    say(incident, None, "servicenow.conflict", field="status", outcome="")
    say(incident, None, "servicenow.conflict", field="severity", outcome="ours")  # a rule has decided it
    run()
    assert reasons(analyst) == ["assigned", "conflict"]


def test_following_without_owning(incident: Incident, viewer: User, responder: User) -> None:
    choose.watch(viewer, incident, "follow")
    incidents.comment(Actor.of(responder), incident.pk, "News.")
    run()
    assert reasons(viewer) == ["comment"]
    choose.watch(viewer, incident, "none")
    incidents.comment(Actor.of(responder), incident.pk, "More.")
    run()
    assert reasons(viewer) == ["comment"]


def test_a_muted_incident_tells_only_what_asks_me(incident: Incident, analyst: User, responder: User) -> None:
    choose.watch(analyst, incident, "mute")
    incidents.owners(Actor.of(responder), incident.pk, add=[analyst])
    incidents.comment(Actor.of(responder), incident.pk, "News.")
    say(incident, responder, "comment", mentions=[analyst.pk])
    run()
    assert reasons(analyst) == ["assigned", "mention"]


def test_a_muted_incident_mutes_its_alerts(blue: Team, analyst: User, responder: User) -> None:
    alert = make_alert("Beacon", team=blue, owner=analyst)
    incident = make_incident("Takeover", alert, team=blue)
    choose.watch(analyst, incident, "mute")
    alerts.resolve(Actor.of(responder), alert.pk, determination="malicious")
    run()
    assert reasons(analyst) == []


def test_what_is_off_everywhere_is_not_written(incident: Incident, analyst: User, responder: User) -> None:
    off = {"inbox": False, "email": "off", "chat": "off"}
    choose.save_settings(analyst, {"choices": {"assigned": off}})
    incidents.owners(Actor.of(responder), incident.pk, add=[analyst])
    run()
    assert Notification.objects.filter(user=analyst).count() == 0


@pytest.mark.parametrize("number", [6, 230])
def test_a_bulk_action_is_one_line(blue: Team, analyst: User, responder: User, number: int) -> None:
    many = [make_alert(team=blue) for _one in range(number)]
    for alert in many:
        alerts.assign(Actor.of(responder), alert.pk, owner=analyst)
    ids = list(TimelineEntry.objects.filter(kind="changed").order_by("pk").values_list("pk", flat=True))
    for first in range(0, len(ids), 100):
        queue.notifications_consider(*ids[first : first + 100])
    again()
    assert told(analyst) == [("assigned", "Priya Raman gave you alerts")]
    (line,) = wording.lines(fresh(analyst), list(inbox.listed(fresh(analyst))))
    assert line.heading == f"{number} alerts" and line.count == number
    hidden = number // 2
    Alert.objects.filter(pk__in=[one.pk for one in many[:hidden]]).update(owner=None, team=None, restricted=True)
    (line,) = wording.lines(fresh(analyst), list(inbox.listed(fresh(analyst))))
    assert line.count == number - hidden  # no number tells of what is not seen


def test_mentions_in_summaries_events_and_corrections(incident: Incident, analyst: User, responder: User) -> None:
    for kind in ("incident.opened", "event", "comment.edited", "changed"):
        say(incident, responder, kind, mentions=[analyst.pk])
    run()
    assert told(analyst) == [("mention", "Priya Raman mentioned you")] * 4


def test_a_mention_as_it_is_typed(incident: Incident, analyst: User, responder: User, stranger: User) -> None:
    incidents.comment(Actor.of(responder), incident.pk, "@mara and @sam, look at this.")
    run()
    assert (reasons(analyst), reasons(stranger)) == (["mention"], [])


def test_targets_that_are_missed(incident: Incident, alert: Alert, analyst: User, viewer: User) -> None:
    """Whoever owns it; the team of what nobody owns."""
    KINDS.setdefault("sla.breached", KINDS["changed"])
    incidents.owners(Actor.system(), incident.pk, add=[analyst])
    run()
    say(incident, None, "sla.breached")
    say(alert, None, "sla.breached")
    run()
    assert reasons(analyst) == ["assigned", "sla", "sla"]
    assert reasons(viewer) == ["sla"]
