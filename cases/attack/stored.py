"""The catalogue in use: the one that was imported on this machine, else the one that Soar brings."""

from __future__ import annotations

import json
import logging
import os
import tempfile
import time
from functools import cache
from pathlib import Path
from typing import Any

from django.conf import settings

from cases.attack.catalog import Catalog
from cases.attack.stix import document_of

logger = logging.getLogger(__name__)
SHIPPED = Path(__file__).parent / "enterprise.json"
BYTES_AT_MOST = 200 * 1024 * 1024  # MITRE's file has 50 MB
LOOK_AGAIN = 5.0  # seconds: a look at the file's time costs microseconds, names are asked for hundreds of times a page
_seen: dict[str, Any] = {"at": 0.0, "key": None, "catalog": None}


def imported_path() -> Path:
    """Where an imported release stands: in the data folder, which all parts of the portal share."""
    return Path(settings.DATA_DIR) / "attack" / "enterprise.json"


def catalog() -> Catalog:
    """The catalogue. A release that was imported meanwhile is noticed within seconds, without a restart."""
    now = time.monotonic()
    if _seen["catalog"] is None or now - _seen["at"] > LOOK_AGAIN or _seen["key"][0] != str(imported_path()):
        _look(now)
    found: Catalog = _seen["catalog"]
    return found


def forget() -> None:
    """Look at the file again when the catalogue is asked for next."""
    _seen["catalog"] = None


def import_bundle(path: Path) -> Catalog:
    """Take the names of MITRE's STIX bundle in ``path``. Raises ValueError in words for a file that is none."""
    if path.stat().st_size > BYTES_AT_MOST:
        raise ValueError(f"The file is larger than {BYTES_AT_MOST // 1024 // 1024} MiB.")
    try:
        document = document_of(json.loads(path.read_bytes()))
    except (UnicodeDecodeError, RecursionError, json.JSONDecodeError) as error:
        raise ValueError(f"The file is no JSON: {error}") from error
    found = Catalog.of(document)
    _write(json.dumps(document, ensure_ascii=False, indent=0).encode())
    forget()
    return found


def _look(now: float) -> None:
    path = imported_path()
    try:
        facts = path.stat()
        key = (str(path), facts.st_mtime_ns, facts.st_size, facts.st_ino)
    except OSError:
        key = (str(path), 0, 0, 0)
    if _seen["catalog"] is None or key != _seen["key"]:
        _seen["catalog"] = _read(path) if key[1] else _shipped()
    _seen["key"], _seen["at"] = key, now


def _read(path: Path) -> Catalog:
    """A file that cannot be read is said in the log; names are then those that Soar brings."""
    try:
        return Catalog.of(json.loads(path.read_bytes()))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        logger.exception("The imported ATT&CK release %s cannot be read", path)
        return _shipped()


@cache
def _shipped() -> Catalog:
    return Catalog.of(json.loads(SHIPPED.read_bytes()))


def _write(body: bytes) -> None:
    """All of it or nothing: readers never see half a file."""
    path = imported_path()
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".import-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(body)
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
