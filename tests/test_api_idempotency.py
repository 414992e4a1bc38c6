"""``Idempotency-Key``: the same call again gives the same answer and does nothing."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from cases import idempotency
from cases.errors import Conflict, Refused
from cases.models import Alert, IdempotencyKey, Incident, TimelineEntry
from soar.accounts.models import User
from tests.api import Api, problem_of
from tests.factories import make_alert

KEY = {"Idempotency-Key": "3f1c"}


def test_the_same_call_makes_one_alert_and_gives_one_answer(analyst: User) -> None:
    api = Api(analyst)
    first = api.post("/alerts/", {"title": "Once"}, KEY)
    second = api.post("/alerts/", {"title": "Once"}, KEY)
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json() == second.json()
    assert first["ETag"] == second["ETag"]
    assert Alert.objects.count() == 1


def test_another_body_address_or_condition_under_the_key_is_409(analyst: User) -> None:
    api = Api(analyst)
    api.post("/alerts/", {"title": "Once"}, KEY)
    assert problem_of(api.post("/alerts/", {"title": "Twice"}, KEY), 409)["code"] == "idempotency_key_reused"
    alert = Alert.objects.get()
    problem_of(api.post(f"/alerts/{alert.pk}/claim/", {"title": "Once"}, KEY), 400)
    problem_of(api.post(f"/alerts/{alert.pk}/claim/", None, KEY), 409)
    assert Alert.objects.get().owner is None


def test_each_token_has_keys_of_its_own(analyst: User) -> None:
    for _ in range(2):
        assert Api(analyst).post("/alerts/", {"title": "Once"}, KEY).status_code == 201
    assert Alert.objects.count() == 2


def test_a_verb_with_a_key_is_done_once(analyst: User) -> None:
    alert, api = make_alert(), Api(analyst)
    answers = [api.post(f"/alerts/{alert.pk}/comment/", {"text": "Hello"}, KEY) for _ in range(3)]
    assert {answer.status_code for answer in answers} == {201}
    assert answers[0].json() == answers[1].json() == answers[2].json()
    assert TimelineEntry.objects.filter(kind="comment").count() == 1
    escalated = [api.post(f"/alerts/{alert.pk}/escalate/", {}, {"Idempotency-Key": "e"}) for _ in range(2)]
    assert [answer.status_code for answer in escalated] == [201, 201]
    assert Incident.objects.count() == 1


def test_a_refused_call_may_be_repeated(analyst: User) -> None:
    alert, api = make_alert(), Api(analyst)
    problem_of(api.post(f"/alerts/{alert.pk}/unlink/", None, KEY), 400)
    assert not IdempotencyKey.objects.exists()
    api.post(f"/alerts/{alert.pk}/escalate/", {})
    assert api.post(f"/alerts/{alert.pk}/unlink/", None, KEY).status_code == 200


def test_after_a_day_the_key_is_free(analyst: User) -> None:
    api = Api(analyst)
    api.post("/alerts/", {"title": "Once"}, KEY)
    IdempotencyKey.objects.update(created_at=timezone.now() - timedelta(hours=25))
    assert api.post("/alerts/", {"title": "Another"}, KEY).status_code == 201
    assert Alert.objects.count() == 2
    IdempotencyKey.objects.update(created_at=timezone.now() - timedelta(hours=25))
    idempotency.purge()
    assert not IdempotencyKey.objects.exists()


@pytest.mark.parametrize("key", ["", "x" * 256, "tab\tkey", "ключ"])
def test_a_malformed_key_is_refused(analyst: User, key: str) -> None:
    problem_of(Api(analyst).post("/alerts/", {"title": "Once"}, {"Idempotency-Key": key}), 400)
    assert not Alert.objects.exists()


def test_an_error_leaves_neither_key_nor_effect(db: None) -> None:
    def run() -> tuple[int, Any]:
        make_alert()
        raise Refused("No.")

    with pytest.raises(Refused):
        idempotency.idempotent("user:1", "k", b"body", run)
    assert not Alert.objects.exists()
    assert not IdempotencyKey.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_of_calls_at_the_same_time_one_does_it_and_the_others_wait_for_its_answer() -> None:
    began, go_on, answers, done = threading.Event(), threading.Event(), [], []

    def run() -> tuple[int, Any]:
        done.append(1)
        began.set()
        assert go_on.wait(10)
        return 201, {"n": len(done)}

    def call() -> None:
        try:
            answers.append(idempotency.idempotent("user:1", "k", b"body", run))
        finally:
            connection.close()

    first = threading.Thread(target=call)
    first.start()
    assert began.wait(10)
    others = [threading.Thread(target=call) for _ in range(3)]
    for other in others:
        other.start()
    go_on.set()
    for thread in (first, *others):
        thread.join(20)
    assert answers == [(201, {"n": 1})] * 4
    assert len(done) == 1


@pytest.mark.django_db(transaction=True)
def test_waiting_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(idempotency, "WAIT", "50ms")
    began, go_on = threading.Event(), threading.Event()

    def run() -> tuple[int, Any]:
        began.set()
        assert go_on.wait(10)
        return 200, {}

    def call() -> None:
        try:
            idempotency.idempotent("user:1", "k", b"body", run)
        finally:
            connection.close()

    thread = threading.Thread(target=call)
    thread.start()
    assert began.wait(10)
    try:
        with pytest.raises(Conflict) as refused:
            idempotency.idempotent("user:1", "k", b"body", lambda: (200, {}))
        assert refused.value.extra["retry_after"] == 1
    finally:
        go_on.set()
        thread.join(20)
