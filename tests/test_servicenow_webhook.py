"""``POST /api/v1/servicenow/<slug>/events/``: it hurries the poll for who has the secret, and tells others nothing."""

from __future__ import annotations

import hashlib
import hmac
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import override_settings
from django.utils import timezone

from cases.api import servicenow_events
from cases.models import ServiceNowInstance
from soar.connectors.models import ConnectorAccount
from soar.lib.shared_rate import SharedRateLimiter
from soar.models import QueuedTask

SECRET = "a-secret-of-forty-characters-or-so-1234567"
KEY = {"X-Soar-Secret": SECRET}
POLL = "cases.tasks.servicenow_poll"
Headers = dict[str, str]
SIGNS = ("X-Webhook-Signature", "X-Hub-Signature-256")


@pytest.fixture
def instance(db: None) -> ServiceNowInstance:
    """An instance that is next polled in an hour."""
    account = ConnectorAccount.objects.create(kind="servicenow", name="Example", settings={"url": "https://sn.example"})
    due = timezone.now() + timedelta(hours=1)
    return ServiceNowInstance.objects.create(account=account, slug="example", webhook_secret=SECRET, due_at=due)


@pytest.fixture(autouse=True)
def fresh_limiter(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What other tests have called does not count here."""
    limiter = SharedRateLimiter(lambda: tmp_path / "rates", lambda: settings.EVENTS_RATE)
    monkeypatch.setattr(servicenow_events, "_limiter", limiter)


def call(slug: str = "example", headers: Headers | None = None, body: bytes = b"{}", method: str = "POST") -> Any:
    path = f"/api/v1/servicenow/{slug}/events/"
    return Client().generic(method, path, body, "application/json", headers=headers)


def polls() -> int:
    return QueuedTask.objects.filter(task=POLL).count()


def signed(body: bytes, secret: str = SECRET) -> str:
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def unheard(instance: ServiceNowInstance) -> bool:
    """Nothing came of it."""
    instance.refresh_from_db()
    return polls() == 0 and instance.heard_at is None and instance.due_at > timezone.now()


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-Soar-Secret": ""},
        {"X-Soar-Secret": SECRET[:-1]},
        {"X-Soar-Secret": SECRET + " "},
        {"Authorization": f"Basic {SECRET}"},
        {"Authorization": "Bearer"},
        {"Authorization": "Bearer sécret"},
        {"X-Webhook-Signature": "sha256="},
        {"X-Webhook-Signature": signed(b"{}", "another")},
        {"X-Webhook-Signature": signed(b"another body")},
        {"X-Soar-Secret": "there-is-no-such-instance"},
    ],
)
def test_without_the_secret_nothing_happens(instance: ServiceNowInstance, headers: Headers) -> None:
    answer = call(headers=headers)
    assert answer.status_code == 401
    assert answer["Content-Type"] == "application/problem+json"
    assert "Bearer" in answer["WWW-Authenticate"]
    assert unheard(instance)


def test_nobody_learns_whether_there_is_such_an_instance(instance: ServiceNowInstance) -> None:
    for headers in ({}, {"X-Soar-Secret": "wrong"}, {"X-Soar-Secret": "there-is-no-such-instance"}):
        there, gone = call(headers=headers), call("nowhere", headers)
        assert (there.status_code, gone.status_code) == (401, 401)
        assert there.content == gone.content
        assert [there[name] for name in ("WWW-Authenticate", "Content-Type")] == [
            gone[name] for name in ("WWW-Authenticate", "Content-Type")
        ]


def test_an_instance_without_a_secret_takes_none(instance: ServiceNowInstance) -> None:
    ServiceNowInstance.objects.filter(pk=instance.pk).update(webhook_secret="")
    for secret in ("", "there-is-no-such-instance"):
        assert call(headers={"X-Soar-Secret": secret}).status_code == 401
        assert call(headers={"X-Webhook-Signature": signed(b"{}", secret)}).status_code == 401
    assert unheard(instance)


def test_a_secret_that_cannot_be_read_any_more_is_nobodys(instance: ServiceNowInstance) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE cases_servicenowinstance SET webhook_secret = 'soar1:nonsense' WHERE id = %s", [instance.pk]
        )
    assert call(headers=KEY).status_code == 401


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Soar-Secret": SECRET},
        {"Authorization": f"Bearer {SECRET}"},
        *({name: signed(b'{"sys_id": "x"}')} for name in SIGNS),
    ],
)
def test_the_secret_hurries_the_poll(instance: ServiceNowInstance, headers: Headers) -> None:
    answer = call(headers=headers, body=b'{"sys_id": "x"}')
    assert (answer.status_code, answer.json()) == (202, {"queued": True})
    instance.refresh_from_db()
    assert instance.heard_at is not None
    assert instance.due_at <= timezone.now()
    assert list(QueuedTask.objects.values_list("task", "args")) == [(POLL, [instance.pk])]


def test_however_many_events_come_one_poll_waits(instance: ServiceNowInstance) -> None:
    answers = [call(headers=KEY).json()["queued"] for _ in range(5)]
    assert answers == [True, False, False, False, False]
    assert polls() == 1


def test_a_poll_that_is_under_way_may_have_read_before_the_change(instance: ServiceNowInstance) -> None:
    call(headers=KEY)
    QueuedTask.objects.filter(task=POLL).update(started_at=timezone.now())
    assert call(headers=KEY).json() == {"queued": True}
    assert call(headers=KEY).json() == {"queued": False}
    assert polls() == 2


def test_events_of_an_instance_that_is_paused_are_heard_and_wait(instance: ServiceNowInstance) -> None:
    ServiceNowInstance.objects.filter(pk=instance.pk).update(in_paused=True)
    answer = call(headers=KEY)
    assert (answer.status_code, answer.json()) == (202, {"queued": False})
    assert polls() == 0


@pytest.mark.parametrize("body", [b"", b"not json", b"\x00\xff", json.dumps({"sys_id": ["'; DROP TABLE"]}).encode()])
def test_nothing_of_the_body_is_believed(instance: ServiceNowInstance, body: bytes) -> None:
    assert call(headers=KEY, body=body).status_code == 202


def test_a_large_body_is_refused_before_anything_else(instance: ServiceNowInstance) -> None:
    for slug in ("example", "nowhere"):
        assert call(slug, KEY, b"x" * (64 * 1024 + 1)).status_code == 413
    assert unheard(instance)


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_events_are_posted(instance: ServiceNowInstance, method: str) -> None:
    answer = call(headers=KEY, method=method)
    assert (answer.status_code, answer["Allow"]) == (405, "POST")
    assert unheard(instance)


def test_an_address_that_calls_too_often_waits(instance: ServiceNowInstance) -> None:
    with override_settings(EVENTS_RATE=2):
        answers = [call(headers={"X-Soar-Secret": "guess"}) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [401, 401, 429]
    assert int(answers[-1]["Retry-After"]) >= 1


def test_without_the_last_slash_nothing_is_lost(instance: ServiceNowInstance) -> None:
    answer = Client().post(
        "/api/v1/servicenow/example/events", b"{}", "application/json", headers={"X-Soar-Secret": SECRET}
    )
    assert answer.status_code == 202
