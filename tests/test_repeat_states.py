"""What a source says about the state of an alert that it sends again: closed there is no news here."""

from __future__ import annotations

from typing import Any

import pytest

from cases.actions import alerts as actions
from cases.actors import Actor
from cases.choices import AlertStatus, Determination
from cases.models import Alert, AlertSource
from cases.verify import report_of_alert
from tests.factories import make_source
from tests.test_ingest import Sender

pytestmark = pytest.mark.django_db


def incident(status: str, classification: str = "") -> dict[str, Any]:
    """An incident as Sentinel sends it, changed from the one before."""
    return {
        "id": "/subscriptions/x/Incidents/1", "name": "1", "type": "Microsoft.SecurityInsights/Incidents",
        "properties": {
            "title": "Sign-in from afar", "severity": "High", "status": status, "incidentNumber": 1,
            "classification": classification, "createdTimeUtc": "2026-03-01T00:00:00Z",
        },
    }  # fmt: skip


@pytest.fixture
def sender(db: None) -> Sender:
    return Sender(make_source("Sentinel", kind="sentinel", repeat_rule="reopen"))


def resolve(pk: int) -> None:
    actions.resolve(Actor.system(), pk, determination=Determination.MALICIOUS)


@pytest.mark.parametrize("classification", ["Undetermined", ""])
def test_closed_there_does_not_reopen_what_is_resolved_here(sender: Sender, classification: str) -> None:
    pk = sender.post(incident("New")).json()["id"]
    resolve(pk)
    assert sender.post(incident("Closed", classification)).json()["id"] == pk
    alert = Alert.objects.get()
    assert (alert.status, alert.determination) == (AlertStatus.RESOLVED, Determination.MALICIOUS)
    assert alert.source_state.lower().startswith("closed") and alert.count == 2
    assert not alert.timeline.filter(kind="alert.reopened").exists()
    assert report_of_alert(alert).findings == []
    assert sender.post(incident("Active")).json()["id"] == pk
    alert.refresh_from_db()
    assert alert.status != AlertStatus.RESOLVED, "open there again, it is news"


@pytest.mark.parametrize(
    ("follows", "classification", "wanted"),
    [
        (True, "FalsePositive", (AlertStatus.RESOLVED, Determination.BENIGN)),
        (True, "TruePositive", (AlertStatus.RESOLVED, Determination.MALICIOUS)),
        (True, "Undetermined", (AlertStatus.RESOLVED, Determination.BENIGN)),
        (False, "FalsePositive", (AlertStatus.NEW, Determination.UNKNOWN)),
    ],
)
def test_closed_there_resolves_here_where_the_source_is_set_so(
    sender: Sender, follows: bool, classification: str, wanted: tuple[int, int]
) -> None:
    AlertSource.objects.update(close_on_resolved=follows, resolved_determination=Determination.BENIGN)
    sender.post(incident("New"))
    for _ in range(2):
        assert sender.post(incident("Closed", classification)).status_code == 200
    alert = Alert.objects.get()
    assert (alert.status, alert.determination) == wanted
    assert alert.timeline.filter(kind="alert.resolved").count() == follows
    assert report_of_alert(alert).findings == []
