"""Migrations that several hosts may begin at once, and that may be cut off at any place."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from django.apps.registry import Apps
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import connection
from django.db.migrations import Migration

LOOK_AGAIN = 0.5  # seconds


@contextmanager
def alone(lock: int) -> Iterator[None]:
    """Hold an advisory lock of the database, waiting for whoever has it.

    It is asked for again and again: a statement that waits for a lock holds a snapshot, and building an index
    concurrently waits for every snapshot there is, so the two would wait for each other."""
    while not _taken(lock):
        time.sleep(LOOK_AGAIN)
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [lock])


def clear_begun(migrations: list[Migration], apps: Apps) -> list[str]:
    """Drop the indexes that these migrations, which are not recorded as done, have built already, whole or in part:
    one that was cut off would never get past them. Returns their names."""
    dropped = []
    for migration in migrations:
        for operation in migration.operations:
            if isinstance(operation, AddIndexConcurrently) and (name := _dropped(migration, operation, apps)):
                dropped.append(name)
    return dropped


def _taken(lock: int) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [lock])
        return bool(cursor.fetchone()[0])


def _dropped(migration: Migration, operation: AddIndexConcurrently, apps: Apps) -> str:
    try:
        table = apps.get_model(migration.app_label, operation.model_name)._meta.db_table
    except LookupError:  # a later migration takes the model away, and its indexes with it
        return ""
    name = operation.index.name
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT 1 FROM pg_index JOIN pg_class i ON i.oid = indexrelid "
            "WHERE i.relname = %s AND indrelid = to_regclass(%s)",
            [name, f'"{table}"'],
        )
        if cursor.fetchone() is None:
            return ""
        cursor.execute(f"DROP INDEX CONCURRENTLY {connection.ops.quote_name(name)}")
    return name
