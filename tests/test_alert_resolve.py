"""Resolve and reopen."""

from __future__ import annotations

import pytest
from django.test import Client

from cases.actions import alerts
from cases.actors import Actor
from cases.choices import AlertStatus, Determination
from cases.models import Alert, TimelineEntry
from soar.accounts.models import Team, User
from tests.factories import make_alert, make_source

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}
EVIL = "<script>alert(1)</script>"


@pytest.fixture
def alert(blue: Team) -> Alert:
    return make_alert("Beacon", source=make_source(team=blue))


def test_the_form_asks_for_what_is_needed(as_analyst: Client, alert: Alert) -> None:
    for headers in ({}, HTMX):
        page = as_analyst.get(f"/alerts/{alert.number}/ask/resolve/", headers=headers).content.decode()
        for value in ("malicious", "suspicious", "benign", "false_positive", "benign_true_positive"):
            assert f'value="{value}"' in page
        assert 'name="reason"' in page


def test_it_resolves_with_determination_findings_and_reason(as_analyst: Client, alert: Alert) -> None:
    given = {"determination": "benign", "findings": "benign_true_positive", "reason": f"A test {EVIL}"}
    answer = as_analyst.post(f"/alerts/{alert.number}/resolve/", given, headers=HTMX)
    page = answer.content.decode()
    alert.refresh_from_db()
    assert (alert.status, alert.determination) == (AlertStatus.RESOLVED, Determination.BENIGN)
    assert (alert.findings, alert.resolve_reason) == ("benign_true_positive", f"A test {EVIL}")
    assert "Benign true positive" in page
    assert EVIL not in page
    assert EVIL not in as_analyst.get(f"/alerts/{alert.number}/").content.decode()
    assert "dialog-close" in answer["HX-Trigger"]


def test_findings_of_the_hidden_field_do_not_count_for_malicious(as_analyst: Client, alert: Alert) -> None:
    given = {"determination": "malicious", "findings": "false_positive"}
    assert as_analyst.post(f"/alerts/{alert.number}/resolve/", given).status_code == 302
    assert Alert.objects.get(pk=alert.pk).findings == "true_positive"


@pytest.mark.parametrize("headers", [{}, HTMX])
@pytest.mark.parametrize(
    "given",
    [
        {},
        {"determination": "unknown"},
        {"determination": "evil"},
        {"determination": "benign", "findings": "true_positive"},
        {"determination": "malicious", "reason": "x" * 5001},
    ],
)
def test_what_is_not_a_resolution_comes_back(
    as_analyst: Client, alert: Alert, given: dict[str, str], headers: dict[str, str]
) -> None:
    answer = as_analyst.post(f"/alerts/{alert.number}/resolve/", {"reason": "Kept text", **given}, headers=headers)
    page = answer.content.decode()
    assert answer.status_code == 422
    assert 'class="errorline"' in page
    assert ("Kept text" in page) != ("reason" in given)
    assert Alert.objects.get(pk=alert.pk).version == 1


def test_resolving_twice_changes_nothing(as_analyst: Client, alert: Alert) -> None:
    for _ in range(2):
        as_analyst.post(f"/alerts/{alert.number}/resolve/", {"determination": "malicious"})
    assert TimelineEntry.objects.filter(alert=alert, kind="alert.resolved").count() == 1


def test_status_resolved_is_refused_without_a_determination(as_analyst: Client, alert: Alert) -> None:
    for headers in ({}, HTMX):
        answer = as_analyst.post(f"/alerts/{alert.number}/status/", {"status": "resolved"}, headers=headers)
        assert answer.status_code == 422
        assert "needs a determination" in answer.content.decode()
    assert Alert.objects.get(pk=alert.pk).status == AlertStatus.NEW


def test_reopening(as_analyst: Client, alert: Alert, analyst: User) -> None:
    alerts.resolve(Actor.of(analyst), alert.pk, determination="malicious", reason="Over")
    answer = as_analyst.post(f"/alerts/{alert.number}/reopen/", {"reason": "It came again"}, headers=HTMX)
    assert "ask/resolve/" in answer.content.decode()
    alert.refresh_from_db()
    assert (alert.status, alert.resolve_reason) == (AlertStatus.NEW, "")
    assert "It came again" in as_analyst.get(f"/alerts/{alert.number}/").content.decode()


def test_reopening_an_open_alert_changes_nothing(as_analyst: Client, alert: Alert) -> None:
    assert as_analyst.post(f"/alerts/{alert.number}/reopen/").status_code == 302
    assert Alert.objects.get(pk=alert.pk).version == 1
