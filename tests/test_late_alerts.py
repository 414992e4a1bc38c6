"""Alerts that nobody takes in time are told to those who may, in one line an hour (casework.md 11, 19)."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from cases import tasks
from cases.actions import alerts
from cases.actions import notifications as choose
from cases.actors import Actor
from cases.choices import Severity
from cases.models import Alert, Notification
from soar.accounts.models import Team, User
from soar.lib import clock
from tests.api import Api
from tests.factories import make_alert, make_user
from tests.fixtures import client_of
from tests.notification_tools import reasons, run, told

pytestmark = pytest.mark.django_db
NOW = timezone.now().replace(microsecond=0)
SENTENCE = "Alerts wait longer than their target for somebody to take them"


def came(minutes: int, team: Team) -> Alert:
    """An alert that came so long ago; a critical one has 15 minutes."""
    alert = make_alert("Beacon", severity=Severity.CRITICAL, team=team)
    Alert.objects.filter(pk=alert.pk).update(received_at=NOW - timedelta(minutes=minutes))
    return Alert.objects.get(pk=alert.pk)


def look(at: datetime = NOW) -> None:
    """The scheduler looks, and a worker tells."""
    with clock.at(at):
        tasks.notifications_late_alerts()
        run()


def counts(user: User) -> list[int]:
    """Of how many alerts each line tells."""
    return [row.data["count"] for row in Notification.objects.filter(user=user, kind="triage.late").order_by("pk")]


def test_who_may_take_it_is_told_once(analyst: User, viewer: User, blue: Team) -> None:
    for minutes in (20, 30, 40):
        came(minutes, team=blue)
    came(10, team=blue)  # in time
    look()
    look()
    look(NOW + timedelta(minutes=2))
    assert told(analyst) == [("sla", SENTENCE)] and counts(analyst) == [3] and reasons(viewer) == []


def test_others_that_become_late_are_told_an_hour_later_and_not_before(analyst: User, blue: Team) -> None:
    came(20, team=blue)
    look()
    came(5, team=blue)  # late in ten minutes
    look(NOW + timedelta(minutes=30))
    assert counts(analyst) == [1]
    look(NOW + timedelta(minutes=61))
    look(NOW + timedelta(minutes=125))
    assert counts(analyst) == [1, 2]


def test_what_stays_late_is_not_told_again_and_again(analyst: User, blue: Team) -> None:
    came(20, team=blue)
    for hours in range(6):
        look(NOW + timedelta(hours=hours))
    assert counts(analyst) == [1]


def test_each_hears_of_what_they_see(analyst: User, stranger: User, admin: User, blue: Team, red: Team) -> None:
    came(20, team=blue)
    came(20, team=red)
    came(20, team=red)
    look()
    assert (counts(analyst), counts(stranger), counts(admin)) == ([1], [2], [3])


def test_what_somebody_took_or_holds_back_or_is_in_an_incident_is_not_late(analyst: User, blue: Team) -> None:
    alert = came(20, team=blue)
    alerts.claim(Actor.of(make_user("other", "Analyst", teams=("Blue",))), alert.pk)
    muted = came(20, team=blue)
    choose.watch(analyst, muted, "mute")
    look()
    assert counts(analyst) == []


def test_what_nobody_was_told_of_for_a_day_is_history(analyst: User, blue: Team) -> None:
    came(3 * 24 * 60, team=blue)
    look()
    assert counts(analyst) == []


def test_who_does_not_want_it_is_not_told(analyst: User, responder: User, blue: Team) -> None:
    off = {"inbox": False, "email": "off", "chat": "off"}
    choose.save_settings(analyst, {"choices": {"sla": off}})
    User.objects.filter(pk=responder.pk).update(is_active=False)
    came(20, team=blue)
    look()
    assert not Notification.objects.filter(kind="triage.late", user__in=[analyst, responder]).exists()


def test_the_line_leads_to_the_alerts_and_counts_as_unread(analyst: User, blue: Team) -> None:
    came(20, team=blue)
    look()
    client, row = client_of(analyst), Notification.objects.get(user=analyst, kind="triage.late")
    page = client.get("/inbox/").content.decode()
    assert SENTENCE in page and "1 alert" in page
    assert client.get(f"/inbox/{row.pk}/")["Location"] == "/alerts/?sla=breached&sort=sla"
    (line,) = Api(analyst).get("/notifications/").json()["results"]
    assert (line["number"], line["count"], line["reason"]) == (None, 1, "sla")


def test_nothing_late_queues_nothing(analyst: User, blue: Team) -> None:
    came(1, team=blue)
    with clock.at(NOW):
        tasks.notifications_late_alerts()
    assert run() == 0
