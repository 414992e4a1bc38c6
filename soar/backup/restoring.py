"""Bringing a backup back. What is put where, and in which order, so that a crash at any moment leaves either the old
portal or the new one, and the same command can simply be run again:

1. files of evidence, which are only added: each under its own hash;
2. the keys of secrets, the new ones before the old ones, so that both databases can be read;
3. the database, in one transaction;
4. the other files, and the key that signs sessions.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import IO, Any

from django.conf import settings
from django.db import connection, connections
from django.db.migrations.loader import MigrationLoader

from soar.backup import BackupError
from soar.backup.programs import address, environment, programs, server_major
from soar.backup.reading import Opened
from soar.backup.writing import PIECE
from soar.keys import put_secret
from soar.lib.crypto import forget_local_key, key_texts

TABLES = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"
OTHERS = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'"""
CLEAR = b"DROP SCHEMA public CASCADE;\nCREATE SCHEMA public;\n"
NOT_BELOW_17 = b"SET transaction_timeout = 0;\n"  # written by newer programs, not known to older servers


def restore(backup: Opened, *, replace: bool) -> None:
    """Bring ``backup`` into this portal's database and data folder. Nobody else may be connected.

    Raises BackupError before anything is changed: data are here and not ``replace``, the portal runs, the backup is of
    a newer version, the programs of PostgreSQL are missing or too old, or the environment gives other keys."""
    _refuse(backup, replace)
    tools = programs(max(server_major(), backup.manifest["pg_dump"]))
    _place(backup, [name for name in backup.files() if name.startswith("evidence/")])
    _take_keys(backup.keys)
    _restore_database(backup, replace, tools)
    _place(backup, [name for name in backup.files() if not name.startswith("evidence/")])
    if settings.EMBEDDED and not os.environ.get("SECRET_KEY"):
        put_secret("secret_key", backup.keys["secret_key"])


def _refuse(backup: Opened, replace: bool) -> None:
    known = {f"{app}.{name}" for app, name in MigrationLoader(None).disk_migrations}
    ours = {name.partition(".")[0] for name in known}
    if newer := [one for one in backup.manifest["migrations"] if one.partition(".")[0] in ours and one not in known]:
        raise BackupError(f"The backup is of a newer version of Soar ({newer[0]} is not known here): update first.")
    if backup.manifest["postgresql"] > server_major():
        was, here = backup.manifest["postgresql"], server_major()
        raise BackupError(f"The backup was made on PostgreSQL {was}; this server is {here}, which is older.")
    if _asked(OTHERS):
        raise BackupError("The portal is running, or somebody else uses its database: stop it first.")
    if not replace and (_asked(TABLES) or any((Path(settings.DATA_DIR) / "evidence").rglob("?" * 64))):
        raise BackupError(
            "This portal holds data. Restore into a new SOAR_DATA or an empty database, "
            "or give --replace: then what is here is deleted."
        )
    given = settings.ENCRYPTION_KEYS
    if given and not set(backup.keys["encryption_keys"]) <= set(given):
        raise BackupError(
            "SOAR_ENCRYPTION_KEYS lacks a key that the secrets in the backup need. Add it, or unset the variable: "
            "then the keys of the backup are kept in the data folder."
        )


def _asked(query: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(query)
        return int(cursor.fetchone()[0])


def _take_keys(keys: dict[str, Any]) -> None:
    if settings.ENCRYPTION_KEYS:
        return
    wanted = list(dict.fromkeys([*keys["encryption_keys"], *key_texts()]))
    put_secret("encryption_key", ",".join(wanted))
    forget_local_key()


def _place(backup: Opened, names: list[str]) -> None:
    """Put files where they stay, each by one rename within the same disk."""
    for name in names:
        target = Path(settings.DATA_DIR)
        for part in Path(name).parts[:-1]:
            target = target / part
            target.mkdir(mode=0o700, exist_ok=True)
        os.replace(backup.folder / name, target / Path(name).name)


def _restore_database(backup: Opened, replace: bool, tools: tuple[Path, int]) -> None:
    """Everything in one transaction. It is ended by us, and only after pg_restore has ended well: if either program
    dies the database is as it was."""
    folder, major = tools
    clear = bool(replace and _asked(TABLES))
    older = server_major() < 17 <= major
    connections.close_all()
    read = [str(folder / "pg_restore"), "--no-owner", "--no-acl", "--file=-", str(backup.dump)]
    run = [
        str(folder / "psql"),
        "--no-psqlrc",
        "--quiet",
        "--set=ON_ERROR_STOP=1",
        "--output=/dev/null",
        f"--dbname={address()}",
    ]
    with (
        (backup.folder / "psql.log").open("w+b") as log,
        subprocess.Popen(read, stdout=subprocess.PIPE, stderr=log) as reader,
        subprocess.Popen(run, stdin=subprocess.PIPE, stdout=log, stderr=log, env=environment()) as writer,
    ):
        assert reader.stdout
        assert writer.stdin
        try:
            writer.stdin.write(b"BEGIN;\n" + (CLEAR if clear else b""))
            _pass_on(reader.stdout, writer.stdin, without=NOT_BELOW_17 if older else b"")
            if reader.wait() == 0:
                writer.stdin.write(b"\nCOMMIT;\n")
            writer.stdin.close()
        except BrokenPipeError:
            reader.kill()
        failed = writer.wait() or reader.wait()
        log.seek(0)
        said = log.read().decode(errors="replace").strip()
    if failed:
        raise BackupError(f"The database was not restored and is as it was: {said[-800:]}")


def _pass_on(source: IO[bytes], target: IO[bytes], *, without: bytes) -> None:
    head = source.read(PIECE)
    target.write(head.replace(without, b"", 1) if without else head)
    shutil.copyfileobj(source, target, PIECE)
