"""Signs of life of the processes without an address: workers and schedulers (operations.md 7, /readyz)."""

from __future__ import annotations

import os
import socket
from datetime import datetime

from django.db import connection

from soar.lib import clock

EVERY = 3.0  # seconds between two signs
SILENT = 15.0  # seconds after which a process counts as gone
CLOCK_OFF = 5.0  # seconds between two clocks from which on people are told

BEAT = """
INSERT INTO soar_heartbeat (name, host, pid, at, ahead)
VALUES (%s, %s, %s, now(), %s)
ON CONFLICT (name, host, pid) DO UPDATE SET at = excluded.at, ahead = excluded.ahead"""
FORGET = "DELETE FROM soar_heartbeat WHERE at < now() - interval '1 hour' OR (name, host, pid) = (%s, %s, %s)"
ALIVE = "SELECT EXISTS (SELECT 1 FROM soar_heartbeat WHERE name = %s AND at > now() - %s * interval '1 second')"


def beat(name: str) -> None:
    """Say that this process, a ``name``, lives, and how far its clock is ahead of the database's."""
    seconds = ahead()
    with connection.cursor() as cursor:
        cursor.execute(BEAT, [*_me(name), seconds])


def leave(name: str) -> None:
    """Take this process's sign away at its end, and those of processes long gone."""
    with connection.cursor() as cursor:
        cursor.execute(FORGET, _me(name))


def alive(name: str) -> bool:
    """Whether any process called ``name`` gave a sign lately, on whatever host."""
    with connection.cursor() as cursor:
        cursor.execute(ALIVE, [name, SILENT])
        return bool(cursor.fetchone()[0])


def ahead() -> float:
    """Seconds by which the clock of this host is ahead of the database's, below 0 behind it. Where both may be right,
    because the answer took its time, it is 0."""
    before = clock.now()
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        there: datetime = cursor.fetchone()[0]
    after = clock.now()
    nearest = min(max(there, before), after)
    return (nearest - there).total_seconds()


def clock_is_off() -> bool:
    """Whether the clock of this host and that of the database differ by more than ``CLOCK_OFF``."""
    return abs(ahead()) > CLOCK_OFF


def _me(name: str) -> list[str | int]:
    return [name, socket.gethostname(), os.getpid()]
