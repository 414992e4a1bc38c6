"""The one purge: the only door through which timelines go, and what it leaves behind."""

from __future__ import annotations

import pytest
from django.db import DatabaseError, connection, transaction

from cases.actions import alerts
from cases.actors import Actor
from cases.models import Alert, AlertAsset, AlertPayload, Asset, Incident, Observable, TimelineEntry
from cases.purge import purge
from cases.verify import report_of_all
from playbooks.models import Playbook, Run, Step
from soar.accounts.models import AuditEntry, User
from tests.factories import make_alert, make_incident

pytestmark = pytest.mark.django_db


def test_the_database_refuses_to_delete_a_timeline_outside_of_it() -> None:
    alert = make_alert()
    for statement in ("DELETE FROM cases_timelineentry", "UPDATE cases_timelineentry SET text = 'x'"):
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)
    assert alert.timeline.count() == 1


def test_an_update_is_refused_even_inside_of_it() -> None:
    make_alert()
    purge(None, reason="nothing")
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE cases_timelineentry SET text = 'x'")


@pytest.mark.django_db(transaction=True)
def test_the_permission_ends_with_the_transaction() -> None:
    purge(None, alerts=[make_alert().pk], reason="test")
    make_alert()
    with pytest.raises(DatabaseError, match="append-only"), connection.cursor() as cursor:
        cursor.execute("DELETE FROM cases_timelineentry")


def test_an_alert_goes_whole_and_its_audit_row_tells_count_and_head(analyst: User) -> None:
    alert = make_alert(observables=(("ip", "203.0.113.5"), ("domain", "shared.example.net")))
    other = make_alert(observables=(("domain", "shared.example.net"),))
    alerts.comment(Actor.of(analyst), alert.pk, "Nothing in it.")
    alert.refresh_from_db()
    done = purge(analyst, alerts=[alert.pk, 10**12], reason="retention")
    assert (done.alerts, done.incidents, done.entries, done.observables) == (1, 0, 2, 1)
    assert list(Alert.objects.all()) == [other]
    assert not AlertPayload.objects.filter(alert=alert.pk).exists()
    assert list(Observable.objects.values_list("value", flat=True)) == ["shared.example.net"]
    row = AuditEntry.objects.get(verb="timeline.purged")
    assert row.actor_id == analyst.pk
    assert row.target == alert.number
    assert row.data == {
        "reason": "retention", "entries": 2, "subjects": [[alert.number, 2, bytes(alert.timeline_head or b"").hex()]],
    }  # fmt: skip


def test_runs_of_an_alert_go_with_it() -> None:
    alert, other = make_alert(), make_alert()
    playbook = Playbook.objects.create(name="looks", trigger="webhook")
    for subject in (alert, other):
        run = Run.objects.create(playbook=playbook, alert=subject, trigger="manual", cause=subject.cause)
        Step.objects.create(run=run, position=1, name="look", key="#1", kind="action", status="successful")
    purge(None, alerts=[alert.pk], reason="test")
    assert [run.alert_id for run in Run.objects.all()] == [other.pk]
    assert Step.objects.count() == 1


def test_an_incident_keeps_its_timeline_when_its_alert_goes() -> None:
    alert, stays = make_alert("Goes"), make_alert("Stays")
    incident = make_incident("Case", alert, stays)
    purge(None, alerts=[alert.pk], reason="test")
    incident.refresh_from_db()
    assert incident.alert_count == 1
    assert list(incident.alerts.all()) == [stays]
    last = incident.timeline.latest("pk")
    assert last.kind == "incident.alert_unlinked"
    assert last.data["title"] == "Goes"
    assert report_of_all().findings == []


def test_an_alert_stays_and_says_so_when_its_incident_goes() -> None:
    alert = make_alert()
    incident = make_incident("Case", alert)
    assert purge(None, incidents=[incident.pk], reason="test").incidents == 1
    alert.refresh_from_db()
    assert alert.incident is None
    assert alert.timeline.latest("pk").kind == "alert.unlinked"
    assert not Incident.objects.exists()
    assert not TimelineEntry.objects.filter(incident__isnull=False).exists()
    assert report_of_all().findings == []


def test_nothing_is_deleted_when_a_part_of_it_fails(settings: pytest.FixtureRequest) -> None:
    alert = make_alert()
    settings.PURGE_HOOKS = ["tests.test_purge.refuse"]  # type: ignore[attr-defined]
    with pytest.raises(ValueError, match="not today"):
        purge(None, alerts=[alert.pk], reason="test")
    assert Alert.objects.filter(pk=alert.pk).exists()
    assert alert.timeline.count() == 1
    assert not AuditEntry.objects.filter(verb="timeline.purged").exists()


def refuse(**ids: list[int]) -> None:
    """A hook that fails."""
    raise ValueError("not today")


def test_assets_go_with_the_last_that_names_them_and_the_inventory_stays() -> None:
    first, second = make_alert(), make_alert()
    kept = Asset.objects.create(name="In-The-Book", key="in-the-book", listed=True)
    shared, alone = (Asset.objects.create(name=name, key=name) for name in ("shared-1", "alone-1"))
    for alert, asset in ((first, kept), (first, shared), (first, alone), (second, shared)):
        AlertAsset.objects.create(alert=alert, asset=asset)
    assert purge(None, alerts=[first.pk], reason="retention").assets == 1
    assert set(Asset.objects.all()) == {kept, shared}
    assert list(second.asset_links.values_list("asset", flat=True)) == [shared.pk]
