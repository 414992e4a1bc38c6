"""A disk without room: how it is told from other errors, and whether there was one lately (operations.md 8)."""

from __future__ import annotations

import errno
import time

from django.db import InterfaceError, OperationalError

LATELY = 30.0  # seconds for which a write that failed is told
NO_ROOM = "53100"  # disk_full
# Connections, a full disk, too many at once, an operator's shutdown, the disk itself: whatever was asked of it.
OUTAGES = ("08", "53100", "53300", "57P", "58030")
_noted = -LATELY


def is_full(error: BaseException | None) -> bool:
    """Whether a disk had no room: the database's, or the one of our own files."""
    if isinstance(error, OSError):
        return error.errno in (errno.ENOSPC, errno.EDQUOT)
    return isinstance(error, OperationalError) and _state(error) == NO_ROOM


def is_outage(error: BaseException) -> bool:
    """Whether the database, or a disk, could not do its work for now, whatever was asked of it."""
    if isinstance(error, OperationalError | InterfaceError):
        state = _state(error)
        return not state or state.startswith(OUTAGES)
    return is_full(error)


def note(error: BaseException | None) -> bool:
    """Remember it, in this process, if it says that a disk is full; whether it does."""
    global _noted  # noqa: PLW0603  one moment for all threads
    if not is_full(error):
        return False
    _noted = time.monotonic()
    return True


def failed_lately() -> bool:
    """Whether a write of this process failed in the last half minute for want of room."""
    return time.monotonic() - _noted < LATELY


def forget() -> None:
    """As if nothing had failed."""
    global _noted  # noqa: PLW0603
    _noted = -LATELY


def _state(error: BaseException) -> str:
    return str(getattr(error.__cause__, "sqlstate", None) or "")
