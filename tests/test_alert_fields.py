"""Status, severity, determination and tags of an alert."""

from __future__ import annotations

import pytest
from django.test import Client

from cases.actions import alerts
from cases.actors import Actor
from cases.choices import AlertStatus, Determination, Severity
from cases.models import Alert, Incident, TimelineEntry
from soar.accounts.models import Team, User
from tests.api import Api
from tests.factories import make_alert, make_source

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


@pytest.fixture
def alert(blue: Team) -> Alert:
    return make_alert("Beacon", source=make_source(team=blue), severity=Severity.LOW)


def test_severity_is_set_and_told(as_analyst: Client, alert: Alert) -> None:
    answer = as_analyst.post(f"/alerts/{alert.number}/severity/", {"severity": "critical"}, headers=HTMX)
    assert "sev-critical" in answer.content.decode()
    assert Alert.objects.get(pk=alert.pk).severity == Severity.CRITICAL
    entry = TimelineEntry.objects.filter(alert=alert).latest("pk")
    assert entry.data == {"field": "severity", "old": "low", "new": "critical"}


def test_status_goes_forward_and_back(as_analyst: Client, alert: Alert) -> None:
    for word in ("in_progress", "new"):
        assert as_analyst.post(f"/alerts/{alert.number}/status/", {"status": word}).status_code == 302
        assert AlertStatus(Alert.objects.get(pk=alert.pk).status).word == word


def test_the_menu_reopens_a_resolved_alert(as_analyst: Client, alert: Alert, analyst: User) -> None:
    alerts.resolve(Actor.of(analyst), alert.pk, determination="malicious")
    as_analyst.post(f"/alerts/{alert.number}/status/", {"status": "in_progress"})
    assert Alert.objects.get(pk=alert.pk).status == AlertStatus.IN_PROGRESS
    assert TimelineEntry.objects.filter(alert=alert, kind="alert.reopened").exists()


def test_a_resolved_alert_does_not_go_back_to_unknown(as_analyst: Client, alert: Alert, analyst: User) -> None:
    alerts.resolve(Actor.of(analyst), alert.pk, determination="malicious")
    answer = as_analyst.post(f"/alerts/{alert.number}/determination/", {"determination": "unknown"}, headers=HTMX)
    assert answer.status_code == 422
    assert Alert.objects.get(pk=alert.pk).determination == Determination.MALICIOUS


def test_tags_are_replaced(as_analyst: Client, alert: Alert) -> None:
    as_analyst.post(f"/alerts/{alert.number}/tags/", {"tags": " Finance, vip ,, finance"})
    assert Alert.objects.get(pk=alert.pk).tags == ["finance", "vip"]
    as_analyst.post(f"/alerts/{alert.number}/tags/", {"tags": ""})
    assert Alert.objects.get(pk=alert.pk).tags == []


@pytest.mark.parametrize("headers", [{}, HTMX])
@pytest.mark.parametrize(
    ("verb", "given"),
    [
        ("severity", {"severity": "huge"}),
        ("severity", {}),
        ("status", {"status": "gone"}),
        ("status", {}),
        ("determination", {"determination": "maybe"}),
        ("determination", {"determination": "malicious", "findings": "false_positive"}),
        ("tags", {"tags": "x" * 101}),
        ("tags", {"tags": ",".join(map(str, range(210)))}),
    ],
)
def test_bad_input_saves_nothing(
    as_analyst: Client, alert: Alert, verb: str, given: dict[str, str], headers: dict[str, str]
) -> None:
    answer = as_analyst.post(f"/alerts/{alert.number}/{verb}/", given, headers=headers)
    assert answer.status_code == 422
    assert 'role="alert"' in answer.content.decode()
    assert Alert.objects.get(pk=alert.pk).version == 1


@pytest.mark.parametrize(
    ("verb", "given"),
    [
        ("severity", {"severity": "low"}),
        ("status", {"status": "new"}),
        ("determination", {"determination": "unknown"}),
        ("tags", {"tags": ""}),
    ],
)
def test_the_same_again_changes_nothing(as_analyst: Client, alert: Alert, verb: str, given: dict[str, str]) -> None:
    assert as_analyst.post(f"/alerts/{alert.number}/{verb}/", given).status_code == 302
    assert Alert.objects.get(pk=alert.pk).version == 1
    assert TimelineEntry.objects.filter(alert=alert).count() == 1


def test_who_may_not_work_on_cases_is_neither_offered_nor_made_owner(
    as_analyst: Client, analyst: User, viewer: User
) -> None:
    alert = make_alert("Beacon")
    form = as_analyst.get(f"/alerts/{alert.number}/ask/assign/", headers={"HX-Request": "true"}).content.decode()
    assert f'value="{analyst.username}"' in form
    assert f'value="{viewer.username}"' not in form
    page = as_analyst.post(f"/alerts/{alert.number}/assign/", {"owner": viewer.username})
    assert page.status_code == 422
    assert "may not work on cases" in page.content.decode()
    api = Api(analyst)
    for answer in (
        api.post(f"/alerts/{alert.pk}/assign/", {"owner": viewer.username}),
        api.patch(f"/alerts/{alert.pk}/", {"owner": viewer.username}),
        api.post("/alerts/", {"title": "By hand", "owner": viewer.username}),
        api.post("/incidents/", {"title": "By hand", "owners": [viewer.username]}),
    ):
        assert answer.status_code == 400
        assert "may not work on cases" in answer.json()["detail"]
    assert (Alert.objects.get().owner, Incident.objects.count()) == (None, 0)
