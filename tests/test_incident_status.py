"""Moving an incident on, ending it with a determination, reopening it (casework.md 6, rulings 4, 15)."""

from __future__ import annotations

import pytest
from django.test import Client

from cases.choices import AlertStatus, Determination, Findings, IncidentStatus
from cases.models import Alert, Incident
from soar.accounts.models import Team
from tests.factories import make_alert, make_incident, make_source

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


@pytest.fixture
def incident(blue: Team) -> Incident:
    """With two open alerts."""
    source = make_source(team=blue)
    return make_incident("Case", make_alert("One", source=source), make_alert("Two", source=source), team=blue)


def post(client: Client, incident: Incident, **fields: str) -> int:
    """The status of the plain form."""
    return client.post(f"/incidents/{incident.number}/status/", fields).status_code


@pytest.mark.parametrize("word", ["in_progress", "contained"])
def test_moves_on_by_both_doors(as_analyst: Client, incident: Incident, word: str) -> None:
    answer = as_analyst.post(f"/incidents/{incident.number}/status/", {"status": word}, headers=HTMX)
    assert answer.status_code == 200
    assert 'id="incident-head"' in answer.content.decode()
    assert "changed" in answer["HX-Trigger"]
    incident.refresh_from_db()
    assert IncidentStatus(incident.status).word == word
    assert post(as_analyst, incident, status="open") == 302
    incident.refresh_from_db()
    assert incident.status == IncidentStatus.OPEN


def test_ends_with_its_alerts(as_analyst: Client, incident: Incident) -> None:
    fields = {"status": "resolved", "determination": "malicious", "reason": "Cleaned up", "resolve_alerts": "on"}
    assert post(as_analyst, incident, **fields) == 302
    incident.refresh_from_db()
    assert (incident.status, incident.findings) == (IncidentStatus.RESOLVED, Findings.TRUE_POSITIVE)
    assert incident.resolve_reason == "Cleaned up"
    alerts = Alert.objects.filter(incident=incident).values_list("status", "determination")
    assert set(alerts) == {(AlertStatus.RESOLVED, Determination.MALICIOUS)}


def test_ends_without_its_alerts_when_unticked(as_analyst: Client, incident: Incident) -> None:
    assert post(as_analyst, incident, status="closed", determination="suspicious") == 302
    incident.refresh_from_db()
    assert incident.status == IncidentStatus.CLOSED
    assert Alert.objects.filter(incident=incident, status=AlertStatus.NEW).count() == 2


@pytest.mark.parametrize("findings", ["false_positive", "benign_true_positive"])
def test_benign_asks_for_the_findings(as_analyst: Client, incident: Incident, findings: str) -> None:
    assert post(as_analyst, incident, status="resolved", determination="benign", findings=findings) == 302
    incident.refresh_from_db()
    assert incident.findings == findings


def test_the_findings_of_the_form_are_for_benign_only(as_analyst: Client, incident: Incident) -> None:
    fields = {"status": "resolved", "determination": "malicious", "findings": "false_positive"}
    assert post(as_analyst, incident, **fields) == 302
    incident.refresh_from_db()
    assert incident.findings == Findings.TRUE_POSITIVE


@pytest.mark.parametrize(
    "fields",
    [
        {"status": "resolved"},
        {"status": "closed", "determination": "unknown"},
        {"status": "closed", "determination": "sunny"},
        {"status": "gone"},
        {"status": ""},
    ],
)
def test_what_cannot_be(as_analyst: Client, incident: Incident, fields: dict[str, str]) -> None:
    answer = as_analyst.post(f"/incidents/{incident.number}/status/", fields, headers=HTMX)
    assert answer.status_code == 422
    assert "dialog-close" in answer["HX-Trigger"]
    assert 'role="alert"' in answer.content.decode()
    plain = as_analyst.post(f"/incidents/{incident.number}/status/", fields)
    assert plain.status_code == 400
    assert 'role="alert"' in plain.content.decode()
    incident.refresh_from_db()
    assert (incident.status, incident.determination) == (IncidentStatus.OPEN, Determination.UNKNOWN)


def test_reopens_and_says_so(as_analyst: Client, incident: Incident) -> None:
    post(as_analyst, incident, status="closed", determination="benign", findings="false_positive")
    assert post(as_analyst, incident, status="in_progress") == 302
    incident.refresh_from_db()
    assert (incident.status, incident.closed_at) == (IncidentStatus.IN_PROGRESS, None)
    assert incident.timeline.filter(kind="incident.reopened").count() == 1


def test_twice_is_written_once(as_analyst: Client, incident: Incident) -> None:
    for _ in range(2):
        assert post(as_analyst, incident, status="contained") == 302
    assert incident.timeline.filter(kind="changed", data__field="status").count() == 1


def test_the_form_of_the_ending_works_without_scripts(as_analyst: Client, incident: Incident) -> None:
    menu = as_analyst.get(f"/incidents/{incident.number}/").content.decode()
    assert f'href="/incidents/{incident.number}/ending/?status=closed"' in menu
    text = as_analyst.get(f"/incidents/{incident.number}/ending/?status=closed").content.decode()
    assert text.count('id="ending-form"') == 1
    assert 'value="closed" required checked' in text
    assert "hx-post" not in text.partition('id="ending-form"')[2].partition(">")[0], "what it would swap is not here"
    refused = as_analyst.post(
        f"/incidents/{incident.number}/status/", {"ending": "1", "status": "closed", "reason": "x"}
    )
    assert refused.status_code == 422
    assert "x</textarea>" in refused.content.decode()
    assert post(as_analyst, incident, status="closed", determination="malicious", ending="1") == 302
