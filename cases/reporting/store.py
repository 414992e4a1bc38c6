"""The files of exports that workers make: in the data folder, outside of anything that is served, for a day.

``exports/<token>.part`` is just being written, ``exports/<token>`` is whole. The folder is 0700 and files 0600; a name
is random and known to the job's row alone.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from django.conf import settings
from django.utils.translation import gettext as _

from cases.evidence_store import NoRoom

NAME = re.compile("[0-9a-f]{32}")
PIECE = 256 * 1024


@dataclass(frozen=True, slots=True)
class Kept:
    """A whole file: its name here, its bytes and their hash."""

    name: str
    size: int
    sha256: str


def keep(pieces: Iterable[bytes]) -> Kept:
    """Write a file, piece by piece. Raises NoRoom, and what the pieces raise; then nothing is left."""
    name, size, digest = secrets.token_hex(16), 0, hashlib.sha256()
    part = _folder() / f"{name}.part"
    try:
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            for piece in pieces:
                size += len(piece)
                digest.update(piece)
                _write(file, piece)
            _write(file, b"")
            os.fsync(file.fileno())
        part.rename(part.with_suffix(""))
    except BaseException:
        with suppress(OSError):
            part.unlink(missing_ok=True)
        raise
    return Kept(name, size, digest.hexdigest())


def _write(file: BinaryIO, piece: bytes) -> None:
    try:
        file.write(piece)
        if not piece:
            file.flush()
    except OSError as error:
        raise NoRoom(_("The export cannot be stored: the server's disk is full or does not take it.")) from error


def open_file(name: str, size: int) -> BinaryIO | None:
    """The kept file; None when it is not there or not as long as it was."""
    try:
        file = _path(name).open("rb")
    except OSError:
        return None
    if os.fstat(file.fileno()).st_size != size:
        file.close()
        return None
    return file


def pieces(file: BinaryIO) -> Iterator[bytes]:
    """An open file to its end, closed then."""
    with file:
        while piece := file.read(PIECE):
            yield piece


def remove(name: str) -> None:
    """Delete a file; nothing for one that is gone."""
    _path(name).unlink(missing_ok=True)


def sweep(needed: set[str], *, older: float) -> int:
    """Delete what no row knows of and nobody has written to for ``older`` seconds. Returns how many."""
    number = 0
    for path in _folder().iterdir():
        if path.name not in needed and time.time() - path.stat().st_mtime >= older:
            path.unlink(missing_ok=True)
            number += 1
    return number


def _path(name: str) -> Path:
    if not NAME.fullmatch(name):
        raise ValueError(f"{name!r:.80} is no export")
    return _folder() / name


def _folder() -> Path:
    path = Path(settings.DATA_DIR) / "exports"
    path.mkdir(mode=0o700, exist_ok=True)
    return path
