"""Writing a backup: one zip of dump, files, keys and a manifest with their hashes, sealed if there is a passphrase.

The dump is one snapshot; files are copied after it. They are only ever added under new names, or deleted when their
row is, so the copy has every file that the dump names but for those deleted in between.
"""

from __future__ import annotations

import glob
import hashlib
import io
import json
import os
import secrets
import subprocess
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from django.conf import settings
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder

from soar import __version__
from soar.backup import BackupError
from soar.backup.folders import marked, sweep
from soar.backup.programs import address, environment, programs, server_major
from soar.backup.sealing import Sealer
from soar.lib import clock
from soar.lib.crypto import key_texts

FORMAT = 1
DUMP, KEYS, MANIFEST = "database.dump", "keys.json", "manifest.json"
FOLDERS = ("evidence", "uploads", "exports", "attack")  # of the data folder; what else is there is made again
SKIPPED = "incoming"  # uploads of evidence under way
# What must not come back: who was signed in, signs of life, counts of wrong passwords.
WITHOUT_ROWS = ("django_session", "accounts_loginsession", "soar_heartbeat", "soar_cache")
PIECE = 1024 * 1024


def write(target: Path, passphrase: str = "") -> dict[str, Any]:
    """Write the backup to ``target``, which must not exist; it appears whole, with mode 0600, or not at all.

    Returns the manifest. Raises BackupError."""
    if target.exists():
        raise BackupError(f"{target} is there already; a backup overwrites nothing.")
    tools = programs(server_major())  # before anything is written
    sweep(target.parent.glob(f".{glob.escape(target.name)}.*.part"))
    try:
        with marked(lambda: _part_of(target)) as part:
            try:
                return _written(part, target, passphrase, tools)
            finally:
                part.unlink(missing_ok=True)
    except FileExistsError:
        raise BackupError(f"{target} is there already; a backup overwrites nothing.") from None
    except OSError as error:
        raise BackupError(f"The backup cannot be written: {error}") from error


def _part_of(target: Path) -> Path:
    """A new file beside the target: two at once never write into one."""
    part = target.with_name(f".{target.name}.{secrets.token_hex(8)}.part")
    os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_WRONLY, 0o600))
    return part


def _written(part: Path, target: Path, passphrase: str, tools: tuple[Path, int]) -> dict[str, Any]:
    with os.fdopen(os.open(part, os.O_NOFOLLOW | os.O_WRONLY), "wb") as out:
        manifest = _write_sealed(out, passphrase, tools)
        out.flush()
        os.fsync(out.fileno())
        _put(part, target)
    return manifest


def _put(part: Path, target: Path) -> None:
    """Give the whole file its name. Raises FileExistsError if somebody else was first."""
    try:
        os.link(part, target)
    except FileExistsError:
        raise
    except OSError:  # a file system without hard links, as on a share or a stick
        os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        try:
            os.replace(part, target)
        except OSError:
            target.unlink()  # the empty file of just now, which would look like a backup
            raise


def _write_sealed(out: IO[bytes], passphrase: str, tools: tuple[Path, int]) -> dict[str, Any]:
    if not passphrase:
        return _write_zip(out, tools)
    sealer = Sealer(out, passphrase)
    manifest = _write_zip(sealer, tools)
    sealer.close()
    return manifest


def _write_zip(out: Any, tools: tuple[Path, int]) -> dict[str, Any]:
    files: dict[str, dict[str, Any]] = {}
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED, strict_timestamps=False) as archive:
        manifest = _about()

        def add(name: str, fill: Callable[[IO[bytes]], None]) -> None:
            with archive.open(name, "w", force_zip64=True) as inner:
                counted = _Counted(inner)
                fill(counted)  # type: ignore[arg-type]
            files[name] = {"size": counted.size, "sha256": counted.digest.hexdigest()}

        folder, manifest["pg_dump"] = tools
        _dump(add, folder)
        for path in _files():
            with _still_there(path) as file:
                if file is not None:
                    add(path.relative_to(settings.DATA_DIR).as_posix(), lambda inner, f=file: _copy(f, inner))  # type: ignore[misc]
        keys = {"secret_key": settings.SECRET_KEY, "encryption_keys": list(key_texts())}
        add(KEYS, lambda inner: _copy(io.BytesIO(json.dumps(keys).encode()), inner))
        manifest["files"] = files
        archive.writestr(MANIFEST, json.dumps(manifest, indent=1))
    return manifest


def _about() -> dict[str, Any]:
    applied = MigrationRecorder(connection).applied_migrations()
    return {
        "format": FORMAT,
        "soar": __version__,
        "made_at": clock.iso(clock.now()),
        "postgresql": server_major(),
        "migrations": sorted(f"{app}.{name}" for app, name in applied),
    }


def _dump(add: Callable[[str, Callable[[IO[bytes]], None]], None], folder: Path) -> None:
    """Add the dump as the pg_dump in ``folder`` writes it."""
    without = [f"--exclude-table-data=public.{name}" for name in WITHOUT_ROWS]
    command = [str(folder / "pg_dump"), "--format=custom", "--no-owner", "--no-acl", *without, f"--dbname={address()}"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment()) as process:
        assert process.stdout
        assert process.stderr
        source = process.stdout
        add(DUMP, lambda inner: _copy(source, inner))
        said = process.stderr.read().decode(errors="replace").strip()
    if process.returncode:
        raise BackupError(f"pg_dump failed: {said[-600:]}")


def _files() -> Iterator[Path]:
    for name in FOLDERS:
        for path in sorted((Path(settings.DATA_DIR) / name).rglob("*")):
            if path.is_file() and not path.is_symlink() and SKIPPED not in path.parts:
                yield path


@contextmanager
def _still_there(path: Path) -> Iterator[IO[bytes] | None]:
    try:
        file = path.open("rb")
    except FileNotFoundError:  # deleted since the folder was read
        yield None
        return
    with file:
        yield file


def _copy(source: IO[bytes], target: IO[bytes]) -> None:
    while piece := source.read(PIECE):
        target.write(piece)


class _Counted:
    """Passes bytes on, and knows how many and their hash."""

    def __init__(self, inner: IO[bytes]) -> None:
        self._inner, self.size, self.digest = inner, 0, hashlib.sha256()

    def write(self, data: bytes) -> int:
        self.size += len(data)
        self.digest.update(data)
        return self._inner.write(data)
