"""Connections that outlive a restart of the database, and connections for one purpose of their own."""

from __future__ import annotations

import re
import select
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import psycopg
from django.db import DEFAULT_DB_ALIAS, InterfaceError, OperationalError, connection, connections

# What Django raises when the database is away, or cannot do the work now.
AWAY = (OperationalError, InterfaceError)
PARAMETER = re.compile(r"%(?:\((\w+)\)s|%)")
# An expression for a SELECT: the commit of this transaction does not wait for the disk. For what is simply done again
# if a crash of the database forgets it; whatever is committed later in the usual way waits for this too.
UNHURRIED = "(SELECT set_config('synchronous_commit', 'off', true))"


@contextmanager
def prepared(noting: Any = None, plain: Any = psycopg.Cursor) -> Iterator[psycopg.Cursor[Any]]:
    """The driver's own cursor on this thread's connection, for statements that are run all the time: parameters go to
    the server by themselves, so a statement run with ``prepare=True`` is planned once per connection.
    Its errors are raised as Django's, as those of any other cursor. ``plain``: the class of the cursor; ``noting``: the
    one in its place while somebody looks at the statements."""
    ours = connections[DEFAULT_DB_ALIAS]  # once: each use of django.db.connection looks it up anew
    ours.ensure_connection()
    raw = ours.connection
    with ours.wrap_database_errors:
        if raw.prepare_threshold is None:
            _prepare_on(raw)
        with plain(raw) if not ours.queries_logged else (noting or _Logged)(raw) as made:
            yield made


class Statement:
    """A long statement that is run all the time, with parameters written as ``%(name)s``. It is taken apart once: the
    driver does that at every call where a statement has more than 4,096 characters, a tenth of what storing an alert
    costs a web worker."""

    def __init__(self, text: str) -> None:
        self._names: list[str] = []
        self.text = PARAMETER.sub(self._number, text)

    def fetchone(self, values: Mapping[str, Any]) -> Any:
        """Run it with these values; the first row that it returns, None without one."""
        given = [values[name] for name in self._names]
        with prepared(_LoggedNumbered, psycopg.RawCursor) as cursor:
            return cursor.execute(self.text, given, prepare=True).fetchone()

    def _number(self, found: re.Match[str]) -> str:
        name = found[1]
        if name is None:
            return "%"
        if name not in self._names:
            self._names.append(name)
        return f"${self._names.index(name) + 1}"


class _Noting:
    """Notes its statements where Django notes those of its own cursors, while somebody looks at them."""

    def execute(self, query: Any, *args: Any, **kwargs: Any) -> Any:
        connections[DEFAULT_DB_ALIAS].queries_log.append({"sql": str(query), "time": ""})
        return super().execute(query, *args, **kwargs)  # type: ignore[misc]  # of the cursor


class _Logged(_Noting, psycopg.Cursor[Any]):
    pass


class _LoggedNumbered(_Noting, psycopg.RawCursor[Any]):
    pass


def _prepare_on(raw: psycopg.Connection[Any]) -> None:
    """Django forbids preparing; from now on what asks for it is prepared, and planned once. Left to itself the server
    plans such statements anew each time, as an array of known length looks cheaper to it than one of any length:
    half of what storing an alert costs it."""
    raw.execute("SET plan_cache_mode = force_generic_plan")
    raw.prepare_threshold = 1_000_000


def refuse_transaction() -> None:
    """Raise RuntimeError inside a transaction: what is written now must be committed at once. As Django's
    ``atomic(durable=True)`` it does not count the transaction that a test wraps around itself."""
    blocks = connection.atomic_blocks
    if blocks and not getattr(blocks[-1], "_from_testcase", False):
        raise RuntimeError("This must not be done inside a transaction.")


def drop_dead_connection() -> None:
    """Close this thread's connection if the server has hung up, so that the next query opens a fresh one.

    A look at the socket, no query: a database that was restarted since the last request costs nobody an error.
    """
    raw = connection.connection
    if raw is None or connection.in_atomic_block:
        return
    if raw.closed or _hung_up(raw):
        connection.close()


def forget_connection() -> None:
    """Close this thread's connection whatever its state, after an error in the middle of the work."""
    connection.needs_rollback = False
    connection.in_atomic_block = False
    connection.savepoint_ids = []
    connection.run_on_commit = []
    connection.close()


def own_connection() -> psycopg.Connection[Any]:
    """A new connection of its own with autocommit, outside of Django: to LISTEN, or to hold an advisory lock."""
    given = connection.get_connection_params()
    for name in ("cursor_factory", "context", "prepare_threshold", "pool"):
        given.pop(name, None)
    return psycopg.connect(**given, autocommit=True)


def _hung_up(raw: psycopg.Connection[Any]) -> bool:
    """Whether an idle connection has an end to read; a notice that waits in it is read and is no end."""
    poll = select.poll()
    poll.register(raw.fileno(), select.POLLIN | select.POLLHUP)
    try:
        while poll.poll(0):  # the server's last words come first, the end behind them
            raw.pgconn.consume_input()
    except psycopg.OperationalError:
        return True
    return bool(raw.pgconn.status != psycopg.pq.ConnStatus.OK)
