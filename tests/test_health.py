"""/healthz and /readyz: for programs, without a login, in words that give nothing away."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client

from soar.lib import clock, heartbeat


def test_health_needs_neither_login_nor_database(client: Client) -> None:
    answer = client.get("/healthz")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


@pytest.mark.django_db
def test_ready_with_a_living_worker(client: Client) -> None:
    heartbeat.beat("worker")
    heartbeat.beat("scheduler")
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


@pytest.mark.django_db
def test_without_a_scheduler_it_works_on_and_says_so(client: Client) -> None:
    heartbeat.beat("worker")
    answer = client.get("/readyz")
    assert answer.status_code == 200
    assert answer.json() == {"status": "ok", "warnings": ["No scheduler has given a sign of life."]}


@pytest.mark.django_db
@pytest.mark.parametrize("seconds", [-60, 60])
def test_a_clock_that_is_wrong_is_said(client: Client, seconds: int) -> None:
    heartbeat.beat("worker")
    heartbeat.beat("scheduler")
    with clock.at(clock.now() + timedelta(seconds=seconds)):
        answer = client.get("/readyz")
    assert answer.status_code == 200
    assert answer.json()["warnings"] == ["The clocks of this host and of the database differ."]


@pytest.mark.django_db
def test_not_ready_without_a_worker(client: Client) -> None:
    heartbeat.beat("scheduler")
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json() == {"status": "not ready", "reasons": ["No worker has given a sign of life."]}


@pytest.mark.django_db
def test_not_ready_when_the_worker_has_been_silent(client: Client) -> None:
    heartbeat.beat("worker")
    with connection.cursor() as cursor:
        cursor.execute("UPDATE soar_heartbeat SET at = now() - interval '20 seconds'")
    assert client.get("/readyz").status_code == 503


@pytest.mark.django_db
def test_a_worker_that_left_is_not_counted(client: Client) -> None:
    heartbeat.beat("worker")
    heartbeat.leave("worker")
    assert client.get("/readyz").status_code == 503


@pytest.mark.django_db
def test_not_ready_before_the_migrations(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("soar.health._migrated", set())
    heartbeat.beat("worker")
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'soar'")
    assert client.get("/readyz").json()["reasons"] == ["Migrations are not applied."]


def test_only_reading(client: Client) -> None:
    assert client.post("/healthz").status_code == 405


def test_the_callers_request_id_comes_back(client: Client) -> None:
    assert client.get("/healthz", headers={"X-Request-ID": "abc-1"})["X-Request-ID"] == "abc-1"


def test_a_request_id_that_could_forge_a_log_line_is_replaced(client: Client) -> None:
    given = client.get("/healthz", headers={"X-Request-ID": "abc\tERROR all is lost"})["X-Request-ID"]
    assert given.isalnum()
    assert len(given) == 16
