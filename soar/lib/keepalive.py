"""Keeps the queue row of a long task from being handed to another worker while its own is alive."""

from __future__ import annotations

import logging
import threading
import time
from typing import Self

import psycopg

from soar.lib.database import own_connection

logger = logging.getLogger(__name__)
RENEW = """
UPDATE soar_queue q SET ready_at = now() + %s * interval '1 second'
FROM unnest(%s::bigint[], %s::int[]) AS held(id, claim) WHERE q.id = held.id AND q.claim = held.claim"""


class KeepAlive:
    """Around a task: renews the lock of its queue rows for ``seconds``, three times in that span. ``claims``: the rows
    and the numbers of their claims; a row that somebody else claimed since is left to them.

    One thread a process looks at what runs; a short task costs no query and no thread of its own.
    """

    _thread: threading.Thread | None = None
    _current: KeepAlive | None = None

    def __init__(self, claims: tuple[list[int], list[int]], seconds: float) -> None:
        self.claims = claims
        self.seconds = seconds
        self.due = time.monotonic() + seconds / 3

    def __enter__(self) -> Self:
        KeepAlive._current = self
        if KeepAlive._thread is None or not KeepAlive._thread.is_alive():
            KeepAlive._thread = threading.Thread(target=_watch, name="keepalive", daemon=True)
            KeepAlive._thread.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        KeepAlive._current = None


def _watch() -> None:
    while True:
        task = KeepAlive._current
        time.sleep(task.seconds / 6 if task else 0.5)
        if task and task is KeepAlive._current and time.monotonic() >= task.due:
            _renew(task)


def _renew(task: KeepAlive) -> None:
    task.due = time.monotonic() + task.seconds / 3
    try:
        with own_connection() as connection:
            connection.execute(RENEW, [task.seconds, *task.claims])
    except psycopg.Error as error:
        logger.warning("The lock of queue rows %s is not renewed: %s", task.claims[0], error)
