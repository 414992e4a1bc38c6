"""Files on their way into feeds: in the data folder, each under a random name until its import is over.

With several hosts the folder ``uploads`` must be the same for all of them, as that of evidence."""

from __future__ import annotations

import os
import re
import secrets
import tempfile
import time
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path
from typing import IO

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from soar.connectors.errors import Refused
from soar.connectors.intelligence.feeds.reading import LARGEST

NAME = re.compile("[0-9a-f]{32}")
TOO_LARGE = gettext_noop("A feed has at most 64 MiB.")
NO_ROOM = gettext_noop("The file cannot be stored: the server's disk is full or does not take it.")


class Writer:
    """Takes a file piece by piece, straight to disk. ``name``: under which it is kept."""

    def __init__(self) -> None:
        self.name, self.size = secrets.token_hex(16), 0
        try:
            descriptor = os.open(path_of(self.name), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except OSError as error:
            raise Refused({"file": _(NO_ROOM)}) from error
        self._file = os.fdopen(descriptor, "wb")

    def write(self, piece: bytes) -> None:
        """Add a piece. Raises Refused over the limit, and when the disk does not take it."""
        self.size += len(piece)
        if self.size > LARGEST:
            raise Refused({"file": _(TOO_LARGE)})
        try:
            self._file.write(piece)
        except OSError as error:
            raise Refused({"file": _(NO_ROOM)}) from error

    def finish(self) -> str:
        """The name of the file, which is on disk for good now. Raises Refused, and for an empty one."""
        if not self.size:
            raise Refused({"file": _("The file is empty.")})
        try:
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
        except OSError as error:
            raise Refused({"file": _(NO_ROOM)}) from error
        return self.name

    def abort(self) -> None:
        """Leave nothing behind."""
        with suppress(OSError):
            self._file.close()
        remove(self.name)


def path_of(name: str) -> Path:
    """Where the file is kept. Raises ValueError for a name that is none of ours."""
    if not NAME.fullmatch(name):
        raise ValueError(f"{name!r:.80} is no file here")
    return _folder() / name


def remove(name: str) -> None:
    """Delete the file, if it is there."""
    path_of(name).unlink(missing_ok=True)


def scratch() -> IO[bytes]:
    """A file without a name, gone when it is closed."""
    return tempfile.TemporaryFile(dir=_folder())


def sweep(known: Collection[str], older: float) -> int:
    """Delete files that no import knows and that nobody wrote to for ``older`` seconds. Returns how many."""
    number = 0
    for path in _folder().iterdir():
        if NAME.fullmatch(path.name) and path.name not in known and time.time() - path.stat().st_mtime >= older:
            path.unlink(missing_ok=True)
            number += 1
    return number


def _folder() -> Path:
    folder = Path(settings.DATA_DIR) / "uploads"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder
