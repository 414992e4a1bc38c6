"""Reading much in many queries as if it were one moment, while others go on changing it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, transaction

from soar.lib.database import refuse_transaction


@contextmanager
def snapshot() -> Iterator[None]:
    """What is read inside is all of one moment, that of the first query (REPEATABLE READ).

    Raises RuntimeError inside a transaction: its moment has been chosen already."""
    refuse_transaction()
    with transaction.atomic():
        if len(connection.atomic_blocks) == 1:  # a test's own transaction has begun before and cannot be set any more
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        yield
