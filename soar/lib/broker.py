"""Hands the rows of the queue (soar.lib.queue) to django-q2's workers."""

from __future__ import annotations

import logging
import time
from typing import Any, ClassVar

import psycopg
from django.conf import settings
from django.db import connection
from django_q.brokers import Broker as BaseBroker
from django_q.signing import SignedPackage

from soar.lib.database import own_connection
from soar.lib.queue import MOST_STARTS, deliver, lock_seconds
from soar.lib.readers import joined_tasks

logger = logging.getLogger(__name__)

MOST_JOINED = 50
# The oldest row; and when that is a reader's task, which takes any number of entries, the next ones of the same task
# with it: a flood of alerts then costs a few claims instead of one each. What failed before runs alone, so that one
# bad entry takes no others along.
# The number of a claim is drawn by lot: a crash may forget a row that a worker holds, and its id and a count would come
# again with another row, which the worker would then take for its own and delete.
CLAIM = """
WITH head AS (
    SELECT id, task, starts FROM soar_queue
    WHERE failed_at IS NULL AND ready_at <= now() AND task <> ALL(%(later)s)
    ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED
), more AS (
    SELECT q.id FROM soar_queue q, head
    WHERE head.task = ANY(%(joined)s) AND head.starts = 0 AND q.task = head.task AND q.starts = 0 AND q.id > head.id
        AND q.failed_at IS NULL AND q.ready_at <= now()
    ORDER BY q.id LIMIT %(most)s - 1 FOR UPDATE OF q SKIP LOCKED
), claimed AS (
    UPDATE soar_queue SET claim = floor(random() * 2147483647)::int, ready_at = now() + %(lock)s * interval '1 second'
    WHERE id IN (SELECT id FROM head UNION ALL SELECT id FROM more)
    RETURNING id, claim, starts, task, args
) SELECT * FROM claimed ORDER BY id"""
# Of the claims that were handed out, those that are not over: a worker holds their rows.
HELD = """
SELECT q.id, q.claim FROM soar_queue q JOIN unnest(%s::bigint[], %s::int[]) AS held(id, claim) USING (id, claim)
WHERE q.failed_at IS NULL AND q.ready_at > now()"""
GIVE_UP = "UPDATE soar_queue SET failed_at = now(), error = %s WHERE id = %s"


class Broker(BaseBroker):  # type: ignore[misc]
    """Hands tasks to django-q2's workers. Claims with SKIP LOCKED, sleeps on LISTEN, survives the database's absence.

    Acknowledging is done by ``deliver`` in the worker itself, so that no task is deleted that did not end well.
    """

    _connection: ClassVar[psycopg.Connection[Any] | None] = None
    _long: ClassVar[dict[int, int]] = {}  # long tasks that were handed out and may still run: row and claim

    def dequeue(self) -> list[tuple[None, str]] | None:
        """One task, of one row or several, as ``[(None, signed package)]``; None when there was none for a second."""
        try:
            listener = self._listener()
            given = {"joined": joined_tasks(), "most": MOST_JOINED, "later": self._later(listener)}
            found = listener.execute(CLAIM, {"lock": lock_seconds(), **given}).fetchall()
            Broker._long |= {row[0]: row[1] for row in found if row[3] in settings.LONG_TASKS}
            _drain(listener, wait=0 if found else 1)
        except psycopg.Error as error:
            self._lost(error)
            return None
        return [(None, package)] if found and (package := _package(listener, found)) else None

    def enqueue(self, task: str) -> None:
        """Refused: django-q2's own packages are not taken; see ``enqueue`` of this module."""
        raise TypeError("Use soar.lib.queue.enqueue")

    def queue_size(self) -> int:
        """How many tasks wait for a worker."""
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM soar_queue WHERE failed_at IS NULL AND ready_at <= now()")
            return int(cursor.fetchone()[0])

    def ping(self) -> bool:
        """Always true: a database that is away is waited for."""
        return True

    def info(self) -> str:
        """What it is."""
        return "PostgreSQL, table soar_queue"

    @staticmethod
    def get_cache() -> None:
        """No cache: django-q2 would write its statistics every second; see soar.lib.heartbeat."""
        return

    def _listener(self) -> psycopg.Connection[Any]:
        if Broker._connection is None or Broker._connection.closed:
            Broker._connection = own_connection()
            # A claim that a crash of the database forgets is made again; what it costs is the waiting for the disk.
            Broker._connection.execute("SET synchronous_commit = off")
            Broker._connection.execute("LISTEN soar_queue")
        return Broker._connection

    def _later(self, listener: psycopg.Connection[Any]) -> list[str]:
        """The tasks that are not taken now: long ones, while all workers but one have such. That one stays free for
        what people and playbooks wait for."""
        if not Broker._long:
            return []
        held = listener.execute(HELD, [list(Broker._long), list(Broker._long.values())]).fetchall()
        Broker._long = dict(held)
        return list(settings.LONG_TASKS) if len(held) >= max(settings.TASK_WORKERS - 1, 1) else []

    def _lost(self, error: psycopg.Error) -> None:
        logger.warning("The queue waits for the database: %s", error)
        if Broker._connection is not None:
            Broker._connection.close()
        Broker._connection = None
        time.sleep(0.5)


def _package(listener: psycopg.Connection[Any], found: list[tuple[Any, ...]]) -> str | None:
    """The claimed rows as django-q2 wants them; None when the task was given up, as it never comes to an end."""
    row, _claim, starts, task, args = found[0]
    if starts >= MOST_STARTS:
        logger.error("Task %s%s is given up: it ended its worker %s times", task, tuple(args), starts)
        listener.execute(GIVE_UP, [f"Its worker died {starts} times while it ran.", row])
        return None
    held = [(row, claim, args) for row, claim, _starts, _task, args in found]
    package: str = SignedPackage.dumps(
        {"id": str(row), "name": str(row), "func": deliver, "args": (held, task), "kwargs": {}}
    )
    return package


def _drain(listener: psycopg.Connection[Any], wait: float) -> None:
    """Wait for a notice, then take all that are there: one look at the table answers them all."""
    if wait:
        for _notice in listener.notifies(timeout=wait, stop_after=1):
            pass
    for _notice in listener.notifies(timeout=0):
        pass
