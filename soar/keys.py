"""Keys made for this machine when none are given: files of mode 0600 in the data folder."""

from __future__ import annotations

import os
import secrets
from functools import lru_cache
from pathlib import Path

from soar.paths import data_dir


def local_secret(name: str) -> str:
    """The secret kept in ``<data folder>/<name>``; made on first use. Safe when two processes ask at once."""
    path = _folder(os.environ.get("SOAR_DATA", "")) / name
    if not path.exists():
        _make(path, secrets.token_urlsafe(48))
    found = path.stat()
    return _read(path, (found.st_ino, found.st_mtime_ns, found.st_size))


def put_secret(name: str, value: str) -> None:
    """Replace the secret kept under ``name``, whole or not at all: a restore brings that of the backup."""
    path = _folder(os.environ.get("SOAR_DATA", "")) / name
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    with os.fdopen(os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w", encoding="ascii") as file:
        file.write(value)
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, path)


@lru_cache(maxsize=8)
def _folder(_given: str) -> Path:
    """The data folder; to follow each link of its path anew costs more than all else here."""
    return data_dir()


@lru_cache(maxsize=8)
def _read(path: Path, _state: tuple[int, int, int]) -> str:
    """What the file holds, read once as long as it is the same one: each secret that is opened asks for the key."""
    return path.read_text(encoding="ascii").strip()


def _make(path: Path, value: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    descriptor = os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(value)
    try:
        os.link(temporary, path)  # fails if another process was first: its secret is kept
    except FileExistsError:
        pass
    finally:
        temporary.unlink()
