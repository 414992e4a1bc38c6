"""A disk that is full: what cannot be kept is refused in words, and no task is given up for it (operations.md 8).

tests/chaos/test_full_disk.py shows the same on a disk that is really full."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client

from cases.models import Alert
from soar.lib import heartbeat, room
from soar.lib.broker import Broker
from soar.lib.queue import enqueue
from soar.lib.shared_rate import SharedRateLimiter
from soar.models import QueuedTask
from tests.factories import make_source
from tests.test_ingest import token_of
from tests.test_queue import at_once, work

pytestmark = pytest.mark.django_db(transaction=True)
FULL = """
CREATE FUNCTION soar_full() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = 'disk_full'; END $$;
CREATE TRIGGER soar_full BEFORE INSERT ON cases_timelineentry FOR EACH STATEMENT EXECUTE FUNCTION soar_full()"""
ROOM = "DROP FUNCTION IF EXISTS soar_full() CASCADE"


@pytest.fixture
def full() -> Iterator[None]:
    """The database says of each entry of a timeline what it says without room."""
    _execute(FULL)
    yield
    _execute(ROOM)
    room.forget()


def _execute(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


def _post(client: Client, token: str, slug: str) -> tuple[int, dict[str, str], dict[str, object]]:
    headers = {"Authorization": f"Bearer {token}"}
    body = {"id": "1", "title": "One"}
    answer = client.post(f"/api/v1/ingest/{slug}/", body, content_type="application/json", headers=headers)
    return answer.status_code, dict(answer.headers), answer.json()


def test_an_alert_without_room_is_refused_whole_and_taken_later(client: Client, full: None) -> None:
    source = make_source()
    token = token_of(source)
    heartbeat.beat("worker")
    status, headers, told = _post(client, token, source.slug)
    assert (status, headers["Retry-After"], headers["Content-Type"]) == (503, "30", "application/problem+json")
    assert told["detail"] == "The disk is full. Nothing was saved; try again when there is room."
    assert not Alert.objects.exists()
    ready = client.get("/readyz")
    assert (ready.status_code, ready.json()["reasons"]) == (503, ["The disk is full."])
    _execute(ROOM)
    room.forget()  # half a minute later
    assert _post(client, token, source.slug)[0] == 201
    assert client.get("/readyz").status_code == 200


def test_a_task_is_not_given_up_for_want_of_room() -> None:
    Broker._connection = None
    broker = Broker("soar")
    enqueue("tests.tasks.no_room", "later")
    for _try in range(8):
        at_once()
        assert work(broker)
    kept = QueuedTask.objects.get()
    assert (kept.starts, kept.failed_at) == (0, None) and "No space left" in kept.error
    cache.set("room", True)
    at_once()
    assert work(broker)
    assert not QueuedTask.objects.exists()


def test_the_table_of_rates_has_its_room_from_the_start(tmp_path: Path) -> None:
    """A page of it that had to be found when it is first written would end the process."""
    path = tmp_path / "rates"
    path.write_bytes(b"")
    SharedRateLimiter(lambda: path, lambda: 5.0).take(1)
    status = path.stat()
    assert status.st_blocks * 512 >= status.st_size > 0


@pytest.mark.parametrize(("number", "full"), [(errno.ENOSPC, True), (errno.EDQUOT, True), (errno.EACCES, False)])
def test_files_without_room_are_told_from_other_trouble(number: int, full: bool) -> None:
    assert room.is_full(OSError(number, "")) is full
