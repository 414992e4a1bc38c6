"""`/metrics`: for those with the token, the same from every process, and cheap."""

from __future__ import annotations

import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from prometheus_client.parser import text_string_to_metric_families

from cases.models import AlertSource
from soar.lib import clock, heartbeat, queue
from soar.lib.figures import FIGURES
from soar.lib.request_times import BUCKETS, SLOTS, RequestTimes, Times
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


@pytest.mark.parametrize("seconds", [-60, 60])
def test_a_clock_that_is_off_is_told_by_how_much(client: Client, seconds: int) -> None:
    heartbeat.beat("worker")
    assert scraped(client)["soar_clock_off_seconds",] == 0
    with clock.at(clock.now() + timedelta(seconds=seconds)):
        heartbeat.beat("scheduler")
    assert scraped(client)["soar_clock_off_seconds",] > 30


def test_what_has_gone_is_nought_and_not_left_out(client: Client) -> None:
    """An alarm on a figure that is not there never rings."""
    heartbeat.beat("worker")
    heartbeat.leave("worker")
    found = scraped(client)
    assert (found["soar_processes", "worker"], found["soar_processes", "scheduler"]) == (0, 0)
    assert found["soar_runs_open", "pending_approval"] == 0


def test_a_scrape_is_one_query_a_figure(client: Client) -> None:
    with CaptureQueriesContext(connection) as queries:
        scraped(client)
    assert len(queries) == len(FIGURES)


# --- how long requests take


def measured(client: Client) -> dict[tuple[str, str], Times]:
    """The histogram as it is scraped, by route and class; every line of it is checked."""
    answer = client.get("/metrics", headers={"authorization": f"Bearer {TOKEN}"})
    [family] = [
        one
        for one in text_string_to_metric_families(answer.content.decode())
        if one.name == "soar_http_requests_seconds"
    ]
    assert family.type == "histogram"
    found: dict[tuple[str, str], Times] = {}
    for key in {(one.labels["route"], one.labels["status"]) for one in family.samples}:
        own = [one for one in family.samples if (one.labels["route"], one.labels["status"]) == key]
        buckets = [int(one.value) for one in own if one.name.endswith("_bucket")]
        assert buckets == sorted(buckets) and len(buckets) == len(BUCKETS) + 1
        [count] = [one.value for one in own if one.name.endswith("_count")]
        [seconds] = [one.value for one in own if one.name.endswith("_sum")]
        assert count == buckets[-1]
        found[key] = Times(*key, tuple(buckets), seconds)
    return found


def test_requests_are_counted_by_route_and_class_without_ids(client: Client) -> None:
    before = measured(client)
    for _ in range(3):
        client.get("/healthz")
    client.get("/alerts/4711/")  # a stranger is sent to the login page
    client.post("/api/v1/ingest/no-such-source/", "{}", "application/json")
    client.get("/no/such/page/4711/")
    after = measured(client)

    def more(route: str, status: str) -> int:
        was = before.get((route, status))
        return after[route, status].counts[-1] - (was.counts[-1] if was else 0)

    assert more("healthz", "2xx") == 3
    assert more("alert-detail", "3xx") == 1
    assert more("ingest", "4xx") == 1
    assert more("metrics", "2xx") == 1  # the scrape before
    assert after["healthz", "2xx"].seconds > 0
    assert not [route for route, _ in after if "4711" in route]


def test_processes_count_in_one_place_and_a_killed_one_holds_nobody_up(tmp_path: Path) -> None:
    program = (
        "import os, sys, pathlib; from soar.lib.request_times import RequestTimes;"
        "times = RequestTimes(lambda: pathlib.Path(sys.argv[1]));"
        "[times.add('page', '2xx', 0.02) for _ in range(500)];"
        "times._file.locked().__enter__(); os.kill(os.getpid(), 9)"  # with the lock in its hands
    )
    workers = [subprocess.Popen([sys.executable, "-c", program, tmp_path / "times"]) for _ in range(3)]
    assert [worker.wait() for worker in workers] == [-9, -9, -9]
    own = RequestTimes(lambda: tmp_path / "times")
    own.add("page", "2xx", 0.02)
    own.add("page", "5xx", 60)
    found = {(one.route, one.status): one for one in own.all()}
    assert found["page", "2xx"].counts[2] == 1501
    assert found["page", "2xx"].seconds == pytest.approx(1501 * 0.02)
    assert found["page", "5xx"].counts[-1] == 1


def test_more_routes_than_there_is_room_for_are_left_out(tmp_path: Path) -> None:
    times = RequestTimes(lambda: tmp_path / "times")
    for number in range(SLOTS + 1):
        times.add(f"route-{number}", "2xx", 0.1)
    assert len(times.all()) == SLOTS


def test_without_room_for_the_file_requests_are_answered(client: Client, settings: Any, tmp_path: Path) -> None:
    from soar import metrics, middleware

    (tmp_path / "rates").write_text("a file where the folder belongs")
    settings.DATA_DIR = tmp_path
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(middleware, "request_times", RequestTimes(lambda: tmp_path / "rates" / "times"))
        assert client.get("/healthz").status_code == 200
        patch.setattr(metrics, "request_times", middleware.request_times)
        assert scraped(client)["soar_queue_tasks",] == 0
