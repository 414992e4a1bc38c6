"""What the current request or task is called, and what set it off: for log lines (operations.md 7)."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

UNKNOWN = "-"
# Of a request its ``X-Request-ID``, in a worker "task-" and the number of the queue's row.
request_id: ContextVar[str] = ContextVar("request_id", default=UNKNOWN)
# The uuid that an alert or incident shares with its runs, its response tasks and the calls that they make.
cause: ContextVar[str] = ContextVar("soar_cause", default=UNKNOWN)
# Where the request comes from, and the name of the API token it bears: for the audit log. Empty in tasks and commands.
address: ContextVar[str] = ContextVar("soar_address", default="")
via: ContextVar[str] = ContextVar("soar_via", default="")


@contextmanager
def caused_by(what: object) -> Iterator[None]:
    """Inside, log lines of this thread bear the cause ``what``. Without one (None or "") it stays what it is."""
    token = cause.set(str(what)) if what else None
    try:
        yield
    finally:
        if token is not None:
            cause.reset(token)


def know(what: object) -> None:
    """The cause of what this request or task does from here on: that of the alert or incident it looked at last."""
    cause.set(str(what))


@contextmanager
def doing(name: str) -> Iterator[None]:
    """Inside, log lines of this thread are those of ``name``, whose cause is not known yet."""
    token, before = request_id.set(name), cause.set(UNKNOWN)
    try:
        yield
    finally:
        request_id.reset(token)
        cause.reset(before)


class AddIds(logging.Filter):
    """Puts ``request_id`` and ``cause`` on every log record."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Always true; the record gains two attributes. Django tells of refused requests when they are over: of such
        a one the middleware has kept both on the request."""
        request = getattr(record, "request", None)
        record.request_id = getattr(request, "request_id", request_id.get())
        record.cause = getattr(request, "cause", cause.get())
        return True
