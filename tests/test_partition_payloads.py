"""deploy/sql/partition_payloads.sql: raw payloads in partitions, at a small size. The portal does not notice it.

All of it happens in the transaction of the test, so no other test sees a partition."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.db import IntegrityError, OperationalError, connection, transaction
from django.test import Client
from django.utils import timezone

from cases import retention
from cases.actions import holds
from cases.actors import Actor
from cases.choices import AlertStatus, Determination
from cases.models import Alert, AlertPayload, RetentionRule
from soar.accounts.models import AuditEntry, User
from tests.factories import make_alert, make_incident, make_source
from tests.test_ingest import token_of

pytestmark = pytest.mark.django_db
MILLION = 1_000_000
RESOLVED: dict[str, Any] = {
    "status": AlertStatus.RESOLVED,
    "determination": Determination.BENIGN,
    "resolved_at": timezone.now() - timedelta(days=90),
}


@pytest.fixture
def old() -> Alert:
    """One of the time before the partitions."""
    return make_alert("Old", raw='{"old": true}', age=timedelta(days=100), **RESOLVED)


@pytest.fixture
def partitioned(old: Alert) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # what a commit does
        cursor.execute((settings.BASE_DIR / "deploy/sql/partition_payloads.sql").read_text())


def asked(query: str, *values: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(query, values)
        return list(cursor.fetchall())


def dropped(days: int = 30) -> list[tuple[Any, ...]]:
    return asked("SELECT * FROM soar_payload_drop(%s)", timezone.now() - timedelta(days=days))


def place_of(alert: Alert) -> str:
    [(place,)] = asked("SELECT tableoid::regclass::text FROM cases_alertpayload WHERE alert_id = %s", alert.pk)
    return str(place)


def numbered(number: int, **fields: Any) -> Alert:
    """An alert with this number, as if so many had come."""
    return make_alert(f"Number {number}", id=number, **fields)


def test_what_was_there_is_there_and_alerts_come_as_before(old: Alert, partitioned: None, client: Client) -> None:
    assert AlertPayload.objects.get(pk=old.pk).body == '{"old": true}'
    assert place_of(old) == "cases_alertpayload_first"
    source = make_source()
    headers = {"Authorization": f"Bearer {token_of(source)}"}
    one = {"id": "1", "title": "One"}
    for body, status in (([one, {"id": "2", "title": "Two"}], 207), (one, 200), ({"id": "3", "title": "Three"}, 201)):
        url = f"/api/v1/ingest/{source.slug}/"
        assert client.post(url, body, content_type="application/json", headers=headers).status_code == status
    rows = AlertPayload.objects.filter(alert__source=source).values_list("alert__title", "body", "latest_body")
    stored = {title: (body, latest) for title, body, latest in rows}
    assert all(f'"{title}"' in body for title, (body, _latest) in stored.items())
    assert stored.keys() == {"One", "Two", "Three"}
    assert [title for title, (_body, latest) in stored.items() if latest] == ["One"]  # the repeat


def test_a_payload_has_one_alert_and_an_alert_one_payload(old: Alert, partitioned: None) -> None:
    asked("SELECT 1")  # from here on each statement is checked at once
    for alert_id in (old.pk, 77 * MILLION):
        with pytest.raises(IntegrityError), transaction.atomic():
            AlertPayload.objects.create(alert_id=alert_id, body="x")


def test_rules_of_retention_go_on_deleting(old: Alert, partitioned: None) -> None:
    rule = RetentionRule(what="payloads", days=30)
    assert retention.delete(rule, [old.pk]) == 1
    assert not AlertPayload.objects.exists()


def test_an_old_partition_goes_with_its_payloads(old: Alert, partitioned: None, as_admin: Client) -> None:
    new = numbered(MILLION + 1)
    assert dropped() == [("cases_alertpayload_first", 1, 0)]
    assert list(AlertPayload.objects.values_list("pk", flat=True)) == [new.pk]
    assert as_admin.get(f"/alerts/{old.number}/").status_code == 200
    [entry] = AuditEntry.objects.filter(verb="payloads.dropped")
    assert (entry.target, entry.data["dropped"], entry.data["kept"]) == ("cases_alertpayload_first", 1, 0)
    assert dropped() == []


def test_what_is_open_or_on_hold_is_kept(old: Alert, partitioned: None, admin: User) -> None:
    age = timedelta(days=100)
    waiting, held = make_alert("Open", raw="open", age=age), make_alert("Held", raw="held", age=age)
    incident = make_incident("Court", held)
    Alert.objects.filter(pk=held.pk).update(**RESOLVED)
    holds.place(Actor.of(admin), incident.pk, "Court order")
    numbered(MILLION + 1)
    assert dropped() == [("cases_alertpayload_first", 1, 2)]
    assert {place_of(waiting), place_of(held)} == {"cases_alertpayload_rest"}
    assert set(AlertPayload.objects.filter(pk__lt=MILLION).values_list("body", flat=True)) == {"open", "held"}
    with pytest.raises(OperationalError, match="on legal hold"), transaction.atomic():
        AlertPayload.objects.filter(pk=held.pk).delete()


def test_a_partition_that_is_young_or_not_full_stays(old: Alert, partitioned: None) -> None:
    assert dropped() == []  # more may come into it
    young = make_alert("Young")
    numbered(MILLION + 1)
    assert dropped() == []
    assert place_of(young) == "cases_alertpayload_first"


def test_alerts_for_which_nobody_made_a_partition_lose_nothing(partitioned: None) -> None:
    assert place_of(numbered(2 * MILLION + 5)) == "cases_alertpayload_2"
    assert place_of(numbered(9 * MILLION + 5)) == "cases_alertpayload_rest"
    made = [name for (name,) in asked("SELECT soar_payload_partitions()")]
    assert made == ["cases_alertpayload_10", "cases_alertpayload_11"]
    assert place_of(numbered(9 * MILLION + 6)) == "cases_alertpayload_rest"
    assert place_of(numbered(10 * MILLION)) == "cases_alertpayload_10"
    assert asked("SELECT soar_payload_partitions()") == [("cases_alertpayload_12",)]
