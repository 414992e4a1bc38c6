"""Claim and assign."""

from __future__ import annotations

import pytest
from django.test import Client

from cases.actions import alerts
from cases.actors import Actor
from cases.choices import AlertStatus
from cases.models import Alert, TimelineEntry
from soar.accounts.models import Team, User
from tests.factories import make_alert, make_source, make_user

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


@pytest.fixture
def alert(blue: Team) -> Alert:
    return make_alert("Beacon", source=make_source(team=blue))


def test_claiming_makes_it_mine_and_in_progress(as_analyst: Client, alert: Alert, analyst: User) -> None:
    answer = as_analyst.post(f"/alerts/{alert.number}/claim/", headers=HTMX).content.decode()
    alert.refresh_from_db()
    assert (alert.owner, alert.status) == (analyst, AlertStatus.IN_PROGRESS)
    assert alert.acknowledged_at is not None
    assert "Mara Lindqvist" in answer
    assert "/claim/" not in answer


def test_claiming_twice_changes_nothing(as_analyst: Client, alert: Alert) -> None:
    as_analyst.post(f"/alerts/{alert.number}/claim/")
    version, entries = Alert.objects.get(pk=alert.pk).version, TimelineEntry.objects.count()
    assert as_analyst.post(f"/alerts/{alert.number}/claim/").status_code == 302
    assert (Alert.objects.get(pk=alert.pk).version, TimelineEntry.objects.count()) == (version, entries)


def test_a_resolved_alert_cannot_be_claimed(as_analyst: Client, alert: Alert, analyst: User) -> None:
    alerts.resolve(Actor.of(analyst), alert.pk, determination="malicious")
    for headers in ({}, HTMX):
        answer = as_analyst.post(f"/alerts/{alert.number}/claim/", headers=headers)
        assert answer.status_code == 409
        assert "Reopen it first" in answer.content.decode()


def test_assigning_to_a_person_and_to_nobody(as_analyst: Client, alert: Alert, responder: User) -> None:
    as_analyst.post(f"/alerts/{alert.number}/assign/", {"owner": "priya"})
    assert Alert.objects.get(pk=alert.pk).owner == responder
    as_analyst.post(f"/alerts/{alert.number}/assign/", {"owner": ""})
    assert Alert.objects.get(pk=alert.pk).owner is None


def test_the_form_says_that_a_team_moves_visibility(as_analyst: Client, alert: Alert) -> None:
    for headers in ({}, HTMX):
        page = as_analyst.get(f"/alerts/{alert.number}/ask/assign/", headers=headers).content.decode()
        assert "A team moves who may see the alert" in page


def test_a_team_moves_visibility(as_analyst: Client, as_stranger: Client, alert: Alert, red: Team) -> None:
    answer = as_analyst.post(f"/alerts/{alert.number}/assign/", {"owner": "", "team": "Red"})
    assert answer["Location"] == "/alerts/"
    assert as_analyst.get(f"/alerts/{alert.number}/").status_code == 404
    assert as_stranger.get(f"/alerts/{alert.number}/").status_code == 200


def test_losing_sight_of_it_is_no_error_by_htmx(as_analyst: Client, alert: Alert, red: Team) -> None:
    given = {"owner": "", "team": "Red"}
    answer = as_analyst.post(f"/alerts/{alert.number}/assign/", given, headers=HTMX)
    assert answer.status_code == 204
    assert answer["HX-Redirect"] == "/alerts/"
    assert Alert.objects.get(pk=alert.pk).team == red


@pytest.mark.parametrize("given", [{"owner": "no-such"}, {"team": "No such"}, {"owner": "gone"}, {}, {"owner": "\x00"}])
@pytest.mark.parametrize("headers", [{}, HTMX])
def test_nobody_of_that_name(as_analyst: Client, alert: Alert, given: dict[str, str], headers: dict[str, str]) -> None:
    User.objects.filter(pk=make_user("gone").pk).update(is_active=False)
    answer = as_analyst.post(f"/alerts/{alert.number}/assign/", given, headers=headers)
    assert answer.status_code == 422
    assert 'class="errorline"' in answer.content.decode()
    if headers:
        assert answer["HX-Retarget"] == "#dialog"
    assert Alert.objects.get(pk=alert.pk).version == 1
