"""The first page (casework.md 18): figures of what the reader sees, each a link to its list."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from django.utils.html import escape

from cases.actions import incidents
from cases.actors import Actor
from cases.choices import AlertStatus, Determination
from cases.dashboard import chart, counting
from cases.dashboard.volume import Day
from cases.models import Alert, AlertHour, IncidentOwner, IncidentTask
from playbooks.models import Playbook
from soar.accounts.models import Team, User
from soar.lib import clock
from tests.factories import make_alert, make_incident, make_source, make_team
from tests.fixtures import client_of
from tests.queries import counted

pytestmark = pytest.mark.django_db


def page(user: User, query: str = "") -> str:
    """The page with the boxes that it loads: how many alerts came, and from where."""
    client = client_of(user)
    home, volume = client.get(f"/{query}"), client.get(f"/dashboard/volume/{query}")
    assert (home.status_code, volume.status_code) == (200, 200)
    html = home.content.decode()
    for name in ("ch", "src"):
        html = html.replace(box(html, name), box(volume.content.decode(), name))
    return html


def box(html: str, name: str) -> str:
    """The part of the page under a heading."""
    found = re.search(rf'<section[^>]*aria-labelledby="{name}".*?</section>', html, re.S)
    assert found, name
    return found[0]


def test_who_is_not_signed_in_is_asked_to() -> None:
    assert Client().get("/")["Location"].startswith("/accounts/login/")


def test_who_may_see_no_cases_is_told_so(nobody: User) -> None:
    assert client_of(nobody).get("/").status_code == 403


def test_an_empty_portal_says_what_to_do(analyst: User) -> None:
    html = page(analyst)
    assert "Nothing is open" in html and "Nothing waits for you." in html and "No alerts came in these days." in html


def test_the_most_urgent_are_first_and_those_of_others_are_not_there(analyst: User, blue: Team, red: Team) -> None:
    make_alert("Low one", team=blue, severity=1)
    make_alert("Grave one", team=blue, severity=4)
    make_alert("Strange one", team=red, severity=4)
    lines = box(page(analyst), "pq")
    assert lines.index("Grave one") < lines.index("Low one") and "Strange one" not in lines


def test_a_restricted_alert_is_in_no_figure(analyst: User, blue: Team) -> None:
    incident = make_incident("Secret", make_alert("Secret one", team=blue), team=blue)
    incident.restricted = True
    incident.save()
    Alert.objects.update(restricted=True)
    counting.count_hours()
    html = page(analyst)
    assert "Secret" not in html and "No alerts came" in box(html, "src") and not AlertHour.objects.exists()


def test_unassigned_alerts_are_counted_by_severity_and_lead_to_their_list(analyst: User, blue: Team) -> None:
    for n in range(3):
        make_alert(f"High {n}", team=blue, severity=3)
    make_alert("Taken", team=blue, severity=3, owner=analyst)
    found = box(page(analyst), "un")
    url, number = re.findall(r'href="(/alerts/\?[^"]*severity=high[^"]*)">(\d+)', found)[0]
    assert number == "3"
    rows = client_of(analyst).get(url.replace("&amp;", "&")).content.decode()
    assert "High 0" in rows and "Taken" not in rows


def test_a_day_of_the_chart_leads_to_its_alerts(analyst: User, blue: Team) -> None:
    make_alert("Today", team=blue, severity=4)
    make_alert("Before", team=blue, severity=2, age=timedelta(days=3))
    counting.count_hours()
    found = box(page(analyst), "ch")
    assert found.count('<a href="') == 2  # days with alerts
    day = re.findall(r'<a href="([^"]+)" aria-label="[^"]*1 critical', found)[0]
    rows = client_of(analyst).get(day.replace("&amp;", "&")).content.decode()
    assert "Today" in rows and "Before" not in rows


def test_sources_are_counted_for_the_range_and_the_team(analyst: User, blue: Team) -> None:
    old, new = make_source("Old feed", team=blue), make_source("New feed", team=blue)
    make_alert("a", source=old, team=blue, age=timedelta(days=20))
    make_alert("b", source=new, team=blue)
    make_alert("c", source=new, team=None)
    counting.count_hours()
    assert "Old feed" not in box(page(analyst), "src") and "Old feed" in box(page(analyst, "?range=30d"), "src")
    assert "2 alerts from New feed" in box(page(analyst), "src")
    assert "1 alerts from New feed" in box(page(analyst, f"?team={blue.pk}"), "src")


def test_alerts_of_another_team_are_not_counted(analyst: User, red: Team) -> None:
    make_alert("theirs", source=make_source("Their feed", team=red), team=red)
    counting.count_hours()
    assert "Their feed" not in page(analyst, f"?team={red.pk}")


@pytest.mark.parametrize(
    "query", ["?range=bogus", "?team=x", "?team=99999999999999999999", "?team=-1", "?range=&team="]
)
def test_what_is_not_there_falls_back_to_the_whole(analyst: User, query: str) -> None:
    assert 'aria-current="true">7 days' in page(analyst, query)


def test_counting_twice_counts_once_and_sees_what_changed(blue: Team) -> None:
    alert = make_alert("a", team=blue, severity=1)
    counting.count_hours()
    Alert.objects.filter(pk=alert.pk).update(severity=4)
    counting.count_hours()
    assert [(row.severity, row.count) for row in AlertHour.objects.all()] == [(4, 1)]


def test_what_is_dated_before_the_last_count_is_counted_too(blue: Team) -> None:
    make_alert("now", team=blue, severity=1)
    counting.count_hours()
    make_alert("imported", team=blue, severity=4, age=timedelta(days=6))
    counting.count_hours()
    assert sum(row.count for row in AlertHour.objects.all()) == 2


def test_figures_older_than_any_chart_are_forgotten(blue: Team) -> None:
    source = make_source("Feed", team=blue)
    AlertHour.objects.create(hour=timezone.now() - timedelta(days=500), source=source, severity=1, count=3)
    AlertHour.objects.create(hour=timezone.now() - timedelta(days=5), source=source, severity=1, count=3)
    assert counting.tidy() == 1 and AlertHour.objects.count() == 1


def test_my_work_is_mine_alone(analyst: User, blue: Team) -> None:
    mine, other = make_incident("My case", team=blue), make_incident("Another case", team=blue)
    IncidentOwner.objects.create(incident=mine, user=analyst)
    now = clock.now()
    for incident, title, who in ((other, "Call them", analyst), (mine, "Not for me", None)):
        IncidentTask.objects.create(
            incident=incident, title=title, assignee=who, position=1, created_at=now, updated_at=now
        )
    make_alert("My alert", team=blue, owner=analyst)
    make_alert(
        "Done", team=blue, owner=analyst, status=AlertStatus.RESOLVED, determination=Determination.BENIGN,
        resolved_at=now,
    )  # fmt: skip
    found = box(page(analyst), "mw")
    assert all(text in found for text in ("My case", "Call them", "My alert"))
    assert all(text not in found for text in ("Not for me", "Done"))


def test_titles_are_shown_as_text(analyst: User, blue: Team) -> None:
    evil = "<script>alert(1)</script>"
    make_alert(evil, team=blue, owner=analyst)
    html = page(analyst)
    assert evil not in html and escape(evil) in html


def test_what_a_run_saves_is_said_by_who_may_edit(author: User, viewer: User) -> None:
    row = Playbook.objects.create(name="Sort", trigger="webhook")
    url = f"/playbooks/{row.pk}/minutes/"
    assert client_of(viewer).post(url, {"minutes_saved": "5"}).status_code == 403
    for bad in ("", "-1", "many", "2401", "9" * 30):
        client_of(author).post(url, {"minutes_saved": bad})
        row.refresh_from_db()
        assert row.minutes_saved == 0
    client_of(author).post(url, {"minutes_saved": "15"})
    row.refresh_from_db()
    assert row.minutes_saved == 15
    assert 'value="15"' in client_of(author).get(f"/playbooks/{row.pk}/").content.decode()


def test_the_page_takes_few_queries(analyst: User, blue: Team) -> None:
    for n in range(3):
        make_alert(f"One {n}", team=blue, severity=n)
    counting.count_hours()
    client = client_of(analyst)
    client.get("/")
    with counted("dashboard"):
        client.get("/")


@pytest.mark.parametrize(("most", "top"), [(0, 4), (4, 4), (5, 8), (9, 20), (21, 40), (312, 400), (70_001, 80_000)])
def test_the_scale_ends_above_the_highest_day(most: int, top: int) -> None:
    assert chart.ceiling(most) == top


def test_a_single_critical_alert_among_thousands_is_seen() -> None:
    day = Day(timezone.now().date(), {"critical": 1, "low": 9_000})
    first = chart.plot([day]).columns[0].bars[0]
    assert first.tone == "t-red" and float(first.height) >= 0.9


def test_a_line_needs_two_figures() -> None:
    assert chart.spark([None, 3.0]) == "" and chart.spark([1.0, None, 3.0]).count(" ") == 3


def test_teams_are_offered_to_who_reads_them(admin: User) -> None:
    make_team("Green")
    assert "Green" in page(admin)


def test_times_are_those_of_the_range_beside_the_one_before(analyst: User, blue: Team) -> None:
    incident = make_incident("Case", team=blue, severity="high")
    incidents.set_status(Actor.of(analyst), incident.pk, "in_progress")
    html = client_of(analyst).get("/dashboard/times/?range=24h").content.decode()
    assert "1 incident" in html or "in time" in html
    assert html.count("none in this time") == 2  # nothing was contained or resolved


def test_what_is_due_next_is_listed(analyst: User, blue: Team, red: Team) -> None:
    make_incident("Ours", team=blue, severity="critical")
    make_incident("Theirs", team=red, severity="critical")
    found = box(page(analyst), "sl")
    assert "Ours" in found and "Theirs" not in found and "<time" in found


def test_all_that_is_due_is_that_of_the_team(analyst: User, blue: Team) -> None:
    make_incident("Ours", team=blue, severity="critical")
    url, *_figures = re.findall(r'href="([^"]*sort=due[^"]*)"', box(page(analyst, f"?team={blue.pk}"), "sl"))
    make_incident("Everybody's", severity="critical")
    listed = client_of(analyst).get(url.replace("&amp;", "&")).content.decode()
    assert "Ours" in listed and "Everybody&#x27;s" not in listed


def test_times_lead_to_the_incidents_of_the_range_and_the_team(analyst: User, blue: Team) -> None:
    ours, others = make_incident("Ours", team=blue, severity="high"), make_incident("Everybody's", severity="high")
    with clock.at(timezone.now() - timedelta(days=20)):
        old = make_incident("Long ago", team=blue, severity="high")
        incidents.set_status(Actor.of(analyst), old.pk, "in_progress")
    for one in (ours, others):
        incidents.set_status(Actor.of(analyst), one.pk, "in_progress")
    html = client_of(analyst).get(f"/dashboard/times/?team={blue.pk}").content.decode()
    (taken, _contained, _resolved) = re.findall(r'class="big quiet" href="([^"]*)"', html)
    listed = client_of(analyst).get(taken.replace("&amp;", "&")).content.decode()
    assert "Ours" in listed and "Everybody" not in listed and "Long ago" not in listed
