"""Signs of life of the processes without an address: workers and schedulers (operations.md 7, /readyz)."""

from __future__ import annotations

import os
import socket

from django.db import connection

EVERY = 3.0  # seconds between two signs
SILENT = 15.0  # seconds after which a process counts as gone

BEAT = """
INSERT INTO soar_heartbeat (name, host, pid, at) VALUES (%s, %s, %s, now())
ON CONFLICT (name, host, pid) DO UPDATE SET at = now()"""
FORGET = "DELETE FROM soar_heartbeat WHERE at < now() - interval '1 hour' OR (name, host, pid) = (%s, %s, %s)"
ALIVE = "SELECT EXISTS (SELECT 1 FROM soar_heartbeat WHERE name = %s AND at > now() - %s * interval '1 second')"


def beat(name: str) -> None:
    """Say that this process, a ``name``, lives."""
    with connection.cursor() as cursor:
        cursor.execute(BEAT, _me(name))


def leave(name: str) -> None:
    """Take this process's sign away at its end, and those of processes long gone."""
    with connection.cursor() as cursor:
        cursor.execute(FORGET, _me(name))


def alive(name: str) -> bool:
    """Whether any process called ``name`` gave a sign lately, on whatever host."""
    with connection.cursor() as cursor:
        cursor.execute(ALIVE, [name, SILENT])
        return bool(cursor.fetchone()[0])


def _me(name: str) -> list[str | int]:
    return [name, socket.gethostname(), os.getpid()]
