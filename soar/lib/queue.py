"""The task queue: one table in our own database, drained by django-q2's cluster through the broker below.

A task is the dotted name of a function and a few ids. Its row is written in the caller's transaction, so there is no
lost task and no phantom one; ``NOTIFY`` wakes a worker when that transaction commits. Delivery is at least once:
a task must look at its own rows and return when there is nothing to do.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Iterable
from typing import Any, ClassVar

import psycopg
from django.conf import settings
from django.db import connection
from django.utils.module_loading import import_string
from django_q.brokers import Broker as BaseBroker
from django_q.signing import SignedPackage
from django_q.timeout import TimeoutException

from soar.lib.database import AWAY, drop_dead_connection, forget_connection, own_connection
from soar.lib.keepalive import KeepAlive

logger = logging.getLogger(__name__)

MOST_STARTS = 5  # then the task is kept as failed, whether it raised or took its worker down each time
INSERT = (
    "WITH soar_task AS (INSERT INTO soar_queue (task, args) VALUES (%s, %s) RETURNING 1)"
    " SELECT pg_notify('soar_queue', '') FROM soar_task"
)
INSERT_MANY = (
    "WITH soar_task AS (INSERT INTO soar_queue (task, args)"
    " SELECT * FROM unnest(%s::text[], %s::jsonb[]) RETURNING 1)"
    " SELECT pg_notify('soar_queue', '') FROM soar_task LIMIT 1"
)
CLAIM = """
UPDATE soar_queue SET claim = claim + 1, ready_at = now() + %s * interval '1 second'
WHERE id = (SELECT id FROM soar_queue WHERE failed_at IS NULL AND ready_at <= now()
            ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED)
