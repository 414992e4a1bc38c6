"""Messages that are posted: stored whole with their alert, and evidence of the incident that it comes into."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from cases.actions import evidence, incidents, links
from cases.actions.messages import adopt, adopt_linked
from cases.actors import Actor
from cases.evidence_store import path_of
from cases.models import Alert, AlertMessage, AlertSource, DeadLetter, Evidence, TimelineEntry
from cases.purge import purge
from soar.models import QueuedTask
from tests.factories import make_source
from tests.mails import FILE, HOST, phish, plain, reported
from tests.test_ingest import token_of

pytestmark = pytest.mark.django_db
RAW = reported(phish())


@pytest.fixture
def source(db: None) -> AlertSource:
    return make_source("Reported mail", kind="email")


@pytest.fixture
def post(source: AlertSource) -> Callable[..., Any]:
    token, client = token_of(source), Client(enforce_csrf_checks=True)

    def send(body: bytes | str, kind: str = "message/rfc822") -> Any:
        headers = {"Authorization": f"Bearer {token}"}
        return client.post(f"/api/v1/ingest/{source.slug}/", body, content_type=kind, headers=headers)

    return send


@pytest.mark.parametrize(
    "kind", ["message/rfc822", "message/rfc822; charset=us-ascii", "application/octet-stream", "text/plain"]
)
def test_a_message_as_it_is(post: Callable[..., Any], kind: str) -> None:
    answer = post(RAW, kind)
    assert answer.status_code == 201, answer.content
    alert = Alert.objects.get(pk=answer.json()["id"])
    assert alert.title == "Reported message: Your account is limité"
    (message,) = alert.messages.all()
    assert bytes(message.content) == RAW
    assert (message.size, message.sha256) == (len(RAW), hashlib.sha256(RAW).hexdigest())
    assert json.loads(alert.payload.body)["message_id"] == f"<1@{HOST}>"


@pytest.mark.parametrize("body", [{"raw": RAW.decode()}, {"raw_base64": base64.b64encode(RAW).decode()}])
def test_a_message_within_json(post: Callable[..., Any], body: dict[str, str]) -> None:
    assert post(json.dumps(body), "application/json").status_code == 201
    assert bytes(AlertMessage.objects.get().content) == RAW


def test_several_in_one_list(post: Callable[..., Any]) -> None:
    body = [{"raw": RAW.decode()}, {"raw": "no message"}, {"raw": reported(phish(2)).decode()}, {"raw": RAW.decode()}]
    answer = post(json.dumps(body), "application/json")
    assert [one["status"] for one in answer.json()["results"]] == [201, 400, 201, 200]
    assert AlertMessage.objects.count() == 2
    assert DeadLetter.objects.get().error.startswith("This is no mail message")


def test_the_same_reported_by_others_is_a_repeat_with_a_message_of_its_own(post: Callable[..., Any]) -> None:
    other = reported(phish(), by="B. Lind <b.lind@corp.example.org>")
    first, second, again = post(RAW), post(other), post(RAW)
    assert [one.status_code for one in (first, second, again)] == [201, 200, 200]
    alert = Alert.objects.get()
    assert alert.count == 3
    assert [bytes(one.content) for one in alert.messages.all()] == [RAW, other]
    assert alert.observable_links.filter(observable__value="b.lind@corp.example.org", role="reporter").exists()


def test_what_is_no_message_waits_in_the_dead_letters(post: Callable[..., Any]) -> None:
    answer = post(b"\x00\xffnothing of the kind")
    assert answer.status_code == 400
    assert "no mail message" in answer.json()["detail"]
    assert bytes(DeadLetter.objects.get().body) == b"\x00\xffnothing of the kind"
    assert not Alert.objects.exists()


def test_other_kinds_take_no_messages(db: None) -> None:
    other = make_source("Other", kind="generic")
    headers = {"Authorization": f"Bearer {token_of(other)}"}
    answer = Client().post(f"/api/v1/ingest/{other.slug}/", RAW, content_type="message/rfc822", headers=headers)
    assert answer.status_code == 400


def test_a_message_full_of_text_that_grows_is_told_in_part_and_kept_whole(post: Callable[..., Any]) -> None:
    raw = plain("\x01" * 400_000)
    assert post(raw).status_code == 201
    alert = Alert.objects.get()
    assert len(alert.payload.body) < 1024 * 1024
    assert "not all of the message is told here; it is kept whole" in alert.repairs
    assert bytes(alert.messages.get().content) == raw


def linked(post: Callable[..., Any], raw: bytes = RAW) -> Alert:
    """An alert made of a message, in an incident."""
    alert = Alert.objects.get(pk=post(raw).json()["id"])
    incidents.open_incident(Actor.system(), title="Phish", alerts=[alert.pk])
    alert.refresh_from_db()
    return alert


def test_linking_makes_message_and_files_evidence(post: Callable[..., Any]) -> None:
    alert = linked(post)
    task = QueuedTask.objects.get(task="cases.actions.messages.adopt_linked")
    adopt_linked(*task.args)
    message, original, file = Evidence.objects.order_by("pk")
    assert message.name == f"{alert.number}-{message.sha256[:8]}.eml"
    assert (message.content_type, message.sha256) == ("message/rfc822", hashlib.sha256(RAW).hexdigest())
    assert path_of(message.sha256).read_bytes() == RAW
    assert path_of(original.sha256).read_bytes().startswith(b"Return-Path:")
    assert (file.name, path_of(file.sha256).read_bytes()) == ("Rechnung März.iso", FILE)
    assert alert.number in message.description
    assert message.sha256 in file.description
    assert message.added_by_name == "Reported mail"
    assert TimelineEntry.objects.filter(incident=alert.incident, kind="evidence.added").count() == 3


def test_adopting_again_changes_nothing_and_what_was_removed_stays_away(post: Callable[..., Any]) -> None:
    alert = linked(post)
    assert (adopt(alert.pk), adopt(alert.pk)) == (3, 0)
    piece = Evidence.objects.order_by("pk")[2]
    evidence.remove(Actor.system(), piece.pk, reason="Personal")
    assert adopt(alert.pk) == 0


def test_a_report_that_comes_later_is_added(post: Callable[..., Any]) -> None:
    alert = linked(post)
    adopt(alert.pk)
    post(reported(phish(), by="B. Lind <b.lind@corp.example.org>"))
    task = QueuedTask.objects.get(task="cases.actions.messages.adopt")
    adopt(*task.args)
    assert Evidence.objects.count() == 4  # one message more; the original and its file are the same bytes


def test_nothing_is_added_to_an_ended_incident_or_without_one(post: Callable[..., Any]) -> None:
    alert = linked(post)
    assert alert.incident is not None
    incidents.set_status(Actor.system(), alert.incident.pk, "closed", determination="benign", findings="false_positive")
    assert adopt(alert.pk) == 0
    lone = Alert.objects.get(pk=post(reported(phish(5))).json()["id"])
    assert adopt(lone.pk) == 0
    assert not Evidence.objects.exists()


def test_a_purge_takes_the_message_along(post: Callable[..., Any]) -> None:
    alert = linked(post)
    links.unlink(Actor.system(), [alert.pk])
    purge(None, alerts=[alert.pk], reason="test")
    assert not AlertMessage.objects.exists()
