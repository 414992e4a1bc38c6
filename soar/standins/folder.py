"""What of the practice range lasts: where it is, which accounts were made for it, what its stand-ins were told.

It stands in the data folder, so that the range comes back at the same place after a restart."""

from __future__ import annotations

import json
import os
from functools import lru_cache
from pathlib import Path
from typing import Any

from soar.paths import data_dir

NAME = "practice-range"


def folder() -> Path:
    """The folder; it may not exist yet."""
    return data_dir() / NAME


def write(name: str, value: Any) -> None:
    """Keep ``value`` as JSON, whole or not at all."""
    place = folder()
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    made = place / f"{name}.json.new"
    made.write_text(json.dumps(value), encoding="utf-8")
    made.replace(place / f"{name}.json")


def read(name: str) -> Any:
    """What was kept; None if nothing was, or what is there is no JSON."""
    try:
        return json.loads((folder() / f"{name}.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def running() -> dict[str, dict[str, str]]:
    """``{kind: {"url", "control"}}`` of the range that this portal started; {} when none is running."""
    path = folder() / "range.json"
    try:
        stamp = path.stat()
    except OSError:
        return {}
    found: dict[str, Any] = _range(str(path), stamp.st_mtime_ns, stamp.st_ino)
    return found["urls"] if _alive(found.get("pid")) else {}


@lru_cache(maxsize=4)
def _range(path: str, _changed: int, _file: int) -> dict[str, Any]:
    """Asked on every page: the file is read when it has changed."""
    found = read("range")
    return found if isinstance(found, dict) and isinstance(found.get("urls"), dict) else {"urls": {}}


def _alive(pid: Any) -> bool:
    try:
        os.kill(int(pid), 0)
    except (TypeError, ValueError, ProcessLookupError):
        return False
    except PermissionError:
        return True
    return True
