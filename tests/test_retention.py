"""Rules of retention and legal holds: nothing on hold goes, whoever asks; passes are batched, resumable, recorded."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from cases import retention
from cases.actions import evidence, holds, incidents, links, retention_work
from cases.actions import retention as rules
from cases.actors import Actor
from cases.choices import AlertStatus, Determination, IncidentStatus, Severity
from cases.errors import Conflict, Forbidden, Missing, Refused, Stale
from cases.holds import Held
from cases.models import Alert, AlertPayload, Incident, LegalHold, RetentionRule, TimelineEntry
from cases.purge import purge
from cases.verify import report_of_all
from playbooks.models import Playbook, Run, Step
from soar.accounts import audit
from soar.accounts.models import AuditEntry, User
from tests.factories import make_alert, make_incident, make_source

pytestmark = pytest.mark.django_db
OLD = timedelta(days=400)


def old_alert(title: str = "Old", **fields: Any) -> Alert:
    at = timezone.now() - OLD
    alert = make_alert(title, age=OLD, **fields)
    done = {"status": AlertStatus.RESOLVED, "determination": Determination.BENIGN, "resolved_at": at}
    Alert.objects.filter(pk=alert.pk).update(**done)
    alert.refresh_from_db()
    return alert


def old_incident(title: str, *alerts: Alert) -> Incident:
    incident = make_incident(title, *alerts)
    at = timezone.now() - OLD
    done = {"status": IncidentStatus.CLOSED, "determination": Determination.BENIGN, "closed_at": at, "resolved_at": at}
    Incident.objects.filter(pk=incident.pk).update(**done)
    Alert.objects.filter(incident=incident).update(
        status=AlertStatus.RESOLVED, determination=Determination.BENIGN, resolved_at=at
    )
    incident.refresh_from_db()
    return incident


def rule(what: str, days: int = 365, **fields: Any) -> RetentionRule:
    return rules.create(Actor.system(), {"what": what, "days": days, "enabled": True, **fields})


def pass_of(one: RetentionRule) -> RetentionRule:
    retention_work.work_off(one.pk)
    one.refresh_from_db()
    return one


def test_rules_are_for_those_who_manage_settings(analyst: User, admin: User) -> None:
    for act in (
        lambda: rules.create(Actor.of(analyst), {"what": "alerts", "days": 30}),
        lambda: rules.update(Actor.of(analyst), 1, {"days": 3}),
        lambda: rules.delete(Actor.of(analyst), 1),
    ):
        with pytest.raises(Forbidden):
            act()
    with pytest.raises(Missing):
        rules.delete(Actor.of(admin), 10**9)
    assert not RetentionRule.objects.exists()


@pytest.mark.parametrize(
    ("fields", "field"),
    [({"what": "everything", "days": 30}, "what"), ({"what": "alerts", "days": 0}, "days"),
     ({"what": "alerts", "days": 99999}, "days"), ({"what": "alerts", "days": True}, "days"),
     ({"what": "audit", "days": 30}, "days"), ({"what": "audit", "days": 400, "severities": ["low"]}, "severities"),
     ({"what": "alerts", "days": 30, "severities": ["worst"]}, "severities"),
     ({"what": "incidents", "days": 30, "source": "none-such"}, "source"),
     ({"what": "alerts", "days": 30, "colour": 1}, "colour")],
)  # fmt: skip
def test_a_rule_that_cannot_be_is_refused(admin: User, fields: dict[str, Any], field: str) -> None:
    with pytest.raises(Refused) as error:
        rules.create(Actor.of(admin), fields)
    assert error.value.field == field


def test_a_rule_is_off_until_somebody_says_otherwise(admin: User) -> None:
    old_alert()
    made = rules.create(Actor.of(admin), {"what": "alerts", "days": 30})
    assert not made.enabled
    retention_work.ring()
    pass_of(made)
    assert Alert.objects.count() == 1
    rules.update(Actor.of(admin), made.pk, {"enabled": True}, expected_version=1)
    with pytest.raises(Stale):
        rules.update(Actor.of(admin), made.pk, {"days": 3}, expected_version=1)
    row = AuditEntry.objects.get(verb="retention.changed")
    assert row.data == {"before": {"enabled": False}, "after": {"enabled": True}}


def test_raw_payloads_go_and_the_alert_stays(as_admin: Any, admin: User) -> None:
    old, young, still_open = old_alert("Old"), make_alert("Young"), make_alert("Open", age=OLD)
    made = rule("payloads")
    assert retention.preview(made, admin)["count"] == 1
    assert pass_of(made).deleted == 1
    assert set(AlertPayload.objects.values_list("alert", flat=True)) == {young.pk, still_open.pk}
    assert Alert.objects.count() == 3
    assert as_admin.get(f"/alerts/{old.number}/raw/").status_code == 200
    assert report_of_all().findings == []
    row = AuditEntry.objects.get(verb="retention.deleted")
    assert (row.data["what"], row.data["count"], row.data["first"]) == ("payloads", 1, old.pk)


def test_alerts_go_by_age_severity_and_source(admin: User) -> None:
    source = make_source("Sensor")
    low = old_alert("Low", severity=Severity.LOW, source=source)
    high = old_alert("High", severity=Severity.HIGH, source=source)
    other = old_alert("Other", severity=Severity.LOW)
    pass_of(rule("alerts", severities=["low"], source=source.slug))
    assert set(Alert.objects.all()) == {high, other}
    assert not TimelineEntry.objects.filter(alert=low.pk).exists()
    assert AuditEntry.objects.get(verb="timeline.purged").target == low.number
    assert report_of_all().findings == []


def test_incidents_go_with_their_alerts(admin: User) -> None:
    alert, again = old_alert("Inside"), old_alert("Opened again")
    incident = old_incident("Case", alert, again)
    Alert.objects.filter(pk=again.pk).update(status=AlertStatus.NEW)
    closed_lately = old_incident("Lately")
    Incident.objects.filter(pk=closed_lately.pk).update(closed_at=timezone.now())
    pass_of(rule("alerts"))
    assert Alert.objects.filter(pk=alert.pk).exists()  # it goes with its incident
    pass_of(rule("incidents"))
    assert list(Incident.objects.all()) == [closed_lately]
    again.refresh_from_db()
    assert again.incident is None and not Alert.objects.filter(pk=alert.pk).exists()
    assert not Incident.objects.filter(pk=incident.pk).exists()
    assert report_of_all().findings == []


def test_a_hold_wins_over_every_rule_and_every_delete(admin: User, responder: User) -> None:
    alert, free = old_alert("Held"), old_alert("Free")
    incident = old_incident("Kept", alert)
    playbook = Playbook.objects.create(name="looks", trigger="webhook")
    for subject in (alert, free):
        run = Run.objects.create(
            playbook=playbook, alert=subject, trigger="manual", cause=subject.cause, status="successful",
            finished_at=timezone.now() - OLD,
        )  # fmt: skip
        Step.objects.create(run=run, position=1, name="look", key="#1", kind="action", status="successful")
    holds.place(Actor.of(admin), incident.pk, "Court order 7")
    for what in ("payloads", "runs", "incidents", "alerts"):
        pass_of(rule(what))
    assert list(Alert.objects.all()) == [alert]
    assert AlertPayload.objects.filter(alert=alert).exists()
    assert [run.alert for run in Run.objects.all()] == [alert]
    for deed in (
        lambda: purge(admin, incidents=[incident.pk], reason="test"),
        lambda: purge(admin, alerts=[alert.pk], reason="test"),
        lambda: links.unlink(Actor.of(admin), [alert.pk]),
        lambda: links.link(Actor.of(admin), [alert.pk], make_incident("Other").pk, move=True),
    ):
        with pytest.raises(Held):
            deed()
    assert Alert.objects.get().incident == incident
    holds.lift(Actor.of(admin), incident.pk, "Order withdrawn")
    pass_of(rule("incidents"))
    assert not Incident.objects.filter(pk=incident.pk).exists()
    assert report_of_all().findings == []


def test_the_database_itself_keeps_what_is_on_hold(admin: User) -> None:
    alert = old_alert()
    incident = old_incident("Kept", alert)
    holds.place(Actor.of(admin), incident.pk, "Court order")
    for statement in (
        "DELETE FROM cases_alertpayload",
        "DELETE FROM cases_alert",
        "DELETE FROM cases_incident",
        "DELETE FROM cases_legalhold",
    ):
        with pytest.raises(DatabaseError, match="legal hold"), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)


def test_evidence_of_an_incident_on_hold_stays(admin: User, tmp_path: Any, settings: Any) -> None:
    settings.DATA_DIR = tmp_path
    incident = make_incident("Case")
    piece = evidence.add_bytes(Actor.of(admin), incident.pk, "a.txt", b"proof")
    holds.place(Actor.of(admin), incident.pk, "Court order")
    with pytest.raises(Held):
        evidence.remove(Actor.of(admin), piece.pk, reason="tidy")
    piece.refresh_from_db()
    assert piece.removed_at is None


def test_a_hold_needs_a_reason_and_the_right(admin: User, analyst: User, viewer: User, stranger: User) -> None:
    incident = make_incident("Case", team=analyst.groups.get(team__isnull=False).team)
    for user, error in ((analyst, Forbidden), (viewer, Forbidden), (stranger, Missing)):
        with pytest.raises(error):
            holds.place(Actor.of(user), incident.pk, "because")
    for reason in ("", "   ", "x" * 1001):
        with pytest.raises(Refused):
            holds.place(Actor.of(admin), incident.pk, reason)
    with pytest.raises(Conflict):
        holds.lift(Actor.of(admin), incident.pk, "there is none")
    holds.place(Actor.of(admin), incident.pk, "Court order")
    with pytest.raises(Conflict):
        holds.place(Actor.of(admin), incident.pk, "twice")
    entry = incident.timeline.latest("pk")
    assert (entry.kind, entry.text) == ("hold.placed", "Court order")
    assert AuditEntry.objects.get(verb="legal_hold.placed").target == incident.number
    holds.lift(Actor.of(admin), incident.pk, "Over")
    holds.place(Actor.of(admin), incident.pk, "Again")
    assert LegalHold.objects.filter(incident=incident).count() == 2
    assert report_of_all().findings == []


def test_a_pass_goes_in_batches_and_goes_on_where_it_was_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    alerts = [old_alert(f"Old {number}") for number in range(7)]
    made = rule("alerts")
    monkeypatch.setattr(retention_work, "BATCHES", 1)
    small = retention.ALERTS.__class__(
        "alerts", "alerts", retention.ALERTS.rows, retention.ALERTS.delete, batch=3
    )  # fmt: skip
    monkeypatch.setattr(retention, "ALERTS", small)
    retention_work.work_off(made.pk)
    made.refresh_from_db()
    assert (made.deleted_now, made.position) == (3, alerts[2].pk)
    assert Alert.objects.count() == 4
    for _ in range(3):
        retention_work.work_off(made.pk)
    made.refresh_from_db()
    assert (made.deleted, made.started_at, Alert.objects.count()) == (7, None, 0)
    assert made.finished_at is not None
    assert [row.data["count"] for row in AuditEntry.objects.filter(verb="retention.deleted").order_by("pk")] == [
        3,
        3,
        1,
    ]
    assert AuditEntry.objects.get(verb="retention.finished").data["count"] == 7
    old_alert("Later")
    retention_work.work_off(made.pk)  # the next pass begins an hour later
    assert Alert.objects.count() == 1


def test_what_refuses_stays_with_its_reason_and_the_others_go(monkeypatch: pytest.MonkeyPatch) -> None:
    good, bad, last = old_alert("Good"), old_alert("Bad"), old_alert("Last")
    drop = retention.ALERTS.delete

    def refusing(ids: list[int]) -> int:
        if bad.pk in ids:
            raise Conflict("something still needs it")
        return drop(ids)

    picky = retention.ALERTS.__class__("alerts", "alerts", retention.ALERTS.rows, refusing)
    monkeypatch.setattr(retention, "ALERTS", picky)
    made = pass_of(rule("alerts"))
    assert list(Alert.objects.all()) == [bad]
    assert made.deleted == 2 and "something still needs it" in made.error
    assert good.pk < bad.pk < last.pk


def test_old_audit_entries_go_and_the_deletion_is_an_entry() -> None:
    audit.record(None, "test.old")
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO accounts_auditentry (at, actor_name, verb, target, data)"
                       " VALUES (now() - interval '500 days', 'Soar', 'test.ancient', '', '{}')")  # fmt: skip
    made = pass_of(rule("audit", 400))
    assert made.deleted == 1
    assert not AuditEntry.objects.filter(verb="test.ancient").exists()
    assert AuditEntry.objects.filter(verb="test.old").exists()
    assert AuditEntry.objects.get(verb="retention.deleted").data["what"] == "audit"
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('soar.purge', 'off', true)")
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("DELETE FROM accounts_auditentry")


def test_an_incident_can_still_be_worked_on_while_on_hold(admin: User) -> None:
    incident = make_incident("Case")
    holds.place(Actor.of(admin), incident.pk, "Court order")
    incidents.comment(Actor.of(admin), incident.pk, "Still looking.")
    links.link(Actor.of(admin), [make_alert().pk], incident.pk)
    assert Incident.objects.get(pk=incident.pk).alert_count == 1
