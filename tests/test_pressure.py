"""Back-pressure: with the queue far behind, ingest refuses before it stores anything (operations.md 8)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from cases.models import Alert
from soar.lib import pressure
from tests.factories import make_source
from tests.test_ingest import ALERT, Sender, sender

__all__ = ["sender"]

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def fresh(settings: Any) -> Iterator[None]:
    settings.QUEUE_AT_MOST = 10
    pressure.queue.forget()
    yield
    settings.QUEUE_AT_MOST = 0


def fill(number: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO soar_queue (task) SELECT 'tests.tasks.nothing' FROM generate_series(1, %s)", [number]
        )
    pressure.queue.forget()


def test_a_full_queue_refuses_until_it_is_worked_off(sender: Sender) -> None:
    fill(10)
    answer = sender.post(ALERT)
    assert (answer.status_code, answer["Retry-After"]) == (503, "10")
    assert answer["Content-Type"].startswith("application/problem+json")
    assert not Alert.objects.exists()
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM soar_queue")
    pressure.queue.forget()
    assert sender.post(ALERT).status_code == 201
    assert Alert.objects.count() == 1


def test_below_the_limit_everything_is_accepted(sender: Sender) -> None:
    fill(9)
    assert sender.post(ALERT).status_code == 201


def test_tasks_that_were_given_up_do_not_count(sender: Sender) -> None:
    fill(10)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE soar_queue SET failed_at = now()")
    assert sender.post(ALERT).status_code == 201


def test_zero_is_no_limit(sender: Sender, settings: Any) -> None:
    settings.QUEUE_AT_MOST = 0
    fill(50)
    assert sender.post(ALERT).status_code == 201


def test_strangers_are_not_told(client: Client) -> None:
    fill(10)
    source = make_source("EDR")
    assert client.post(f"/api/v1/ingest/{source.slug}/", ALERT, "application/json").status_code == 401
