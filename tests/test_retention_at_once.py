"""Retention while somebody works: what was opened again, or linked, at that moment stays."""

from __future__ import annotations

from functools import partial

import pytest
from django.db import transaction

from cases.actions import links, retention_work
from cases.actors import Actor
from cases.choices import AlertStatus, IncidentStatus
from cases.models import Alert, AlertPayload, Incident
from tests.factories import make_incident
from tests.test_concurrency import Racers
from tests.test_retention import old_alert, old_incident, rule

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("what", ["alerts", "payloads"])
def test_an_alert_that_is_opened_again_meanwhile_stays(what: str) -> None:
    opened, other, made = old_alert("Again"), old_alert("Done"), rule(what)
    racers = Racers()
    with transaction.atomic():
        row = Alert.objects.select_for_update().get(pk=opened.pk)
        row.status, row.resolved_at = AlertStatus.NEW, None
        row.save()
        racers.start(partial(retention_work.work_off, made.pk))
        racers.waiting(1)
    racers.join()
    assert not racers.errors
    assert Alert.objects.filter(pk=opened.pk).exists()
    assert list(AlertPayload.objects.values_list("pk", flat=True)) == [opened.pk]
    assert Alert.objects.filter(pk=other.pk).exists() == (what == "payloads")


def test_an_alert_that_is_linked_meanwhile_stays() -> None:
    alert, incident, made = old_alert("Linked"), make_incident("Case"), rule("alerts")
    racers = Racers()
    with transaction.atomic():
        links.link(Actor.system(), [alert.pk], incident.pk)
        racers.start(partial(retention_work.work_off, made.pk))
        racers.waiting(1)
    racers.join()
    assert Alert.objects.get().incident == incident


def test_an_incident_and_an_alert_of_one_that_are_opened_again_meanwhile_stay() -> None:
    inside = old_alert("Inside")
    opened, other, made = old_incident("Again"), old_incident("Done", inside), rule("incidents")
    racers = Racers()
    with transaction.atomic():
        row = Incident.objects.select_for_update().get(pk=opened.pk)
        row.status, row.closed_at = IncidentStatus.IN_PROGRESS, None
        row.save()
        Alert.objects.filter(pk=inside.pk).update(status=AlertStatus.NEW, resolved_at=None)
        racers.start(partial(retention_work.work_off, made.pk))
        racers.waiting(1)
    racers.join()
    assert Incident.objects.get() == opened
    assert Alert.objects.get() == inside and Alert.objects.get().incident is None
    assert not Incident.objects.filter(pk=other.pk).exists()
