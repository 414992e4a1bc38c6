"""pg_dump, pg_restore and psql: which ones fit a server, and how they are told where it is."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from django.db import connection
from psycopg.conninfo import make_conninfo

from soar.backup import BackupError
from soar.embedded import binaries
from soar.embedded.errors import EmbeddedError

NEEDED = ("pg_dump", "pg_restore", "psql")
NOT_LIBPQ = ("cursor_factory", "context", "prepare_threshold", "pool", "password")


def programs(at_least: int) -> tuple[Path, int]:
    """The folder of the client programs that fit a server, and their major version: of the oldest major version that is
    not below ``at_least`` the newest release, wherever it is installed, or the one in ``SOAR_PG_BIN`` if that is one.

    Older ones cannot read a newer server, and newer ones write what an older server may not understand.
    Raises BackupError, with what was found instead, when there are none."""
    found = list(_installed())
    if fit := [version for version, _folder in found if version[0] >= at_least]:
        same = [one for one in found if one[0][0] == min(fit)[0]]
        version, folder = max(same, key=lambda one: (one[1] == _given(), one[0]))  # of equal ones the first
        return folder, version[0]
    needed = f"pg_dump, pg_restore and psql of PostgreSQL {at_least} or newer are needed here"
    version, folder = max(found, default=((), Path()))
    have = (
        f"; the newest found are of {'.'.join(map(str, version))}, in {folder}" if version else ", and none were found"
    )
    raise BackupError(
        f"{needed}{have}. Older ones cannot read a newer server. Install the client programs of PostgreSQL "
        f"{at_least} (Debian: apt-get install postgresql-client-{at_least}), or set SOAR_PG_BIN to the folder they are "
        "in. Nothing was written."
    )


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


def _installed() -> Iterator[tuple[tuple[int, ...], Path]]:
    """Release and folder of each set of programs that is whole and runs."""
    for folder in dict.fromkeys(_folders()):
        if all(os.access(folder / name, os.X_OK) for name in NEEDED):
            with suppress(EmbeddedError):  # a wrapper without programs, or of another machine
                yield tuple(map(int, binaries.version(folder, "pg_dump").split("."))), folder


def _folders() -> Iterator[Path]:
    if given := _given():
        yield given
    yield from binaries.candidates()
    yield from (Path(one) for one in os.get_exec_path() if Path(one).is_absolute())


def _given() -> Path | None:
    given = os.environ.get("SOAR_PG_BIN")
    return Path(given).expanduser().resolve() if given else None
