"""Opening a backup: into a private folder of its own, every byte compared with the manifest before anything is done."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from soar.backup import BackupError
from soar.backup.folders import marked, sweep
from soar.backup.sealing import is_sealed, unseal
from soar.backup.writing import DUMP, FOLDERS, FORMAT, KEYS, MANIFEST, PIECE

# Names that a backup may hold; nothing else is ever made into a path.
NAME = re.compile(rf"(?:{'|'.join(FOLDERS)})(?:/(?!\.{{1,2}}(?:/|$))[A-Za-z0-9._-]+)+")
MANIFEST_AT_MOST = 256 * 1024 * 1024


@dataclass(frozen=True)
class Opened:
    """A backup on disk: its manifest, and ``folder`` with what it holds under the same names."""

    manifest: dict[str, Any]
    folder: Path

    @property
    def keys(self) -> dict[str, Any]:
        """``secret_key`` and ``encryption_keys``."""
        found: dict[str, Any] = json.loads((self.folder / KEYS).read_text(encoding="utf-8"))
        return found

    @property
    def dump(self) -> Path:
        """What pg_restore reads."""
        return self.folder / DUMP

    def files(self) -> list[str]:
        """Names of what belongs into the data folder."""
        return [name for name in self.manifest["files"] if name not in (DUMP, KEYS)]


@contextmanager
def opened(path: Path, beside: Path, passphrase: str = "") -> Iterator[Opened]:
    """The backup in a new folder inside ``beside``, whole and compared; the folder is deleted afterwards.

    Raises BackupError for whatever is no whole backup."""
    if not path.is_file():
        raise BackupError(f"There is no file {path}.")
    _make_room(beside)
    try:
        with marked(lambda: _folder(beside)) as folder:
            try:
                yield _taken(path, folder, passphrase)
            finally:
                shutil.rmtree(folder, ignore_errors=True)
    except (zipfile.BadZipFile, json.JSONDecodeError, KeyError, TypeError) as error:
        raise BackupError(f"{path} is no whole backup of Soar: {error}") from error


def _make_room(beside: Path) -> None:
    try:
        beside.mkdir(mode=0o700, parents=True, exist_ok=True)
        sweep(beside.glob(".restore-*"))
    except OSError as error:
        raise BackupError(f"The backup cannot be opened in {beside}: {error}") from error


def _folder(beside: Path) -> Path:
    try:
        return Path(tempfile.mkdtemp(prefix=".restore-", dir=beside))
    except OSError as error:
        raise BackupError(f"The backup cannot be opened in {beside}: {error}") from error


def _taken(path: Path, folder: Path, passphrase: str) -> Opened:
    try:
        return _open(path, folder, passphrase)
    except OSError as error:
        raise BackupError(f"The backup cannot be opened: {error}") from error


def _open(path: Path, folder: Path, passphrase: str) -> Opened:
    plain = path
    if is_sealed(path):
        if not passphrase:
            raise BackupError("The backup is encrypted: give its passphrase in SOAR_BACKUP_PASSPHRASE.")
        plain = folder / "backup.zip"
        with os.fdopen(os.open(plain, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as out:
            unseal(path, out, passphrase)
    with zipfile.ZipFile(plain) as archive:
        manifest = _manifest(archive)
        for name, told in manifest["files"].items():
            _extract(archive, name, told, folder)
    if plain != path:
        plain.unlink()
    return Opened(manifest, folder)


def _manifest(archive: zipfile.ZipFile) -> dict[str, Any]:
    if archive.getinfo(MANIFEST).file_size > MANIFEST_AT_MOST:
        raise BackupError("The manifest of this file is too large to be one.")
    manifest: dict[str, Any] = json.loads(archive.read(MANIFEST))
    if manifest["format"] != FORMAT:
        raise BackupError(f"The backup has format {manifest['format']!r}; this version reads {FORMAT}.")
    if not {DUMP, KEYS} <= set(manifest["files"]):
        raise BackupError("The backup holds no database or no keys.")
    return manifest


def _extract(archive: zipfile.ZipFile, name: str, told: dict[str, Any], folder: Path) -> None:
    if name not in (DUMP, KEYS) and not NAME.fullmatch(name):
        raise BackupError(f"The backup names {name!r:.100}, which no portal writes.")
    target, digest, size = folder / name, hashlib.sha256(), 0
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (
        archive.open(name) as source,
        os.fdopen(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as out,
    ):
        while piece := source.read(PIECE):
            size += len(piece)
            if size > told["size"]:
                break
            digest.update(piece)
            out.write(piece)
    if size != told["size"] or digest.hexdigest() != told["sha256"]:
        raise BackupError(f"{name} is not what the manifest says; the backup was changed or damaged.")
