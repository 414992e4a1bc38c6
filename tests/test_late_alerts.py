"""Alerts that nobody takes in time are told to those who may, in one line an hour (casework.md 11, 19)."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from guardian.shortcuts import assign_perm

from cases import tasks
from cases.actions import alerts
from cases.actions import notifications as choose
from cases.actors import Actor
from cases.choices import Severity
from cases.models import Alert, Notification, Watch
from cases.querysets import AlertQuerySet
from soar.accounts.models import Team, User
from soar.lib import clock
from tests.api import Api
from tests.factories import make_alert, make_source, make_user
from tests.fixtures import client_of
from tests.notification_tools import reasons, run, told

pytestmark = pytest.mark.django_db
NOW = timezone.now().replace(microsecond=0)
SENTENCE = "Alerts wait longer than their target for somebody to take them"


def came(minutes: int, team: Team | None, **fields: Any) -> Alert:
    """An alert that came so long ago; a critical one has 15 minutes."""
    alert = make_alert("Beacon", severity=Severity.CRITICAL, team=team, **fields)
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


def test_a_mute_that_is_over_hushes_no_longer(analyst: User, blue: Team) -> None:
    alert = came(20, team=blue)
    choose.watch(analyst, alert, "mute")
    Watch.objects.filter(alert=alert).update(until=NOW - timedelta(minutes=1))
    look()
    assert counts(analyst) == [1]


def test_of_what_some_muted_the_others_hear(analyst: User, responder: User, blue: Team) -> None:
    alert, _ = came(20, team=blue), came(30, team=blue)
    choose.watch(analyst, alert, "mute")
    look()
    assert (counts(analyst), counts(responder)) == ([1], [2])


def crowd(number: int) -> list[User]:
    """Analysts, each in two teams of their own."""
    return [make_user(f"one{number}-{n}", "Analyst", teams=(f"A{n}", f"B{n}")) for n in range(number)]


@pytest.mark.parametrize("seen", [True, False])
def test_many_people_take_no_more_statements_than_few(seen: bool, red: Team) -> None:
    taken = []
    for number in (2, 20):
        for user in crowd(number):
            came(20, team=user_team(user) if seen else red)
        with clock.at(NOW + timedelta(minutes=number)), CaptureQueriesContext(connection) as found:
            tasks.notifications_late_alerts_tell()
        taken.append(len(found.captured_queries))
        told_of = Notification.objects.filter(kind="triage.late", user__username__startswith=f"one{number}-")
        assert told_of.count() == (number if seen else 0)
    assert taken[0] == taken[1]


def test_who_saw_nothing_new_is_asked_again_when_something_is(analyst: User, blue: Team, red: Team) -> None:
    came(20, team=red)
    came(13, team=blue)  # late in two minutes
    taken = []
    for minutes in (0, 1):
        with clock.at(NOW + timedelta(minutes=minutes)), CaptureQueriesContext(connection) as found:
            tasks.notifications_late_alerts_tell()
        taken.append(len(found.captured_queries))
    assert taken[1] < taken[0] and counts(analyst) == []
    look(NOW + timedelta(minutes=3))
    assert counts(analyst) == [1]


def test_who_is_let_in_hears_of_what_was_late_before(analyst: User, red: Team) -> None:
    came(20, team=red)
    look()
    analyst.groups.add(red.group)
    look(NOW + timedelta(minutes=16))
    look(NOW + timedelta(minutes=17))
    assert counts(analyst) == [1]


def user_team(user: User) -> Team:
    """One of the teams that the person is in."""
    return Team.objects.filter(group__user=user).order_by("pk")[0]


def test_a_crowd_is_told_of_what_the_visibility_query_shows_each(blue: Team, red: Team) -> None:
    shared, closed = make_source(), make_source()
    people = [
        make_user("in-blue", teams=("Blue",)),
        make_user("in-both", teams=("Blue", "Red")),
        make_user("in-none"),
        make_user("by-source"),
        make_user("by-group", teams=("Green",)),
        make_user("all-teams", "Admin"),
        make_user("the-owner"),
    ]
    assign_perm("cases.view_source", people[3], shared)
    assign_perm("cases.view_source", Team.objects.get(name="Green").group, shared)
    for fields in (
        {"team": blue}, {"team": red}, {"team": None}, {"team": red, "source": shared},
        {"team": blue, "source": closed}, {"team": red, "owner": people[6]}, {"team": blue, "restricted": True},
        {"team": None, "restricted": True},
    ):  # fmt: skip
        came(20, **fields)
    look()
    seen = [Alert.objects.visible_to(User.objects.get(pk=one.pk)).count() for one in people]
    assert [counts(one) for one in people] == [[number] for number in seen]
    assert len(set(seen)) > 3 and max(seen) < Alert.objects.count()


@pytest.mark.parametrize("role", ["Analyst", "Admin"])
def test_visibility_asks_for_no_column_by_which_alerts_are_not_grouped(role: str, blue: Team) -> None:
    user = make_user("", role, teams=("Blue",))
    assign_perm("cases.view_source", user, make_source())
    sql = str(Alert.objects.visible_to(user).order_by().values("pk").query)
    asked = set(re.findall(r'"cases_alert"\."(\w+)"', sql)) - {"id"}
    columns = {field.name: field.column for field in Alert._meta.concrete_fields}
    assert asked and asked <= {columns[name] for name in AlertQuerySet.SEEN_BY}


def test_nothing_late_queues_nothing(analyst: User, blue: Team) -> None:
    came(1, team=blue)
    with clock.at(NOW):
        tasks.notifications_late_alerts()
    assert run() == 0
