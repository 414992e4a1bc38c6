"""`manage.py worker` as a process: it works, stops at once, and what dies with a task does not stop the others."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection

from soar.lib import heartbeat, readers
from soar.lib.database import own_connection
from soar.lib.queue import enqueue
from soar.lib.readers import Reader, readers_of
from soar.models import QueuedTask
from tests.portal import ROOT

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def worker(transactional_db: None) -> Iterator[subprocess.Popen[bytes]]:
    """A worker on the test's database whose tasks are taken over after two seconds."""
    address = connection.get_connection_params()
    url = f"postgresql:///{address['dbname']}?" + "&".join(
        f"{name}={address[name]}" for name in ("host", "user", "port", "password") if address.get(name)
    )
    environment = {**os.environ, "DATABASE_URL": url, "SOAR_LEASE_SECONDS": "1", "SOAR_TASK_WORKERS": "2"}
    process = subprocess.Popen(
        [sys.executable, ROOT / "manage.py", "worker"], env=environment, cwd=ROOT, start_new_session=True
    )
    wait(lambda: heartbeat.alive("worker"))
    yield process
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def wait(until: Callable[[], bool], timeout: float = 60) -> None:
    deadline = time.monotonic() + timeout
    while not until():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def runs(name: str) -> int:
    return int(cache.get(name) or 0)


def test_it_runs_what_is_queued_and_stops_cleanly_on_two_quick_signals(worker: subprocess.Popen[bytes]) -> None:
    enqueue("tests.tasks.mark", "worked")
    wait(lambda: runs("worked") == 1)
    worker.send_signal(signal.SIGTERM)
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(30) == 0
    assert not heartbeat.alive("worker")


def test_a_task_that_kills_its_process_is_tried_again_and_others_go_on(worker: subprocess.Popen[bytes]) -> None:
    enqueue("tests.tasks.die", "deadly")
    enqueue("tests.tasks.mark", "other")
    wait(lambda: runs("other") == 1)
    wait(lambda: runs("deadly") >= 2)
    assert QueuedTask.objects.get().starts >= 2


def test_a_long_task_is_not_given_to_a_second_process(worker: subprocess.Popen[bytes]) -> None:
    """It takes three times as long as its lock, which its own process renews."""
    enqueue("tests.tasks.linger", "long", 60)
    wait(lambda: runs("long") == 1)
    wait(lambda: not QueuedTask.objects.exists())
    assert runs("long") == 1


def test_it_goes_on_after_the_database_was_restarted(worker: subprocess.Popen[bytes]) -> None:
    enqueue("tests.tasks.mark", "before")
    wait(lambda: runs("before") == 1)
    with own_connection() as other:
        other.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    connection.close()
    enqueue("tests.tasks.mark", "after")
    wait(lambda: runs("after") == 1)
    assert worker.poll() is None


@pytest.fixture
def no_readers_known() -> Iterator[None]:
    """Readers are imported once; here they are looked up anew, and again afterwards."""

    def forget() -> None:
        readers._wanting.cache_clear()
        readers._readers.cache_clear()

    forget()
    yield
    forget()


def test_a_reader_gets_only_the_kinds_it_names(
    no_readers_known: None, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    reader = Reader("t", frozenset({"alert.opened"}), "tests.tasks.mark")
    monkeypatch.setattr("tests.tasks.only_alerts", reader, raising=False)
    settings.TIMELINE_CONSUMERS = ["tests.tasks.only_alerts"]
    assert readers_of("alert.opened") == [reader]
    assert readers_of("comment.added") == []
