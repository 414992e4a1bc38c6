"""The poll of the queue: silent, new alerts behind a pill, changed rows in place."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from cases.actions import alerts
from cases.actors import Actor
from cases.choices import Severity
from cases.models import Alert
from soar.accounts.models import Team, User
from tests.factories import make_alert, make_source
from tests.queries import counted

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


def poll_url(page: str) -> str:
    """Where the page will ask next."""
    found = re.search(r'id="alert-new"[^>]* hx-get="([^"]+)"', page)
    assert found
    return found[1].replace("&amp;", "&")


@pytest.fixture
def alert(blue: Team) -> Alert:
    return make_alert("First", source=make_source(team=blue))


def test_silence_until_something_happens(as_analyst: Client, alert: Alert) -> None:
    url = poll_url(as_analyst.get("/alerts/").content.decode())
    for _ in range(2):
        answer = as_analyst.get(url, headers=HTMX)
        assert answer.status_code == 204
        assert not answer.content


def test_new_alerts_wait_behind_a_pill(as_analyst: Client, alert: Alert) -> None:
    url = poll_url(as_analyst.get("/alerts/").content.decode())
    make_alert("Second", source=alert.source)
    make_alert("Third", source=alert.source, severity=Severity.CRITICAL)
    answer = as_analyst.get(url, headers=HTMX)
    page = answer.content.decode()
    assert "2 new alerts, 1 critical" in page
    assert "Second" not in page
    assert as_analyst.get(poll_url(page), headers=HTMX).status_code == 204
    make_alert("Fourth", source=alert.source)
    page = as_analyst.get(poll_url(page), headers=HTMX).content.decode()
    assert "3 new alerts" in page


def test_only_new_alerts_that_match_and_are_to_be_seen(as_analyst: Client, alert: Alert, red: Team) -> None:
    url = poll_url(as_analyst.get("/alerts/?severity=high").content.decode())
    make_alert("Low", source=alert.source, severity=Severity.LOW)
    make_alert("Of others", source=make_source(team=red), severity=Severity.HIGH)
    assert as_analyst.get(url, headers=HTMX).status_code == 204
    make_alert("High", source=alert.source, severity=Severity.HIGH)
    assert "1 new alert" in as_analyst.get(url, headers=HTMX).content.decode()


def test_the_pill_leads_to_the_filter_it_stands_over(as_analyst: Client, alert: Alert) -> None:
    for filter in ("", "?since=24h", "?since=24h&severity=high&sort=newest"):
        url = poll_url(as_analyst.get(f"/alerts/{filter}").content.decode())
        made = make_alert("Second", source=alert.source, severity=Severity.HIGH)
        page = as_analyst.get(url, headers=HTMX).content.decode()
        pill = re.search(r'<a class="fresh" href="([^"]+)"[^>]*', page)
        assert pill
        assert pill[1].replace("&amp;", "&") == f"/alerts/{filter}"
        assert f'data-first-new="{made.pk}"' in pill[0]
        rows = as_analyst.get(pill[1].replace("&amp;", "&")).content.decode()
        assert f'id="alert-{made.pk}"' in rows
        assert "is no date or time" not in rows


def test_where_it_asks_tells_no_number(as_stranger: Client, alert: Alert) -> None:
    """How many alerts there are of everybody is nobody's business (access.md 4): nor that there was one more."""
    first, second = (poll_url(as_stranger.get("/alerts/").content.decode()) for _ in range(2))
    assert first != second, "the same place never looks the same"
    assert f"={alert.pk}&" not in first


def test_a_place_that_is_not_of_this_person_begins_anew(as_analyst: Client, as_stranger: Client, alert: Alert) -> None:
    """Whatever number somebody writes there: nothing is told that was there before."""
    theirs = poll_url(as_analyst.get("/alerts/").content.decode())
    make_alert("Second", source=alert.source)
    for url in (theirs, "/alerts/poll/?after=1", f"/alerts/poll/?after={'A' * 100}", "/alerts/poll/"):
        answer = as_stranger.get(url, headers=HTMX)
        page = answer.content.decode()
        assert (answer.status_code, "new alert" in page) == (200, False)
        assert as_stranger.get(poll_url(page), headers=HTMX).status_code == 204


def test_a_row_changed_by_somebody_else_is_renewed_in_place(as_analyst: Client, alert: Alert, responder: User) -> None:
    url = poll_url(as_analyst.get("/alerts/").content.decode())
    alerts.claim(Actor.of(responder), alert.pk)
    page = as_analyst.get(url, headers=HTMX).content.decode()
    assert f'<template><tr id="alert-{alert.pk}" hx-swap-oob="true">' in page
    assert "Priya Raman" in page
    assert as_analyst.get(poll_url(page), headers=HTMX).status_code == 204


def test_a_repeat_is_counted_in_its_row(as_analyst: Client, alert: Alert) -> None:
    url = poll_url(as_analyst.get("/alerts/").content.decode())
    Alert.objects.filter(pk=alert.pk).update(count=7)
    assert "×7" in as_analyst.get(url, headers=HTMX).content.decode()


def test_a_row_that_left_the_filter_stays_where_it_is(as_analyst: Client, alert: Alert, responder: User) -> None:
    url = poll_url(as_analyst.get("/alerts/").content.decode())
    alerts.resolve(Actor.of(responder), alert.pk, determination="malicious")
    page = as_analyst.get(url, headers=HTMX).content.decode()
    assert 'class="done"' in page


def test_a_row_that_is_no_longer_to_be_seen_tells_nothing(
    as_analyst: Client, alert: Alert, red: Team, admin: User
) -> None:
    url = poll_url(as_analyst.get("/alerts/").content.decode())
    alerts.assign(Actor.of(admin), alert.pk, team="Red")
    assert as_analyst.get(url, headers=HTMX).status_code == 204


@pytest.mark.parametrize(
    "query", ["", "after=x&rows=y", "rows=1-1-1.2-x-1.%00", "after=" + "9" * 40, "q=ab", "told=-1"]
)
def test_an_odd_cursor_is_no_error(as_analyst: Client, alert: Alert, query: str) -> None:
    assert as_analyst.get(f"/alerts/poll/?{query}", headers=HTMX).status_code in (200, 204)


def test_others_rows_cannot_be_asked_for(as_stranger: Client, alert: Alert) -> None:
    url = poll_url(as_stranger.get("/alerts/").content.decode())
    assert as_stranger.get(f"{url}{alert.pk}-0-0", headers=HTMX).status_code == 204


def test_the_number_of_queries(as_analyst: Client, alert: Alert) -> None:
    url = poll_url(as_analyst.get("/alerts/").content.decode())
    with counted("queue poll"):
        as_analyst.get(url, headers=HTMX)
