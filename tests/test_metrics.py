"""`/metrics`: for those with the token, the same from every process, and cheap."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from prometheus_client.parser import text_string_to_metric_families

from cases.models import AlertSource
from soar.lib import heartbeat, queue
from soar.lib.figures import FIGURES
from tests.factories import make_source

pytestmark = pytest.mark.django_db
TOKEN = "a-token-for-metrics"


@pytest.fixture(autouse=True)
def token(settings: Any) -> None:
    settings.METRICS_TOKEN = TOKEN


def scraped(client: Client) -> dict[tuple[str, ...], float]:
    answer = client.get("/metrics", headers={"authorization": f"Bearer {TOKEN}"})
    assert answer.status_code == 200
    return {
        (one.name, *one.labels.values()): one.value
        for family in text_string_to_metric_families(answer.content.decode())
        for one in family.samples
    }


def test_without_a_token_set_there_is_no_such_page(client: Client, settings: Any) -> None:
    settings.METRICS_TOKEN = ""
    assert client.get("/metrics", headers={"authorization": "Bearer "}).status_code == 404


@pytest.mark.parametrize("given", ["", "Bearer", "Bearer wrong", f"Basic {TOKEN}", "Bearer ü"])
def test_another_token_is_refused(client: Client, given: str) -> None:
    answer = client.get("/metrics", headers={"authorization": given} if given else {})
    assert answer.status_code == 401
    assert b"soar_" not in answer.content


def test_an_empty_portal_has_figures(client: Client) -> None:
    found = scraped(client)
    assert found["soar_queue_tasks",] == 0
    assert found["soar_database_bytes",] > 1_000_000


def test_what_is_told_is_what_is_there(client: Client) -> None:
    source = make_source("EDR")
    AlertSource.objects.filter(pk=source.pk).update(accepted=5, repeats=2, refused=3)
    heartbeat.beat("worker")
    queue.enqueue("tests.tasks.nothing")
    with connection.cursor() as cursor:
        cursor.execute("UPDATE soar_queue SET created_at = now() - interval '60 seconds'")
        cursor.execute("INSERT INTO soar_queue (task, failed_at) VALUES ('x', now())")
    found = scraped(client)
    assert found["soar_alerts_accepted_total", "generic"] == 7
    assert found["soar_alerts_refused_total", "generic"] == 3
    assert found["soar_queue_tasks",] == 1
    assert found["soar_queue_failed_tasks",] == 1
    assert found["soar_queue_oldest_seconds",] >= 60
    assert found["soar_processes", "worker"] == 1


def test_a_silent_worker_is_not_alive(client: Client) -> None:
    heartbeat.beat("worker")
    with connection.cursor() as cursor:
        cursor.execute("UPDATE soar_heartbeat SET at = now() - interval '20 seconds'")
    assert scraped(client)["soar_processes", "worker"] == 0


def test_a_scrape_is_one_query_a_figure(client: Client) -> None:
    with CaptureQueriesContext(connection) as queries:
        scraped(client)
    assert len(queries) == len(FIGURES)
