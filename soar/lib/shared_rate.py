"""A token bucket that all web processes of this machine share, so that a limit holds for all of them together.

The buckets stand in a small file that each process maps into its memory; a lock on the file orders them. A call costs
some microseconds and no database. Machines count for themselves: behind a balancer a limit holds for each."""

from __future__ import annotations

import errno
import fcntl
import math
import mmap
import os
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

SLOTS = 4096
PROBES = 8
_SLOT = struct.Struct("=qddd")  # key, what is left, when that was so, calls a second
_SIZE = SLOTS * _SLOT.size


@dataclass(frozen=True, slots=True)
class Taken:
    """What a call found: ``wait`` seconds (0.0: allowed), how many calls are left now, of how many a second."""

    wait: float
    left: int
    limit: int


def rate_headers(taken: Taken) -> dict[str, str]:
    """``RateLimit-*`` of an answer: calls a second, how many are left now, seconds until there is one again."""
    reset = math.ceil(taken.wait) if taken.wait else int(taken.left < 1)
    return {
        "RateLimit-Limit": str(taken.limit),
        "RateLimit-Remaining": str(max(0, taken.left)),
        "RateLimit-Reset": str(reset),
    }


class SharedRateLimiter:
    """Allows ``per_second()`` calls a second for each key (a positive number), with a burst of one second's worth."""

    def __init__(self, path: Callable[[], Path], per_second: Callable[[], float]) -> None:
        self._path, self._per_second = path, per_second
        self._table: tuple[int, mmap.mmap] | None = None
        self._pid = 0
        self._lock = threading.Lock()

    def take(self, key: int, rate: float | None = None) -> Taken:
        """Take one from the bucket of ``key``, which may have a ``rate`` a second of its own. Raises OSError if the
        file cannot be made."""
        per_second = rate or self._per_second()
        burst = max(per_second, 1.0)
        with self._locked() as table:
            now = time.monotonic()  # one clock for all processes of a machine
            place, left = _find(table, key, per_second, now)
            left = min(burst, left)
            wait = 0.0 if left >= 1 else (1 - left) / per_second
            left = left if wait else left - 1
            if place is not None:
                _SLOT.pack_into(table, place, key, left, now, per_second)
        return Taken(wait, int(left), int(burst))

    @contextmanager
    def _locked(self) -> Iterator[mmap.mmap]:
        """The table, alone among the threads and the processes."""
        with self._lock:
            file, table = self._opened()
            fcntl.flock(file, fcntl.LOCK_EX)
            try:
                yield table
            finally:
                fcntl.flock(file, fcntl.LOCK_UN)

    def _opened(self) -> tuple[int, mmap.mmap]:
        # A lock belongs to the open file: a process that was forked must open its own.
        if self._table is None or self._pid != os.getpid():
            path = self._path()
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                _reserve(file)
            except OSError:
                os.close(file)
                raise
            self._table, self._pid = (file, mmap.mmap(file, _SIZE)), os.getpid()
        return self._table


def _reserve(file: int) -> None:
    """Have room for the whole table on the disk: a page of a mapped file for which there is none when it is first
    written ends the process (SIGBUS). Raises OSError when there is no room."""
    status = os.fstat(file)
    if status.st_size < _SIZE or status.st_blocks * 512 < _SIZE:
        fcntl.flock(file, fcntl.LOCK_EX)
        try:
            written = os.pwrite(file, bytes(_SIZE), 0)
        finally:
            fcntl.flock(file, fcntl.LOCK_UN)
        if written < _SIZE:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _find(table: mmap.mmap, key: int, per_second: float, now: float) -> tuple[int | None, float]:
    """Where the bucket of ``key`` stands, and what is in it now. A bucket that was not used for long enough to be full
    again may be taken by another key; with no such place near, the key goes uncounted."""
    free = None
    for step in range(PROBES):
        place = (key * 2654435761 + step) % SLOTS * _SLOT.size
        holder, left, at, rate = _SLOT.unpack_from(table, place)
        if holder == key and at <= now:
            return place, left + (now - at) * per_second
        full = left + (now - at) * rate >= max(rate, 1.0)
        if free is None and (holder == 0 or at > now or full):  # a later time is from before a restart
            free = place
    return free, max(per_second, 1.0)
