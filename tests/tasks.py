"""Tasks for the tests of the queue. Each leaves a mark in the cache table, which every process sees."""

from __future__ import annotations

import os
import signal
import time

from django.core.cache import cache
from django.db import connection

from soar.lib.database import forget_connection, own_connection
from soar.models import QueuedTask


def mark(name: str) -> None:
    """Count one run."""
    cache.add(name, 0, None)
    cache.incr(name)


def slow(name: str) -> None:
    """As ``mark``, under a name that a test calls long."""
    mark(name)


def fail(name: str) -> None:
    """Count one run and raise."""
    mark(name)
    raise ValueError(f"{name} is not to be")


def no_room(name: str) -> None:
    """What the database says without room, until the cache has ``room``."""
    if cache.get("room"):
        return mark(name)
    with connection.cursor() as cursor:
        cursor.execute("DO $$ BEGIN RAISE EXCEPTION 'No space left on device' USING ERRCODE = 'disk_full'; END $$")
    return None


def die(name: str) -> None:
    """Count one run and take the worker process down."""
    mark(name)
    os.kill(os.getpid(), signal.SIGKILL)


def linger(name: str, tenths: int) -> None:
    """Count one run that takes a while."""
    mark(name)
    time.sleep(tenths / 10)


def mark_all(*names: str) -> None:
    """Count one run of each; raise when one of them is "bad"."""
    if "bad" in names:
        raise ValueError("a bad one")
    for name in names:
        mark(name)


def cut_off(name: str, noticed: str) -> None:
    """Count one run; the first one loses its connection to the database, and may have noticed and gone on."""
    mark(name)
    if cache.get(name) == 1:
        with own_connection() as other:
            other.execute("SELECT pg_terminate_backend(%s, 5000)", [connection.connection.info.backend_pid])
        if noticed:
            forget_connection()


def taken_over(name: str) -> None:
    """Count one run, during which another worker claims the row."""
    mark(name)
    QueuedTask.objects.update(claim=7)
