"""Looking what another key would have made of past alerts before it is saved; what a repeat does under each rule; and
alerts that arrive closed (ingest-and-api.md 8, 8a; rulings 16)."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from cases.actions import alerts
from cases.actors import Actor
from cases.choices import AlertStatus
from cases.models import Alert, AlertPayload, AlertSource
from cases.views import key_preview
from soar.accounts.models import Team, User
from tests.factories import make_source
from tests.test_suppression_ingest import doorbells, item, send

pytestmark = pytest.mark.django_db
SYSTEM = Actor.system()


def region(client: Client, source: AlertSource, *paths: str) -> str:
    """The region below the field."""
    answer = client.post(f"/sources/{source.slug}/key-preview/", {"key_fields": "\r\n".join(paths)})
    assert answer.status_code == 200
    return " ".join(re.sub(r"<[^>]+>", " ", answer.content.decode()).split())


def test_only_for_those_who_manage_sources(as_analyst: Client, as_admin: Client, client: Client) -> None:
    source = make_source()
    path = f"/sources/{source.slug}/key-preview/"
    assert as_analyst.post(path).status_code == 403
    assert client.post(path).status_code == 302
    assert as_admin.get(path).status_code == 405
    assert as_admin.post("/sources/no-such/key-preview/").status_code == 404


def test_it_says_what_would_have_been_merged(as_admin: Client) -> None:
    source = make_source()
    send(source, *[item(id=f"A-{n}", rule="R1" if n < 5 else "R2", hostname="SRV-01") for n in range(7)])
    other = send(source, item(id="B", rule="R3"))[0]
    text = region(as_admin, source, "rule")
    assert "Would have folded 8 alerts into 3" in text and "5 as one: Service stopped" in text
    assert f"ALR-{other.id}" not in text
    assert "merged none of 8 alerts" in region(as_admin, source, "id")
    assert "merged none of 8 alerts" in region(as_admin, source, "no.such.path")  # then the rule of the kind counts
    source.refresh_from_db()
    assert source.key_fields == []


def test_it_says_what_would_have_been_split(as_admin: Client) -> None:
    source = make_source(key_fields=["rule"])
    send(source, item(id="A", rule="R1"))
    send(source, item(id="B", rule="R1"))
    assert "1 alert would have been split" in region(as_admin, source, "id")
    assert "have been split" not in region(as_admin, source, "rule")


def test_it_is_bounded_and_says_so(as_admin: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    source = make_source()
    send(source, *[item(id=f"A-{n}", rule="R") for n in range(9)])
    monkeypatch.setattr(key_preview, "SAMPLE", 4)
    monkeypatch.setattr(key_preview, "PART", 3)
    text = region(as_admin, source, "rule")
    assert "folded 4 alerts into 1" in text and "Only the newest 4 were looked at" in text


@pytest.mark.parametrize("body", ["", "null", "[1]", "nonsense", '{"a":' * 5000 + "1" + "}" * 5000])
def test_payloads_that_cannot_be_read_are_told(as_admin: Client, body: str) -> None:
    source = make_source()
    one = send(source, item())[0]
    AlertPayload.objects.filter(alert=one.id).update(body=body)
    assert "1 payloads could not be read" in region(as_admin, source, "rule")


def test_bad_fields_are_told(as_admin: Client) -> None:
    assert "At most 20" in region(as_admin, make_source(), *[f"f{n}" for n in range(30)])


def test_what_a_person_may_not_see_is_not_counted(blue: Team, admin: User) -> None:
    source = make_source(team=blue)
    send(source, item(id="A", rule="R"), item(id="B", rule="R"))
    Alert.objects.filter(source=source).update(restricted=True)
    assert key_preview.preview_key(admin, source, ["rule"]).read == 0


def test_the_key_is_shown_on_the_alert(as_analyst: Client) -> None:
    one = send(make_source(), item(id="KEY-OF-THIS"))[0]
    assert "KEY-OF-THIS" in as_analyst.get(f"/alerts/ALR-{one.id}/").content.decode()


@pytest.mark.parametrize(
    ("rule", "determination", "age", "outcome"),
    [
        ("reopen", "benign", 0, "reopened"),
        ("new", "benign", 0, "new"),
        ("count", "malicious", 99, "counted"),
        ("auto", "benign", 0, "counted"),
        ("auto", "benign", 25, "reopened"),
        ("auto", "malicious", 0, "reopened"),
    ],
)
def test_a_repeat_of_a_resolved_alert(rule: str, determination: str, age: int, outcome: str) -> None:
    source = make_source(repeat_rule=rule)
    first = send(source, item())[0]
    alerts.resolve(SYSTEM, first.id or 0, determination=determination)
    Alert.objects.filter(pk=first.id or 0).update(resolved_at=timezone.now() - timedelta(hours=age))
    rung = doorbells()
    again = send(source, item())[0]
    old = Alert.objects.get(pk=first.id or 0)
    assert again.created == (outcome == "new") and (again.id == first.id) == (outcome != "new")
    assert (old.status == AlertStatus.NEW) == (outcome == "reopened")
    assert doorbells() - rung == (outcome != "counted")
    assert old.count == (1 if outcome == "new" else 2)


@pytest.mark.parametrize(
    ("fields", "status", "determination"),
    [
        ({"status": "closed", "verdict": "false positive"}, AlertStatus.RESOLVED, 1),
        ({"status": "closed", "verdict": "true positive"}, AlertStatus.RESOLVED, 3),
        ({"status": "closed"}, AlertStatus.NEW, 0),
        ({"status": "closed", "verdict": "who knows"}, AlertStatus.NEW, 0),
        ({"status": "open", "verdict": "false positive"}, AlertStatus.NEW, 0),
    ],
)
def test_arriving_closed_it_is_resolved_only_with_a_verdict(
    fields: dict[str, Any], status: AlertStatus, determination: int
) -> None:
    alert = Alert.objects.get(pk=send(make_source(), item(**fields))[0].id or 0)
    assert (alert.status, alert.determination, alert.source_state) == (status, determination, fields["status"])
    assert doorbells() == (status == AlertStatus.NEW)
