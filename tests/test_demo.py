"""The demo data: what is there, that it is in order, and that all of it goes away again.

Seeding takes seconds, so it is done once for this file; every test works in a transaction that is rolled back."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection, transaction
from django.db.models import F, Min
from django.utils import timezone
from django.utils.html import escape
from pytest_django.plugin import DjangoDbBlocker

from cases.actions import alerts, incidents, links
from cases.actions.custom_values import set_values
from cases.actors import Actor
from cases.choices import AlertStatus, Determination, IncidentStatus, TaskStatus
from cases.evidence_check import check
from cases.ingest.pipeline import receive, rules_of
from cases.models import (
    Alert,
    AlertObservable,
    AlertPayload,
    AlertSource,
    Asset,
    AssetGroup,
    CustomField,
    Evidence,
    Incident,
    IncidentClock,
    IncidentMove,
    IncidentTask,
    IncidentTemplate,
    Mention,
    Notification,
    NotificationDelivery,
    NotificationSettings,
    Observable,
    TimelineEntry,
    TimelinePin,
)
from cases.shipped_templates import TEMPLATES
from cases.suggestions import suggestions
from cases.verify import report_of_all
from playbooks.models import Run, Step
from soar.accounts.models import AuditEntry, Team, User
from soar.connectors.models import OwnListEntry
from tests.factories import make_alert, make_asset, make_incident, make_source, make_user
from tests.fixtures import client_of

pytestmark = pytest.mark.django_db


def say(*arguments: str) -> str:
    """What the command says."""
    out = StringIO()
    call_command("seed_demo", *arguments, stdout=out)
    return out.getvalue()


@pytest.fixture(scope="module")
def seeded(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[str]:
    """The demo data, for all tests of this file, and an admin who was there before."""
    with django_db_blocker.unblock(), transaction.atomic():
        make_user("reader", "Admin")
        yield say()
        transaction.set_rollback(True)


@pytest.fixture
def demo(seeded: str) -> str:
    """The demo data as they were just made; what a test does to them is undone."""
    return seeded


def waiting_tasks() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM soar_queue")
        return int(cursor.fetchone()[0])


def test_there_are_some_400_alerts_of_every_kind_over_two_weeks(demo: str) -> None:
    kinds = Counter(Alert.objects.values_list("source__kind", flat=True))
    assert 370 <= sum(kinds.values()) <= 430
    assert f"{sum(kinds.values())} alerts" in demo
    assert set(kinds) == {"generic", "opensoar", "elastic", "splunk", "wazuh", "visionone", "alertmanager"}
    assert min(kinds.values()) >= 8
    now = timezone.now()
    times = Alert.objects.order_by("received_at").values_list("received_at", "occurred_at", "updated_at")
    assert now - timedelta(days=15) < times[0][0] < now - timedelta(days=12)
    assert all(
        received <= updated <= now and abs(received - seen) < timedelta(hours=1) for received, seen, updated in times
    )


def test_most_are_resolved_with_a_reason_and_some_60_are_open(demo: str) -> None:
    resolved = Alert.objects.filter(status=AlertStatus.RESOLVED)
    assert 40 <= Alert.objects.open().count() <= 90
    assert set(resolved.values_list("determination", flat=True)) == {
        Determination.BENIGN, Determination.SUSPICIOUS, Determination.MALICIOUS
    }  # fmt: skip
    assert not resolved.filter(resolve_reason="").exists()
    assert Alert.objects.filter(status=AlertStatus.IN_PROGRESS, owner__isnull=False).count() >= 8
    assert Alert.objects.filter(count__gte=40).count() >= 5


def test_payloads_went_through_the_pipeline_and_are_kept_as_they_came(demo: str) -> None:
    alert = Alert.objects.filter(source__kind="visionone", detection_model__startswith="Credential Dumping").latest(
        "pk"
    )
    payload = json.loads(AlertPayload.objects.get(alert=alert).body)
    assert payload["id"] == alert.source_ref
    assert payload["model"] == alert.title
    values = set(alert.observable_links.values_list("observable__type", flat=True))
    assert {"ip", "sha256", "file_path", "hostname", "user"} <= values
    assert "T1003.001" in alert.techniques
    assert alert.hostname == "FIN-LT-0114"
    assert not Alert.objects.exclude(repairs=[]).exists()


def test_incidents_stand_in_every_state_with_owners_and_stories(demo: str) -> None:
    assert Incident.objects.filter(demo=True).count() == Incident.objects.count() >= 12
    assert set(Incident.objects.values_list("status", flat=True)) == set(IncidentStatus)
    kinds = set(TimelineEntry.objects.filter(incident__isnull=False).values_list("kind", flat=True))
    assert kinds >= {
        "incident.opened", "incident.alert_linked", "incident.alert_unlinked", "incident.owners", "incident.reopened",
        "changed", "observable.added", "comment", "comment.edited", "handoff", "note.moved",
    }  # fmt: skip
    assert Incident.objects.get(title__startswith="Credential theft").alert_count >= 8
    for incident in Incident.objects.all():
        assert incident.alert_count == incident.alerts.count()
        assert incident.alert_count >= 1 or incident.merged_into is not None
        assert incident.created_at < timezone.now() - timedelta(hours=1)


def test_the_estate_is_in_the_inventory_and_alerts_name_it(demo: str) -> None:
    listed = Asset.objects.filter(listed=True)
    assert listed.count() == listed.filter(demo=True).count() >= 20
    assert set(listed.values_list("criticality", flat=True)) >= {1, 2, 3, 4}
    assert {"Finance laptops", "Tier 0"} <= set(AssetGroup.objects.values_list("name", flat=True))
    laptop = Asset.objects.get(name="FIN-LT-0114")
    assert laptop.alert_links.count() >= 3
    assert laptop.tags == ["payments", "watched"]
    assert [one.verb for one in laptop.changes.order_by("pk")] == ["created", "changed"]
    assert laptop.created_at < timezone.now() - timedelta(days=170)
    assert Asset.objects.filter(listed=False, name="ci-runner-07").exists()
    named = Alert.objects.exclude(hostname="").exclude(asset_links__isnull=False)
    assert not named.exists(), list(named.values_list("hostname", flat=True).distinct())


def test_removal_leaves_the_machines_that_others_name_to_them(demo: str) -> None:
    mine = make_asset("My-Own-1")
    source = make_source()
    receive(rules_of(source), json.dumps({"id": "x", "title": "Real", "hostname": "DC-OSL-01"}).encode())
    assert "DC-OSL-01" in say("--remove")
    assert set(Asset.objects.values_list("name", "listed")) == {(mine.name, True), ("DC-OSL-01", False)}
    assert not AssetGroup.objects.exists()


def test_timelines_are_in_order_and_their_chains_whole(demo: str) -> None:
    report = report_of_all()
    assert report.findings == []
    assert report.subjects > 380
    assert report.entries > 1000
    by_subject: dict[Any, Any] = {}
    for entry in TimelineEntry.objects.order_by("pk"):
        subject = entry.alert_id, entry.incident_id
        assert by_subject.get(subject, entry.recorded_at) <= entry.recorded_at <= timezone.now()
        by_subject[subject] = entry.recorded_at


def test_no_playbook_is_rung_but_on_some_alerts_they_have_run(demo: str) -> None:
    assert waiting_tasks() == 0
    runs = Run.objects.filter(status="successful")
    assert runs.values("alert").distinct().count() >= 20
    assert Step.objects.filter(run__in=runs).exists()
    for run in runs.select_related("alert"):
        assert run.alert is not None
        assert run.started_at is not None
        assert run.finished_at is not None
        # Behind the alert's coming, or behind its coming back: a repeat may have opened it again days later.
        assert run.alert.received_at < run.finished_at
        assert timedelta() <= run.finished_at - run.queued_at < timedelta(minutes=1)


def test_nobody_of_the_demo_can_log_in_and_no_source_has_a_token(demo: str) -> None:
    people = User.objects.filter(username__in=["mara.lindqvist", "hanna.wojcik", "ruth.adler"])
    assert people.count() == 3
    assert not any(user.has_usable_password() for user in people)
    assert not AlertSource.objects.filter(demo=True, tokens__isnull=False).exists()


def test_open_alerts_that_belong_together_are_suggested_with_several_reasons(demo: str) -> None:
    found = suggestions(make_user("boss", "Admin"))
    assert len(found) >= 3
    assert max(len({reason.type for reason in one.reasons}) for one in found) >= 3
    assert any(one.incident for one in found)


def test_the_pages_of_it_load(demo: str) -> None:
    client = client_of(make_user("boss", "Admin"))
    incident = Incident.objects.get(title__startswith="Credential theft")
    alert = Alert.objects.filter(incident=incident).first()
    assert alert is not None
    for url, text in (
        ("/alerts/", "ALR-"),
        (f"/alerts/{alert.number}/", alert.title),
        ("/incidents/", incident.title),
        (f"/incidents/{incident.number}/?q=It+did+not", "It did not stop at one machine"),
        (f"/incidents/{incident.number}/evidence/", "Overdue invoice 88213.eml"),
    ):
        response = client.get(url)
        assert response.status_code == 200, url
        assert escape(text) in response.content.decode(), url


def test_its_evidence_is_whole_and_goes_with_it(demo: str) -> None:
    assert Evidence.objects.count() == 6
    # The folder is shared with the tests before this one; what they left behind is none of the demo's.
    assert [one for one in check().findings if "no evidence has this file" not in one] == []
    hashes = set(Evidence.objects.values_list("sha256", flat=True))
    say("--remove")
    assert not Evidence.objects.exists()
    with connection.cursor() as cursor:
        cursor.execute("SELECT args->>0 FROM soar_queue WHERE task = 'cases.tasks.drop_evidence_file'")
        assert {row[0] for row in cursor.fetchall()} == hashes


def test_observables_are_first_seen_with_their_first_alert(demo: str) -> None:
    firsts = Observable.objects.annotate(first=Min("alert_links__alert__received_at")).exclude(first=None)
    assert firsts.count() > 100
    assert not firsts.filter(created_at__gt=F("first")).exists()
    assert not Observable.objects.filter(rated_at__lt=F("created_at")).exists()


def test_a_second_call_says_so_and_changes_nothing(demo: str) -> None:
    before = Alert.objects.count(), TimelineEntry.objects.count(), User.objects.count()
    assert "already" in say()
    assert (Alert.objects.count(), TimelineEntry.objects.count(), User.objects.count()) == before


def test_incidents_have_checklists_of_which_some_is_done_and_some_late(demo: str) -> None:
    done = IncidentTask.objects.filter(status=TaskStatus.DONE)
    assert IncidentTask.objects.count() >= 25
    assert done.count() >= 12
    assert all(task.done_by is not None and task.done_at is not None for task in done.select_related("done_by"))
    assert IncidentTask.objects.open().filter(due_at__lt=timezone.now(), incident__demo=True).exists()
    used = Incident.objects.filter(template__isnull=False).values_list("template__name", flat=True)
    assert set(used) == {"Phishing", "Account takeover", "Data loss"}
    say("--remove")
    assert not IncidentTask.objects.exists()
    assert IncidentTemplate.objects.count() == len(TEMPLATES)


def test_each_page_of_casework_has_something_to_show(demo: str) -> None:
    reader = User.objects.get(username="reader")
    mine = Notification.objects.filter(user=reader, listed=True).select_related("incident")
    assert sorted(mine.values_list("reason", flat=True)) == ["mention", "mention", "task"]
    assert all(line.at < timezone.now() - timedelta(minutes=30) for line in mine)
    assert not NotificationDelivery.objects.exists() and not NotificationSettings.objects.exists()
    assert Mention.objects.exclude(user=reader).count() >= 4
    husk = Incident.objects.get(merged_into__isnull=False)
    assert husk.alert_count == 0 and husk.merged_into.title.startswith("Password spraying")  # type: ignore[union-attr]
    assert TimelinePin.objects.count() == 2
    given = Incident.objects.exclude(custom_fields={}).values_list("custom_fields", flat=True)
    assert len(given) >= 5 and {key for one in given for key in one} == set(
        CustomField.objects.values_list("key", flat=True)
    )
    stopped = IncidentClock.objects.filter(seconds__isnull=False, due_at__isnull=False)
    late = stopped.filter(stopped_at__gt=F("due_at"))
    assert late.exists() and stopped.count() > late.count()
    client = client_of(reader)
    for url, text in (
        ("/inbox/", "mentioned you"),
        (f"/incidents/{husk.number}/", "Merged into"),
        ("/incidents/?status=any&cf.business_unit=Finance", "Credential theft"),
        ("/settings/fields/", "Loss in euro"),
    ):
        assert text in client.get(url).content.decode(), url


def test_removal_leaves_a_field_that_a_real_incident_has_a_value_of(demo: str) -> None:
    boss = Actor.of(User.objects.get(username="reader"))
    mine = make_incident("Real incident", make_alert("Real alert"))
    set_values(boss, mine.pk, {"business_unit": "Sales"})
    assert "Business unit" in say("--remove")
    assert list(CustomField.objects.values_list("key", flat=True)) == ["business_unit"]


def test_removal_leaves_nothing_but_an_audit_row(demo: str) -> None:
    entries = TimelineEntry.objects.count()
    assert "removed" in say("--remove")
    assert [user.username for user in User.objects.all()] == ["reader"]
    for model in (Alert, AlertPayload, AlertObservable, Observable, Incident, TimelineEntry, Run, AlertSource, Team,
                  OwnListEntry, Asset, AssetGroup, CustomField, Mention, TimelinePin, IncidentMove,
                  IncidentClock):  # fmt: skip
        assert not model._default_manager.exists(), model
    purged = AuditEntry.objects.filter(verb="timeline.purged")
    assert sum(row.data["entries"] for row in purged) == entries
    assert all(len(head) == 64 and count for row in purged for _, count, head in row.data["subjects"])
    assert "no demo data" in say("--remove")


def test_removal_keeps_what_is_real_and_parts_it_from_the_demo(demo: str) -> None:
    analyst = Actor.of(make_user("boss", "Admin"))
    real = make_alert("Real alert", observables=(("ip", "203.0.113.77"),))
    mixed = make_incident("Real incident", real)
    borrowed = Alert.objects.open().filter(incident=None).latest("pk")
    links.link(analyst, [borrowed.pk], mixed.pk)
    lent = make_alert("Another real alert")
    links.link(analyst, [lent.pk], Incident.objects.filter(demo=True).latest("pk").pk)
    say("--remove")
    assert set(Alert.objects.all()) == {real, lent}
    assert set(Incident.objects.all()) == {mixed}
    assert Observable.objects.filter(value="203.0.113.77").exists()
    mixed.refresh_from_db()
    lent.refresh_from_db()
    assert mixed.alert_count == 1
    assert lent.incident is None
    assert lent.timeline.filter(kind="alert.unlinked").exists()
    last = mixed.timeline.latest("pk")
    assert (last.kind, last.data["alert"]) == ("incident.alert_unlinked", borrowed.number)
    assert report_of_all().findings == []


def test_removal_keeps_a_source_that_got_other_alerts_and_people_who_acted(demo: str) -> None:
    source = AlertSource.objects.get(slug="demo-mail")
    receive(rules_of(source), b'{"title": "From the real gateway", "alert_id": "R-1"}')
    mara = User.objects.get(username="mara.lindqvist")
    real = make_alert("Real alert")
    alerts.assign(Actor.of(make_user("boss", "Admin")), real.pk, owner=mara)
    incidents.open_incident(Actor.of(User.objects.get(username="kofi.mensah")), title="Opened by Kofi")
    said = say("--remove")
    source.refresh_from_db()
    assert source.demo is False
    assert source.alerts.get().title == "From the real gateway"
    kept = User.objects.filter(username__in=["mara.lindqvist", "kofi.mensah"])
    assert kept.count() == 2
    assert not any(user.is_active for user in kept)
    assert not User.objects.filter(username="ruth.adler").exists()
    assert "mara.lindqvist (deactivated)" in said
    assert source.name in said
    assert say().startswith("Demo data loaded")
