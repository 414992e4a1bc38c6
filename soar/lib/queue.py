"""The task queue: one table in our own database, drained by django-q2's cluster through soar.lib.broker.

A task is the dotted name of a function and a few ids. Its row is written in the caller's transaction, so there is no
lost task and no phantom one; ``NOTIFY`` wakes a worker when that transaction commits. Delivery is at least once:
a task must look at its own rows and return when there is nothing to do.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Iterable
from typing import Any

from django.conf import settings
from django.db import connection
from django.utils.module_loading import import_string
from django_q.timeout import TimeoutException

from soar.lib.context import doing
from soar.lib.database import AWAY, UNHURRIED, drop_dead_connection, forget_connection, prepared
from soar.lib.keepalive import KeepAlive
from soar.lib.room import is_outage

logger = logging.getLogger(__name__)

# The rows of a claim: its holder alone may write of them. The number is no count (soar.lib.broker).
OURS = "FROM unnest(%s::bigint[], %s::int[]) AS held(id, claim) WHERE q.id = held.id AND q.claim = held.claim"
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
# Beginning and end do not wait for the disk: if a crash of the database forgets one, the task runs once more.
BEGIN = f"""
UPDATE soar_queue q SET starts = starts + 1, started_at = now(), ready_at = now() + %s * interval '1 second'
{OURS} AND q.failed_at IS NULL RETURNING q.id, {UNHURRIED}"""  # noqa: S608  our own text
AGAIN = f"""
UPDATE soar_queue q SET error = %s, failed_at = CASE WHEN starts >= %s THEN now() END,
    ready_at = now() + power(4, starts - 1) * interval '1 second'
{OURS} RETURNING q.id, starts, failed_at"""  # noqa: S608  our own text
# The database or a disk could not do it for now: that is no attempt of the task. After a day it may be the task itself
# that brings the database down.
PUT_BACK = f"""
UPDATE soar_queue q SET starts = greatest(starts - 1, 0), error = %s, ready_at = now() + interval '2 seconds'
{OURS} AND q.created_at > now() - interval '1 day' RETURNING q.id"""  # noqa: S608  our own text
FINISH = f"DELETE FROM soar_queue q USING {OURS.removeprefix('FROM ')} RETURNING {UNHURRIED}"  # noqa: S608  our own text
CUT_OFF = "The connection to the database was lost while it ran: it runs once more, as its work may be forgotten."
# Of tasks that were given up, these rows or all of a name; locked in one order, so that two at once do not deadlock.
_GIVEN_UP = """
    SELECT id FROM soar_queue WHERE failed_at IS NOT NULL AND (id = ANY(%(rows)s) OR task = %(task)s)
    ORDER BY id FOR UPDATE"""
AGAIN_FROM_START = f"""
WITH chosen AS ({_GIVEN_UP})
UPDATE soar_queue SET failed_at = NULL, starts = 0, error = '', created_at = now(), ready_at = now()
WHERE id IN (SELECT id FROM chosen) RETURNING id, task"""  # noqa: S608  our own text
FORGET = f"""
WITH chosen AS ({_GIVEN_UP})
DELETE FROM soar_queue WHERE id IN (SELECT id FROM chosen) RETURNING id, task"""  # noqa: S608  our own text
WAKE = "SELECT pg_notify('soar_queue', '')"  # a worker, when the transaction commits
Args = list[int | str]
Held = tuple[int, int, Args]  # a claimed row: its id, the number of the claim, its task's arguments


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
        with prepared() as cursor:
            values = [[task for task, _ in rows], [json.dumps(args) for _, args in rows]]
            cursor.execute(INSERT_MANY, values, prepare=True)


def lock_seconds() -> float:
    """How long a task belongs to the worker that took it; a living worker renews it."""
    return max(2 * settings.LEASE_SECONDS, 2)


def deliver(held: list[Held], task: str) -> None:
    """Run a claimed task in a worker, and settle its rows: deleted when done, put off or given up when it raised.

    Several rows are one call with the arguments of all: only a reader's task is claimed so (``Reader``)."""
    with doing(f"task-{held[0][0]}"):
        _deliver(held, task)


def _deliver(held: list[Held], task: str) -> None:
    ours = _begin(held)
    if not ours:
        return  # another worker has it by now
    began_on = connection.connection
    args = [one for _row, _claim, given in ours for one in given]
    try:
        with KeepAlive(_claims(ours), lock_seconds()):
            function(task)(*args)
    except (Exception, TimeoutException) as error:
        logger.exception("Task %s%s failed", task, tuple(args))
        text = f"{type(error).__name__}: {error}"[:2000]
        ended = _put_back if is_outage(error) else _failed
        _settle(lambda: ended(ours, text))
    else:
        _settle(lambda: _done(ours, began_on))


def _done(ours: list[Held], began_on: Any) -> None:
    """Delete the rows, unless the connection is another one than at the beginning. Tasks commit without waiting for the
    disk, relying on their row: only on one connection is it sure that no crash of the database has come in between."""
    if connection.connection is began_on:
        _execute(FINISH, *_claims(ours))
    else:
        logger.warning("Queue rows %s: %s", [row for row, _claim, _args in ours], CUT_OFF)
        _put_back(ours, CUT_OFF)


def function(task: str) -> Callable[..., object]:
    """The function with the dotted name ``task``. Raises ImportError, or ValueError outside of our own packages."""
    if task.partition(".")[0] not in settings.TASK_PACKAGES:
        raise ValueError(f"{task!r} is not a task of this portal.")
    found: Callable[..., object] = import_string(task)
    return found


def _begin(held: list[Held]) -> list[Held]:
    """Note that the task is begun. Returns the rows that are still ours to run."""
    drop_dead_connection()
    values = (lock_seconds(), *_claims(held))
    try:
        begun = {row for row, _also in _execute(BEGIN, *values)}
    except AWAY:  # lost between the look and the query: once more on a new connection
        forget_connection()
        begun = {row for row, _also in _execute(BEGIN, *values)}
    return [one for one in held if one[0] in begun]


def _claims(held: list[Held]) -> tuple[list[int], list[int]]:
    """The rows and the numbers of their claims, as ``OURS`` takes them."""
    return [row for row, _claim, _args in held], [claim for _row, claim, _args in held]


def _put_back(held: list[Held], error: str) -> None:
    back = {row for (row,) in _execute(PUT_BACK, error, *_claims(held))}
    _failed([one for one in held if one[0] not in back], error)


def _failed(held: list[Held], error: str) -> None:
    """Put off: 1, 4, 16, 64 seconds, each row by itself from then on; after the last attempt it is kept as failed."""
    for row, starts, failed_at in _execute(AGAIN, error, MOST_STARTS, *_claims(held)):
        if failed_at:
            logger.error("Queue row %s is given up after %s attempts: %s", row, starts, error)


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


def _execute(statement: str, *values: float | str | list[int]) -> list[tuple[Any, ...]]:
    """The rows that ``statement`` returns."""
    with prepared() as cursor:
        return cursor.execute(statement, values, prepare=True).fetchall()
