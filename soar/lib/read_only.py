"""A connection that writes nothing for a while, whatever is asked of it: the database itself refuses (access.md 5)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg.errors
from django.db import connection, transaction

from soar.lib.database import AWAY, forget_connection


@contextmanager
def read_only() -> Iterator[None]:
    """Transactions that begin inside write nothing; see ``is_refusal``. One that is under way is left as it is."""
    with connection.cursor() as cursor:
        cursor.execute("SET default_transaction_read_only = on")
    try:
        yield
    finally:
        try:
            with connection.cursor() as cursor:
                cursor.execute("RESET default_transaction_read_only")
        except AWAY:  # nobody else may get a connection that only reads
            forget_connection()


@contextmanager
def writing() -> Iterator[None]:
    """A transaction that writes although the connection reads only: for what must be recorded of reading."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION READ WRITE")
        yield


def is_refusal(error: BaseException | None) -> bool:
    """Whether an error is the database's answer to a write where only reading is allowed."""
    while error is not None:
        if isinstance(error, psycopg.errors.ReadOnlySqlTransaction):
            return True
        error = error.__cause__
    return False
