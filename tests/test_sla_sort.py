"""The queue by how soon alerts must be taken, the views of what is at risk, their figures (casework.md 2, 11, 18)."""

from __future__ import annotations

import html
import random
import re
from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client
from django.utils import timezone

from cases.actions import alerts, sla_policy
from cases.actors import Actor
from cases.models import Alert, Incident
from cases.sla.calendar import due
from cases.sla.current import policy
from cases.sla.order import sla_page
from soar.accounts.models import Team, User
from soar.lib import clock
from soar.lib.keyset import BadCursor
from tests.factories import make_alert, make_incident
from tests.playbook_pages import text_of

pytestmark = pytest.mark.django_db
MONDAY = datetime(2026, 3, 9, 12, 0, tzinfo=UTC)


def came(title: str, severity: int, minutes: float, before: datetime = MONDAY) -> Alert:
    alert = make_alert(title, severity=severity)
    Alert.objects.filter(pk=alert.pk).update(received_at=before - timedelta(minutes=minutes))
    alert.refresh_from_db()
    return alert


def titles(text: str) -> list[str]:
    return re.findall(r'id="to-\d+"[^>]*>([^<]+)</a>', text)


def test_what_is_due_first_stands_first_whatever_its_severity(as_analyst: Client, analyst: User) -> None:
    for title, severity, minutes in (
        ("critical in time", 4, 1), ("medium late", 2, 130), ("high soon", 3, 25), ("critical late", 4, 16),
        ("free", 0, 9999), ("low", 1, 1),
    ):  # fmt: skip
        came(title, severity, minutes)
    taken = came("taken", 4, 500)
    alerts.claim(Actor.of(analyst), taken.pk)
    with clock.at(MONDAY):
        text = text_of(as_analyst.get("/alerts/?sort=sla"))
    assert titles(text) == ["medium late", "critical late", "high soon", "critical in time", "low", "taken", "free"]
    assert re.search(r'<th scope="col" class="c-sla num" aria-sort="ascending"', text)
    assert 'href="/alerts/?sort=sla"' in html.unescape(text_of(as_analyst.get("/alerts/")))


def test_of_resolved_alerts_no_clock_runs(as_analyst: Client) -> None:
    text = text_of(as_analyst.get("/alerts/?status=resolved&sort=sla"))
    assert "aria-sort" not in text or 'class="c-sla num" aria-sort' not in text
    assert titles(text) == []


@pytest.mark.parametrize("cursor", ["x", "w!!", "wW10", "wWzksIjIwMjYiLDEsMF0", "wWzQsIjIwMjYtMDEtMDEiLDEsMF0", "rx"])
def test_a_cursor_of_nothing_leads_to_the_beginning(as_analyst: Client, cursor: str) -> None:
    came("one", 4, 5)
    text = text_of(as_analyst.get(f"/alerts/?sort=sla&cursor={cursor}"))
    assert "That place in the list is gone" in text and titles(text) == ["one"]


def test_a_place_among_a_severity_that_has_no_target_any_more_is_gone(admin: User) -> None:
    for number in range(3):
        came(str(number), 1, number)
    onward = sla_page(Alert.objects.all(), "", 2).next
    sla_policy.change(Actor.of(admin), {"targets": {"low": {"triage": None}}})
    with pytest.raises(BadCursor):
        sla_page(Alert.objects.all(), onward, 2)


@pytest.mark.parametrize("hours", [False, True])
def test_pages_forward_and_back_show_each_alert_once_and_in_order(admin: User, hours: bool) -> None:
    """With working hours many are due at the same moment: those that came by night."""
    if hours:
        sla_policy.change(Actor.of(admin), {
            "targets": {word: {"always": False} for word in ("critical", "high", "medium")},
            "hours": [{"days": ["mon", "wed"], "from": "09:00", "to": "10:00"}], "time_zone": "Asia/Kolkata",
        })  # fmt: skip
    dice = random.Random(7)
    for number in range(60):
        came(str(number), dice.randrange(5), dice.choice((0, 15, 30, 120, 480, 600, dice.randrange(6000))))
    held, rows = policy(), Alert.objects.all()

    def key(one: Alert) -> tuple[object, ...]:
        target = held.target(one.severity, "triage")
        if target is None:
            return (1, -one.severity, -one.pk)
        return (0, due(held.calendar(one.severity), one.received_at, target), -one.severity, one.received_at, one.pk)

    wanted = [one.pk for one in sorted(rows, key=key)]
    with clock.at(MONDAY):
        for size in (1, 7, 30):
            pages, cursors = [sla_page(rows, "", size)], [""]
            while onward := pages[-1].next:
                cursors.append(onward)
                pages.append(sla_page(rows, onward, size))
            assert [one.pk for page in pages for one in page.rows] == wanted
            assert not pages[0].previous
            back, seen = pages[-1].previous, [one.pk for one in pages[-1].rows]
            while back:
                page = sla_page(rows, back, size)
                seen, back = [*(one.pk for one in page.rows), *seen], page.previous
            assert seen == wanted


