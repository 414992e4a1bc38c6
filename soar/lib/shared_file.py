"""A small file that all web processes of this machine map into their memory; a lock on the file orders them, and the
kernel drops it when its holder dies."""

from __future__ import annotations

import fcntl
import mmap
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path


class SharedFile:
    """``size`` bytes at ``path()``, zero at first; the path is asked when the file is needed."""

    def __init__(self, path: Callable[[], Path], size: int) -> None:
        self._path, self._size = path, size
        self._table: tuple[int, mmap.mmap] | None = None
        self._pid = 0
        self._lock = threading.Lock()

    @contextmanager
    def locked(self) -> Iterator[mmap.mmap]:
        """The bytes, alone among the threads and the processes. Raises OSError if the file cannot be made."""
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
                _allocate(file, self._size)
                self._table, self._pid = (file, mmap.mmap(file, self._size)), os.getpid()
            except OSError:
                os.close(file)
                raise
        return self._table


def _allocate(file: int, size: int) -> None:
    """Take the room on the disk now: to write into a hole of a mapped file on a full disk ends the process."""
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(file, 0, size)
    os.ftruncate(file, size)
