"""The chart of what came, and the queue's filter by time, go by the reader's own clock, also where it differs from UTC
by half an hour or a quarter: each figure is that of the list that it leads to (casework.md 18, interface.md 7)."""

from __future__ import annotations

import html
import re
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from cases.dashboard import counting, volume
from cases.models import Alert
from soar.accounts.models import Team, User
from soar.lib import clock
from tests.factories import make_alert, make_source
from tests.fixtures import client_of

pytestmark = pytest.mark.django_db
ZONES = ["Asia/Kolkata", "Asia/Kathmandu", "America/St_Johns", "Pacific/Chatham", "Europe/Berlin", "UTC"]


def page(user: User, path: str) -> str:
    answer = client_of(user).get(path)
    assert answer.status_code == 200
    text: str = answer.content.decode()
    return html.unescape(text)


def around_midnights(zone: str, team: Team, other: Team) -> None:
    """Alerts before and after each of the last midnights of a zone, within its hour of UTC and beside it."""
    midnight = datetime.now(ZoneInfo(zone)).replace(hour=0, minute=0, second=0, microsecond=0)
    sources = [make_source("edr", team=team), make_source("mail", team=team), make_source("theirs", team=other)]
    for back in (13, 6, 5, 1, 0):
        for minutes in (-50, -20, -1, 1, 20, 50):
            moment = midnight - timedelta(days=back) + timedelta(minutes=minutes)
            for number, source in enumerate(sources):
                alert = make_alert(severity=1 + number, source=source)
                Alert.objects.filter(pk=alert.pk).update(received_at=moment, occurred_at=moment)
    hidden = make_alert(source=sources[0], severity=4)
    Alert.objects.filter(pk=hidden.pk).update(received_at=midnight - timedelta(days=1, minutes=-1), restricted=True)
    counting.count_hours()


@pytest.mark.parametrize("zone", ZONES)
def test_each_day_of_the_chart_leads_to_as_many_alerts(zone: str, analyst: User, blue: Team, red: Team) -> None:
    User.objects.filter(pk=analyst.pk).update(time_zone=zone)
    around_midnights(zone, blue, red)
    text = page(analyst, "/dashboard/volume/")
    days = re.findall(r'href="(/alerts/\?[^"]*until=[^"]*)" aria-label="[^":]*: (\d+) alerts', text)
    assert len(days) == 7
    shown = 0
    for url, number in days:
        listed = page(analyst, url)
        [total] = re.findall(r'id="alert-total"><b class="ink">(\d+)</b>', listed)
        assert number == total, url
        shown += int(number)
    assert shown == 2 * 27  # of two sources; what came before the first midnight is no part of the chart


@pytest.mark.parametrize("zone", ["Asia/Kolkata", "Asia/Kathmandu"])
def test_so_does_each_source(zone: str, analyst: User, blue: Team, red: Team) -> None:
    User.objects.filter(pk=analyst.pk).update(time_zone=zone)
    around_midnights(zone, blue, red)
    text = page(analyst, "/dashboard/volume/")
    links = re.findall(r'<a[^>]*href="(/alerts/\?[^"]*source=([\w-]+)[^"]*)"', text)
    since = (datetime.now(ZoneInfo(zone)) - timedelta(days=6)).replace(hour=0, minute=0, second=0, microsecond=0)
    counts = {one.slug: one.count for one in volume.sources(User.objects.get(pk=analyst.pk), since)}
    assert {name for _url, name in links} == set(counts) and len(counts) == 2
    for url, name in links:
        [total] = re.findall(r'id="alert-total"><b class="ink">(\d+)</b>', page(analyst, url))
        assert counts[name] == int(total)


def test_today_begins_at_the_readers_midnight(analyst: User, blue: Team) -> None:
    zone = ZoneInfo("Asia/Kathmandu")
    User.objects.filter(pk=analyst.pk).update(time_zone=zone.key)
    midnight = datetime(2026, 3, 10, tzinfo=zone)
    for title, minutes in (("yesterday", -1), ("today", 1)):
        alert = make_alert(title, team=blue)
        Alert.objects.filter(pk=alert.pk).update(received_at=midnight + timedelta(minutes=minutes))
    with clock.at(midnight + timedelta(hours=2)):
        for asked in ("received=today", "received=2026-03-10"):
            listed = page(analyst, f"/alerts/?{asked}")
            assert ">today</a>" in listed and ">yesterday</a>" not in listed
        before = page(analyst, "/alerts/?until=2026-03-10")
        assert ">yesterday</a>" in before and ">today</a>" not in before