def test_the_view_shows_what_is_overdue_or_nearly_so(as_analyst: Client, as_stranger: Client, blue: Team) -> None:
    for title, minutes in (("late", 16), ("soon", 12), ("fine", 1)):
        alert = came(title, 4, minutes)
        Alert.objects.filter(pk=alert.pk).update(team=blue)
    with clock.at(MONDAY):
        [url] = re.findall(
            r'<a href="([^"]+)">SLA at risk <span class="n">2</span>', text_of(as_analyst.get("/alerts/"))
        )
        text = text_of(as_analyst.get(html.unescape(url)))
        assert titles(text) == ["late", "soon"] and '<b class="ink">2</b>' in text
        assert re.search(r'aria-current="page">SLA at risk <span class="n">2<', text)
        assert 'SLA at risk <span class="n">0<' in text_of(as_stranger.get("/alerts/"))
        listed = as_analyst.get("/api/v1/alerts/?sla=urgent").json()["results"]
        assert {one["title"] for one in listed} == {"late", "soon"}


def incident(title: str, *, due_in: int, risk_in: int) -> Incident:
    made = make_incident(title)
    now = timezone.now()  # incidents go by the database's clock
    times = {"sla_due_at": now + timedelta(minutes=due_in), "sla_risk_at": now + timedelta(minutes=risk_in)}
    Incident.objects.filter(pk=made.pk).update(**times)
    return made


def test_incidents_have_the_view_too(as_analyst: Client) -> None:
    for title, due_in, risk_in in (("is late", -5, -9), ("is soon late", 5, -5), ("has time", 50, 20)):
        incident(title, due_in=due_in, risk_in=risk_in)
    text = text_of(as_analyst.get("/incidents/"))
    [url] = re.findall(r'<a href="([^"]+)">SLA at risk <span class="n">2</span>', text)
    shown = text_of(as_analyst.get(html.unescape(url)))
    assert re.findall(r'<a class="cut" href="/incidents/[^"]+">([^<]+)</a>', shown) == ["is late", "is soon late"]
    assert re.findall(r'aria-current="page">([\w ]+?) <span', shown.partition('id="incident-tabs"')[2]) == [
        "SLA at risk"
    ]


def test_each_figure_of_the_dashboard_leads_to_a_list_of_as_many(as_analyst: Client, blue: Team, red: Team) -> None:
    for title, severity, minutes, team in (
        ("a", 4, 20, blue), ("b", 4, 13, blue), ("c", 3, 40, None), ("d", 3, 31, red), ("e", 2, 1, blue),
    ):  # fmt: skip
        alert = came(title, severity, minutes)
        Alert.objects.filter(pk=alert.pk).update(team=team)
    with clock.at(MONDAY):
        incident("late", due_in=-5, risk_in=-9)
        incident("soon", due_in=5, risk_in=-5)
        for asked, numbers in (("", [2, 1, 1, 1]), (f"?team={blue.pk}", [1, 1, 0, 0])):
            page = text_of(as_analyst.get(f"/{asked}"))
            box = page.partition('id="sl"')[2].partition("</dl>")[0]
            links = re.findall(r'<a href="([^"]+)"[^>]*>(?:<b[^>]*>)?([\d,]+)', box)
            assert [int(number) for _url, number in links] == numbers
            for url, number in links:
                listed = text_of(as_analyst.get(html.unescape(url)))
                assert f'<b class="ink">{number}</b>' in listed, url