RETURNING id, claim, starts, task, args"""
BEGIN = """
UPDATE soar_queue SET starts = starts + 1, started_at = now(), ready_at = now() + %s * interval '1 second'
WHERE id = %s AND claim = %s AND failed_at IS NULL RETURNING starts"""
AGAIN = "UPDATE soar_queue SET ready_at = now() + %s * interval '1 second', error = %s WHERE id = %s"
GIVE_UP = "UPDATE soar_queue SET failed_at = now(), error = %s WHERE id = %s"
FINISH = "DELETE FROM soar_queue WHERE id = %s"


def enqueue(task: str, *args: int | str) -> None:
    """Queue the function with the dotted name ``task`` for a worker, in the transaction of the caller.

    ``args`` are ids and short texts. The function may run more than once and in any order.
    """
    with connection.cursor() as cursor:
        cursor.execute(INSERT, [task, json.dumps(args)])


def enqueue_many(tasks: Iterable[tuple[str, tuple[int | str, ...]]]) -> None:
    """Queue several ``(task, args)`` with one statement."""
    rows = list(tasks)
    if rows:
        with connection.cursor() as cursor:
            cursor.execute(INSERT_MANY, [[task for task, _ in rows], [json.dumps(args) for _, args in rows]])


def enqueue_sql_row(task: str, *args: int | str) -> tuple[str, str]:
    """``(task, args)`` for a statement of the caller's own, as the values of ``INSERT INTO soar_queue (task, args)``.

    ``args`` is JSON, so ids that only the statement knows can be given by ``jsonb_build_array(id)`` instead.
    The same statement or transaction must ``SELECT pg_notify('soar_queue', '')`` once.
    """
    return task, json.dumps(args)


def lock_seconds() -> float:
    """How long a task belongs to the worker that took it; a living worker renews it."""
    return max(2 * settings.LEASE_SECONDS, 2)


def deliver(row: int, claim: int, task: str, args: list[int | str]) -> None:
    """Run one claimed task in a worker, and settle its row: deleted when done, put off or given up when it raised."""
    if not _begin(row, claim):
        return  # another worker has it by now
    try:
        with KeepAlive(row, lock_seconds()):
            function(task)(*args)
    except (Exception, TimeoutException) as error:
        logger.exception("Task %s%s failed", task, tuple(args))
        text = f"{type(error).__name__}: {error}"
        _settle(lambda: _failed(row, text))
    else:
        _settle(lambda: _execute(FINISH, row))


def function(task: str) -> Callable[..., object]:
    """The function with the dotted name ``task``. Raises ImportError, or ValueError outside of our own packages."""
    if task.partition(".")[0] not in settings.TASK_PACKAGES:
        raise ValueError(f"{task!r} is not a task of this portal.")
    found: Callable[..., object] = import_string(task)
    return found


def backoff(starts: int) -> float:
    """Seconds to wait after the ``starts``-th failure: 1, 4, 16, 64."""
    return float(4 ** (starts - 1))


class Broker(BaseBroker):  # type: ignore[misc]
    """Hands tasks to django-q2's workers. Claims with SKIP LOCKED, sleeps on LISTEN, survives the database's absence.

    Acknowledging is done by ``deliver`` in the worker itself, so that no task is deleted that did not end well.
    """

    _connection: ClassVar[psycopg.Connection[Any] | None] = None

    def dequeue(self) -> list[tuple[None, str]] | None:
        """One task as ``[(None, signed package)]``, or None when there was none for a second."""
        try:
            listener = self._listener()
            found = listener.execute(CLAIM, [lock_seconds()]).fetchone()
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
            Broker._connection.execute("LISTEN soar_queue")
        return Broker._connection

    def _lost(self, error: psycopg.Error) -> None:
        logger.warning("The queue waits for the database: %s", error)
        if Broker._connection is not None:
            Broker._connection.close()
        Broker._connection = None
        time.sleep(0.5)


def _package(listener: psycopg.Connection[Any], found: tuple[Any, ...]) -> str | None:
    """The claimed row as django-q2 wants it; None when it was given up, as it never comes to an end."""
    row, claim, starts, task, args = found
    if starts >= MOST_STARTS:
        logger.error("Task %s%s is given up: it ended its worker %s times", task, tuple(args), starts)
        listener.execute(GIVE_UP, [f"Its worker died {starts} times while it ran.", row])
        return None
    package: str = SignedPackage.dumps(
        {"id": str(row), "name": str(row), "func": deliver, "args": (row, claim, task, args), "kwargs": {}}
    )
    return package


def _drain(listener: psycopg.Connection[Any], wait: float) -> None:
    """Wait for a notice, then take all that are there: one look at the table answers them all."""
    if wait:
        for _notice in listener.notifies(timeout=wait, stop_after=1):
            pass
    for _notice in listener.notifies(timeout=0):
        pass


def _begin(row: int, claim: int) -> bool:
    """Note that the task is begun; False when the claim is no longer ours."""
    drop_dead_connection()
    try:
        return _execute(BEGIN, lock_seconds(), row, claim) is not None
    except AWAY:  # lost between the look and the query: once more on a new connection
        forget_connection()
        return _execute(BEGIN, lock_seconds(), row, claim) is not None


def _failed(row: int, error: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT starts FROM soar_queue WHERE id = %s", [row])
        found = cursor.fetchone()
    if found is None:
        return
    if found[0] >= MOST_STARTS:
        logger.error("Queue row %s is given up after %s attempts: %s", row, found[0], error)
        _execute(GIVE_UP, error[:2000], row)
    else:
        _execute(AGAIN, backoff(found[0]), error[:2000], row)


def _settle(step: Callable[[], object]) -> None:
    """Write how a task ended, through a restart of the database; when that takes long its lock runs out instead."""
    for pause in (0.1, 0.5, 2, 0):
        try:
            step()
            return
        except AWAY as error:
            forget_connection()
            logger.warning("The end of a task waits for the database: %s", error)
            time.sleep(pause)


def _execute(statement: str, *values: int | float | str) -> Any:
    """The first row of what ``statement`` returns, or None."""
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return cursor.fetchone() if cursor.description else None
