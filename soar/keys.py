"""Keys made for this machine when none are given: files of mode 0600 in the data folder."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from soar.paths import data_dir


def local_secret(name: str) -> str:
    """The secret kept in ``<data folder>/<name>``; made on first use. Safe when two processes ask at once."""
    path = data_dir() / name
    if not path.exists():
        _make(path, secrets.token_urlsafe(48))
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
