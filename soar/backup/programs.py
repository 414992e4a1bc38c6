"""pg_dump, pg_restore and psql: which ones fit a server, and how they are told where it is."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from django.db import connection
from psycopg.conninfo import make_conninfo

from soar.backup import BackupError
from soar.embedded import binaries

NEEDED = ("pg_dump", "pg_restore", "psql")
NOT_LIBPQ = ("cursor_factory", "context", "prepare_threshold", "pool", "password")


def programs(at_least: int) -> tuple[Path, int]:
    """The folder of programs of the oldest major version that is not below ``at_least``, and that version.

    Older ones cannot read a newer server, and newer ones write what an older server may not understand.
    Raises BackupError when there are none."""
    found: dict[int, Path] = {}
    for folder in _folders():
        if all(os.access(folder / name, os.X_OK) for name in NEEDED):
            found.setdefault(_major(folder), folder)
    fit = sorted(number for number in found if number >= at_least)
    if not fit:
        raise BackupError(
            f"There is no pg_dump, pg_restore and psql of PostgreSQL {at_least} or newer here: install the client "
            "programs of PostgreSQL, or set SOAR_PG_BIN to the folder they are in."
        )
    return found[fit[0]], fit[0]


def server_major() -> int:
    """The major version of the server that the portal uses."""
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version_num")
        return int(cursor.fetchone()[0]) // 10_000


def address() -> str:
    """Where the database is, as libpq takes it; without the password, which no list of processes shall show."""
    given = {key: value for key, value in connection.get_connection_params().items() if key not in NOT_LIBPQ}
    return make_conninfo(**given)


def environment() -> dict[str, str]:
    """What the programs run with: the password is in here."""
    password = connection.get_connection_params().get("password")
    return {**os.environ, **({"PGPASSWORD": str(password)} if password else {})}


def _folders() -> Iterator[Path]:
    if given := os.environ.get("SOAR_PG_BIN"):
        yield Path(given).expanduser().resolve()
    yield from binaries.candidates()
    if on_path := shutil.which("pg_dump"):
        yield Path(on_path).parent


def _major(folder: Path) -> int:
    return binaries.major(folder, "pg_dump")
