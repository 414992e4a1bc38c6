"""What the current request or task is called, for log lines (operations.md 7)."""

from __future__ import annotations

import logging
from contextvars import ContextVar

request_id: ContextVar[str] = ContextVar("request_id", default="-")
# Where the request comes from, and the name of the API token it bears: for the audit log. Empty in tasks and commands.
address: ContextVar[str] = ContextVar("soar_address", default="")
via: ContextVar[str] = ContextVar("soar_via", default="")


class AddRequestId(logging.Filter):
    """Puts ``request_id`` on every log record."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Always true; the record gains an attribute."""
        record.request_id = request_id.get()
        return True
