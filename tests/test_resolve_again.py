"""Corrections of what was resolved, and endings of incidents (casework.md 1, 6; rulings 4, 15)."""

from __future__ import annotations

import pytest

from cases.actions import alerts, incidents
from cases.actors import Actor
from cases.choices import Severity
from cases.errors import Refused
from cases.models import Incident
from soar.accounts.models import User
from tests.api import Api
from tests.factories import make_alert, make_incident

pytestmark = pytest.mark.django_db


def test_findings_of_a_resolved_alert_can_be_corrected(analyst: User) -> None:
    alert = make_alert()
    done = alerts.resolve(Actor.of(analyst), alert.pk, determination="benign", reason="Backup job")
    assert done.findings == "false_positive"
    answer = Api(analyst).patch(f"/alerts/{alert.pk}/", {"findings": "benign_true_positive"})
    assert answer.status_code == 200
    assert answer.json()["findings"] == "benign_true_positive"
    assert answer.json()["resolve_reason"] == "Backup job"
    alert.refresh_from_db()
    assert alert.resolved_at == done.resolved_at


def test_resolving_again_with_the_same_words_changes_nothing(analyst: User) -> None:
    alert = make_alert()
    done = alerts.resolve(Actor.of(analyst), alert.pk, determination="benign", findings="benign_true_positive")
    again = alerts.resolve(Actor.of(analyst), alert.pk, determination="benign")
    assert (again.version, again.findings) == (done.version, "benign_true_positive")


def test_whoever_resolves_an_alert_has_acknowledged_it(analyst: User) -> None:
    alert = make_alert()
    assert alerts.resolve(Actor.of(analyst), alert.pk, determination="benign").acknowledged_at is not None
    other = make_alert()
    assert alerts.resolve(Actor.system(), other.pk, determination="benign").acknowledged_at is None


def test_a_severity_of_zero_is_a_severity(analyst: User) -> None:
    alert = make_alert(severity=Severity.HIGH)
    made = incidents.open_incident(Actor.of(analyst), alerts=[alert.pk], severity=Severity.INFORMATIONAL)
    assert made.severity == Severity.INFORMATIONAL


def test_closing_keeps_the_reason_and_saying_it_twice_changes_nothing(analyst: User) -> None:
    actor, incident = Actor.of(analyst), make_incident()
    incidents.set_status(actor, incident.pk, "resolved", determination="malicious", reason="Host reimaged")
    closed = incidents.set_status(actor, incident.pk, "closed")
    assert closed.resolve_reason == "Host reimaged"
    assert closed.closed_at is not None
    again = incidents.set_status(actor, incident.pk, "closed", determination="malicious")
    assert (again.version, again.timeline_count) == (closed.version, closed.timeline_count)
    assert incidents.set_status(actor, incident.pk, "resolved").closed_at is None


def test_naming_the_same_determination_keeps_the_findings(analyst: User) -> None:
    actor, incident = Actor.of(analyst), make_incident()
    incidents.update(actor, incident.pk, changes={"determination": "benign", "findings": "benign_true_positive"})
    incidents.update(actor, incident.pk, changes={"determination": "benign", "title": "Other"})
    assert Incident.objects.get(pk=incident.pk).findings == "benign_true_positive"


def test_owners_that_are_there_already_change_nothing(analyst: User) -> None:
    actor, incident = Actor.of(analyst), make_incident(owners=["mara"])
    after = incidents.owners(actor, incident.pk, add=["mara"], remove=["nobody\x00such"])
    assert after.version == incident.version


def test_odd_reasons_are_refused_or_mended(analyst: User) -> None:
    actor, alert = Actor.of(analyst), make_alert()
    alerts.set_status(actor, alert.pk, "in_progress", reason="a\x00b\ud800")
    alerts.set_determination(actor, alert.pk, "suspicious", reason="\x00")
    assert alert.timeline.filter(kind="changed").order_by("pk").values_list("text", flat=True)[0] == "ab?"
    with pytest.raises(Refused):
        alerts.set_status(actor, alert.pk, "new", reason="x" * 5001)
