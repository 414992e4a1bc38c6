"""The files of evidence: in the data folder, outside of anything that is served, each under its own SHA-256.

    evidence/incoming/<random>   what is just being written
    evidence/ab/<sha256>         what is kept; one file for all pieces with the same bytes

Folders are 0700 and files 0600. A file is never changed: it appears by one rename and goes by one unlink, both under
the lock of its hash, which the row is written under too. So no row loses its file to somebody who removes the same
bytes.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from django.conf import settings
from django.db import connection
from django.utils.translation import gettext as _

from cases.errors import CaseError, Refused
from cases.evidence_types import HEAD

PIECE = 256 * 1024
DIGITS = frozenset("0123456789abcdef")


class NoRoom(CaseError):
    """The disk does not take the file."""

    status = 507
    code = "no_room"


@dataclass(frozen=True, slots=True)
class Received:
    """A file that has come in whole and waits under ``path`` for its row. ``head``: its first bytes."""

    path: Path
    name: str
    size: int
    md5: str
    sha1: str
    sha256: str
    head: bytes

    def discard(self) -> None:
        """Delete what was not placed; nothing happens to what was."""
        self.path.unlink(missing_ok=True)


class Writer:
    """Takes a file piece by piece: to disk, hashed on the way, never whole in memory."""

    def __init__(self, name: str, at_most: int) -> None:
        self.name, self.at_most, self.size = name, at_most, 0
        self._head = b""
        self._hashes = [hashlib.md5(usedforsecurity=False), hashlib.sha1(usedforsecurity=False), hashlib.sha256()]
        self.path = _folder("incoming") / secrets.token_hex(16)
        self._file = os.fdopen(os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")

    def write(self, piece: bytes) -> None:
        """Add a piece. Raises Refused beyond the limit and NoRoom when the disk is full."""
        self.size += len(piece)
        if self.size > self.at_most:
            raise too_large(self.name, self.at_most)
        if len(self._head) < HEAD:
            self._head += piece[: HEAD - len(self._head)]
        for one in self._hashes:
            one.update(piece)
        with _writing():
            self._file.write(piece)

    def finish(self) -> Received:
        """The file on disk for good. Raises NoRoom, and Refused for an empty one."""
        if not self.size:
            raise Refused(_("%(name)s is empty.") % {"name": self.name}, field="file")
        with _writing():
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
        md5, sha1, sha256 = (one.hexdigest() for one in self._hashes)
        return Received(self.path, self.name, self.size, md5, sha1, sha256, self._head)

    def abort(self) -> None:
        """Leave nothing behind. Safe to call at any time but after the file was placed."""
        with suppress(OSError):  # what could not be written before cannot be now
            self._file.close()
        self.path.unlink(missing_ok=True)


@contextmanager
def _writing() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise NoRoom(_("The file cannot be stored: the server's disk is full or does not take it.")) from error


def limit() -> int:
    """How many bytes one file may have."""
    return int(settings.EVIDENCE_MB) * 1024 * 1024


def too_large(name: str, at_most: int) -> Refused:
    """The refusal of a file that is over the limit."""
    return Refused(
        _("%(name)s is larger than %(at_most)s MiB.") % {"name": name, "at_most": at_most // (1024 * 1024)},
        field="file",
    )


def received(name: str, pieces: Iterator[bytes]) -> Received:
    """A file that does not come from a form, as an upload. Raises Refused and NoRoom; then nothing is left."""
    writer = Writer(name, limit())
    try:
        for piece in pieces:
            writer.write(piece)
        return writer.finish()
    except BaseException:
        writer.abort()
        raise


def lock(sha256: str) -> None:
    """Wait for whoever places or removes the same bytes; held until the end of the transaction."""
    number = int.from_bytes(bytes.fromhex(sha256[:16]), "big", signed=True)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [number])


def place(file: Received) -> None:
    """Put a received file where it stays, under the lock of its hash. Raises NoRoom.

    A file that is there but damaged is replaced by the good one."""
    final = path_of(file.sha256)
    with _writing():
        if final.is_file() and final.stat().st_size == file.size and digest_of(final) == file.sha256:
            file.discard()
            return
        _folder(final.parent.name)
        os.replace(file.path, final)
        _sync(final.parent)


def path_of(sha256: str) -> Path:
    """Where the bytes with this hash are kept. Raises ValueError for what is no hash: no other path is ever made."""
    if len(sha256) != 64 or not DIGITS.issuperset(sha256):
        raise ValueError(f"{sha256!r:.80} is no SHA-256")
    return _root() / sha256[:2] / sha256


def open_file(sha256: str, size: int) -> BinaryIO | None:
    """The kept file, None when it is not there or not as long as it was."""
    try:
        file = path_of(sha256).open("rb")
    except OSError:
        return None
    if os.fstat(file.fileno()).st_size != size:
        file.close()
        return None
    return file


def remove(sha256: str) -> bool:
    """Delete the file, under the lock of its hash. Returns whether it was there."""
    path = path_of(sha256)
    there = path.is_file()
    path.unlink(missing_ok=True)
    return there


def digest_of(path: Path) -> str:
    """The SHA-256 of a file, read piece by piece."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def kept() -> Iterator[str]:
    """The hashes of all files that are kept."""
    for folder in sorted(_root().glob("[0-9a-f][0-9a-f]")):
        yield from sorted(one.name for one in folder.iterdir() if len(one.name) == 64)


def age(sha256: str) -> float:
    """Seconds since the file was placed; 0 if it is gone."""
    try:
        return time.time() - path_of(sha256).stat().st_ctime
    except OSError:
        return 0


def sweep_incoming(older: float) -> int:
    """Delete uploads that nobody wrote to for ``older`` seconds: their process is gone. Returns how many."""
    number = 0
    for path in _folder("incoming").iterdir():
        if time.time() - path.stat().st_mtime >= older:
            path.unlink(missing_ok=True)
            number += 1
    return number


def _root() -> Path:
    return Path(settings.DATA_DIR) / "evidence"


def _folder(name: str) -> Path:
    # One by one: parents are not made with this mode.
    for path in (_root(), _root() / name):
        path.mkdir(mode=0o700, exist_ok=True)
    return _root() / name


def _sync(folder: Path) -> None:
    """The rename itself survives a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
