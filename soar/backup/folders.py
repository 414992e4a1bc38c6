"""What a backup or restore leaves behind when it is killed: marked by a lock that ends with its process."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def marked(make: Callable[[], Path]) -> Iterator[Path]:
    """The file or folder of ours that ``make`` makes, marked as in use.

    Between the making and the mark a sweep may take it for one that was left behind; then another one is made, so what
    is given is there and stays there."""
    while True:
        path = make()
        if (handle := _held(path)) is not None:
            break
    try:
        yield path
    finally:
        os.close(handle)


def sweep(paths: Iterable[Path]) -> None:
    """Remove those that nobody holds: they lie there in clear, and nothing would ever look for them."""
    for path in paths:
        with suppress(OSError):
            handle = _opened(path)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if path.is_dir():
                    shutil.rmtree(path, ignore_errors=True)
                else:
                    path.unlink()
            finally:
                os.close(handle)


def _held(path: Path) -> int | None:
    """What holds the mark of ``path``; None if a sweep was quicker, which had the mark and took the path away."""
    try:
        handle = _opened(path)
    except FileNotFoundError:
        return None
    # Where there are no locks, as on some shares, a sweep gets none either, and takes nothing.
    with suppress(OSError):
        fcntl.flock(handle, fcntl.LOCK_EX)
    with suppress(FileNotFoundError):
        if os.path.samestat(os.fstat(handle), path.lstat()):
            return handle
    os.close(handle)
    return None


def _opened(path: Path) -> int:
    """A file for writing too: over NFS a lock for one alone needs that."""
    return os.open(path, os.O_NOFOLLOW | (os.O_RDONLY if path.is_dir() else os.O_RDWR))
