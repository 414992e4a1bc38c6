"""The scheduler: calls what ``settings.SCHEDULED`` names when it is due. Of several, on several hosts, one acts.

That one holds an advisory lock of the database; when it dies, or its connection does, another takes over.
What is called must be quick and safe to call twice; work is queued from there.
"""

from __future__ import annotations

import logging
import signal
import threading
import time
from collections.abc import Callable
from typing import Any

import psycopg
from django.conf import settings
from django.db import close_old_connections, connection
from django.utils.module_loading import import_string

from soar.lib import heartbeat
from soar.lib.database import AWAY, drop_dead_connection, forget_connection, own_connection
from soar.models import FailingCall

logger = logging.getLogger(__name__)
LOCK = 5_021_974_301  # any number, the same on every host
TICK = 0.5


FAILED = """
INSERT INTO soar_failing_call (name, error) VALUES (%s, %s)
ON CONFLICT (name) DO UPDATE SET error = excluded.error, times = soar_failing_call.times + 1, at = now()"""


class Entry:
    """One scheduled function: ``name`` is dotted, ``every`` in seconds."""

    def __init__(self, name: str, every: float) -> None:
        self.name = name
        self.every = every
        self.due = 0.0
        self.call = _find(name)
        self.failing = True  # what an earlier scheduler has noted goes with the first success

    def run_if_due(self, now: float) -> None:
        """Call the function when its time has come. What it raises is logged and noted for the page of operations; the
        next one still comes. Raises what Django does where the database is away."""
        if self.call is None or now < self.due:
            return
        self.due = now + self.every
        try:
            self.call()
        except Exception as error:
            if isinstance(error, AWAY):  # away, or only in the way of this one: a deadlock, a statement that took long
                _ask_database()
            logger.exception("Scheduled %s failed", self.name)
            self._failed(type(error).__name__)
        else:
            if self.failing:
                FailingCall.objects.filter(name=self.name).delete()
            self.failing = False

    def _failed(self, error: str) -> None:
        with connection.cursor() as cursor:
            cursor.execute(FAILED, [self.name, error])
        self.failing = True


class Scheduler:
    """The loop. ``stop`` ends it from a signal handler or another thread."""

    def __init__(self) -> None:
        self.entries = [Entry(name, every) for name, every in settings.SCHEDULED]
        self._stopped = threading.Event()
        self._lock: psycopg.Connection[Any] | None = None
        self._beat_due = 0.0

    def stop(self, *_signal: object) -> None:
        """End the loop after what runs now."""
        self._stopped.set()

    def run(self) -> None:
        """Go on until stopped, through the absence of the database."""
        while not self._stopped.wait(TICK):
            try:
                self.step(time.monotonic())
            except (*AWAY, psycopg.Error) as error:
                logger.warning("The scheduler waits for the database: %s", error)
                self._release()
                forget_connection()
                self._stopped.wait(1)
        self._release()
        self._leave()

    def step(self, now: float) -> None:
        """One round: a sign of life, and, if this scheduler is the acting one, all that is due."""
        drop_dead_connection()
        if now >= self._beat_due:
            heartbeat.beat("scheduler")
            self._beat_due = now + heartbeat.EVERY
        if self._acting():
            for entry in self.entries:
                entry.run_if_due(now)
        close_old_connections()

    def _leave(self) -> None:
        """Whoever ends in good order is not told as silent."""
        try:
            heartbeat.leave("scheduler")
        except (*AWAY, psycopg.Error) as error:
            logger.warning("The scheduler's sign of life stays: %s", error)

    def _acting(self) -> bool:
        """Whether this scheduler holds the lock, asked of the database each time: a lost connection has lost it."""
        if self._lock is None or self._lock.closed:
            self._lock = own_connection()
        query = (
            "SELECT EXISTS (SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid() AND granted)"
            " OR pg_try_advisory_lock(%s)"
        )
        row = self._lock.execute(query, [LOCK]).fetchone()
        return bool(row and row[0])

    def _release(self) -> None:
        if self._lock is not None:
            self._lock.close()
            self._lock = None


def run() -> None:
    """Schedule until SIGTERM or SIGINT."""
    scheduler = Scheduler()
    signal.signal(signal.SIGTERM, scheduler.stop)
    signal.signal(signal.SIGINT, scheduler.stop)
    scheduler.run()


def _ask_database() -> None:
    """Raise what Django does if the database is away."""
    forget_connection()
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def _find(name: str) -> Callable[[], object] | None:
    """The function, or None, said once, if this installation has none of that name."""
    try:
        found: Callable[[], object] = import_string(name)
    except ImportError as error:
        logger.warning("Nothing to schedule: %s", error)
        return None
    return found
