"""One owner for one data folder: a file lock that the kernel drops when its holder dies."""

from __future__ import annotations

import fcntl
import os
import sys
from pathlib import Path

from soar.embedded.errors import InUse


class FolderLock:
    """An exclusive lock on ``folder``, held from ``take`` until ``release`` or the end of the process."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "lock"
        self._descriptor: int | None = None

    @property
    def held(self) -> bool:
        """Whether this object holds the lock."""
        return self._descriptor is not None

    def take(self) -> None:
        """Take the lock at once. Raises InUse when another process has it."""
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(descriptor, 200).decode(errors="replace").strip()
            os.close(descriptor)
            raise InUse(self.path.parent, holder) from None
        os.ftruncate(descriptor, 0)
        os.write(descriptor, f"{' '.join(Path(sys.argv[0]).name.split())} (process {os.getpid()})".encode())
        self._descriptor = descriptor

    def release(self) -> None:
        """Give the lock back; harmless when it is not held."""
        if self._descriptor is not None:
            os.ftruncate(self._descriptor, 0)
            os.close(self._descriptor)
            self._descriptor = None
