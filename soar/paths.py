"""Where Soar keeps its data on this machine."""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path

# A Unix socket's whole path must fit into 107 bytes; ".s.PGSQL.5432.lock" is the longest name in it.
LONGEST_SOCKET_FOLDER = 85


def data_dir() -> Path:
    """``SOAR_DATA`` or ``var/`` beside manage.py, absolute. It may not exist yet."""
    default = Path(__file__).resolve().parent.parent / "var"
    return Path(os.environ.get("SOAR_DATA") or default).expanduser().resolve()


def socket_dir() -> Path:
    """The folder of the embedded database's socket: inside the data folder, or, where that
    path is too long for a socket, a private folder of this user whose name is made from it."""
    inside = data_dir() / "run"
    if len(os.fsencode(str(inside))) <= LONGEST_SOCKET_FOLDER:
        return inside
    digest = hashlib.sha256(os.fsencode(str(inside))).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"soar-{os.geteuid()}-{digest}"
