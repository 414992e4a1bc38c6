"""From one running cluster into another: roles, databases and rows, and a comparison of both afterwards.

The dump is made by the old programs where they have pg_dump. The new ones can read older servers too, but only those
that were known when they were made: PostgreSQL 15.20 writes a mark ``pg_attver`` to each column, which pg_dump 18.6
takes for a setting, and no other server knows it.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import psycopg
from psycopg import sql

from soar.embedded.clusters import USER
from soar.embedded.errors import EmbeddedError
from soar.embedded.postgres import Server

MAINTENANCE = "postgres"  # the database that every cluster has
OURS = f"CREATE ROLE {USER};".encode()  # initdb has made it
DATABASES = "SELECT datname FROM pg_database WHERE datallowconn AND NOT datistemplate ORDER BY datname"
SIZE = "SELECT coalesce(sum(pg_database_size(oid)), 0)::bigint FROM pg_database"
SPACES = "SELECT count(*) FROM pg_tablespace WHERE spcname NOT IN ('pg_default', 'pg_global')"
TABLES = """
SELECT n.nspname, c.relname,
       coalesce(array_agg(a.attname ORDER BY a.attnum) FILTER (WHERE a.attnum > 0), '{}')
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
WHERE c.relkind = 'r' AND n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema'
GROUP BY n.nspname, c.relname ORDER BY n.nspname, c.relname"""
# What stands around the rows, by kind. Constraints of the kind "not null" are new in PostgreSQL 18.
SHAPE = """
SELECT 'relation ' || c.relkind::text, count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema' GROUP BY 1
UNION ALL SELECT 'constraint ' || o.contype::text, count(*) FROM pg_constraint o
JOIN pg_namespace n ON n.oid = o.connamespace
WHERE n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema' AND o.contype IN ('p', 'u', 'f', 'c', 'x')
GROUP BY 1
UNION ALL SELECT 'trigger', count(*) FROM pg_trigger WHERE NOT tgisinternal
UNION ALL SELECT 'sequence ' || schemaname || '.' || sequencename, coalesce(last_value, 0) FROM pg_sequences"""


def databases(server: Server) -> list[str]:
    """Names of the databases with data, as strange ones as somebody may have made beside ours."""
    return [name for (name,) in _asked(server, MAINTENANCE, DATABASES)]


def size(server: Server) -> int:
    """Bytes of all databases. Raises EmbeddedError for data that lie outside of the cluster's folder."""
    if _asked(server, MAINTENANCE, SPACES)[0][0]:
        raise EmbeddedError("The cluster has tablespaces of its own, which only its maker can move: use pg_upgrade.")
    return int(_asked(server, MAINTENANCE, SIZE)[0][0])


def copy_roles(old: Server, new: Server) -> None:
    """All roles with their passwords and settings. Raises EmbeddedError."""
    with tempfile.TemporaryFile() as log:
        dump = _command(_dumping(old, new), "pg_dumpall", "--roles-only", f"--dbname={old.dsn(MAINTENANCE)}")
        dumped = subprocess.run(dump, stdout=subprocess.PIPE, stderr=log, check=False, env=_environment())
        lines = [line for line in dumped.stdout.split(b"\n") if line != OURS]
        load = subprocess.run(
            _psql(new, MAINTENANCE),
            input=b"\n".join(lines),
            stdout=subprocess.DEVNULL,
            stderr=log,
            check=False,
            env=_environment(),
        )
        _check("The roles", log, dumped.returncode, load.returncode)


def copy_database(old: Server, new: Server, name: str) -> None:
    """One database with everything in it; it is made in ``new`` unless every cluster has it. Raises EmbeddedError."""
    make = [] if name == MAINTENANCE else ["--create"]
    dump = _command(_dumping(old, new), "pg_dump", *make, f"--dbname={old.dsn(name)}")
    with tempfile.TemporaryFile() as log:
        with subprocess.Popen(dump, stdout=subprocess.PIPE, stderr=log, env=_environment()) as reader:
            load = subprocess.run(
                _psql(new, MAINTENANCE),
                stdin=reader.stdout,
                stdout=subprocess.DEVNULL,
                stderr=log,
                check=False,
                env=_environment(),
            )
        _check(f"The database {name}", log, reader.returncode, load.returncode)
    with psycopg.connect(new.dsn(name), autocommit=True) as connection:
        connection.execute("ANALYZE")


def compare(old: Server, new: Server, name: str) -> tuple[int, int]:
    """Compare each row of each table, each sequence, and what else there is by its number.

    Returns how many tables and rows. Raises EmbeddedError that names the first difference."""
    if (was := dict(_asked(old, name, SHAPE))) != (now := dict(_asked(new, name, SHAPE))):
        differs = next(key for key in sorted({*was, *now}, key=str) if was.get(key) != now.get(key))
        raise EmbeddedError(f"Of {differs} in {name} there were {was.get(differs)} and are {now.get(differs)}.")
    tables = rows = 0
    for schema, table, columns in _asked(old, name, TABLES):
        query = _digest(schema, table, columns)
        (before,), (after,) = _asked(old, name, query), _asked(new, name, query)
        if before != after:
            raise EmbeddedError(f"The table {table} in {name} is not the same: {before[0]} and {after[0]} rows.")
        tables, rows = tables + 1, rows + after[0]
    return tables, rows


def _digest(schema: str, table: str, columns: list[str]) -> sql.Composed:
    """How many rows, and a sum over a hash of each. Columns that the server computes itself are left out."""
    row = sql.SQL("ROW({})::text").format(sql.SQL(", ").join(map(sql.Identifier, columns)))
    return sql.SQL("SELECT count(*), coalesce(sum(hashtextextended({}, 0)::numeric), 0) FROM {}").format(
        row, sql.Identifier(schema, table)
    )


def _asked(server: Server, name: str, query: str | sql.Composed) -> list[tuple[Any, ...]]:
    with psycopg.connect(server.dsn(name)) as connection:
        return connection.execute(sql.SQL(query) if isinstance(query, str) else query).fetchall()


def _dumping(old: Server, new: Server) -> Server:
    """Whose programs write the dump."""
    return new if any(missing_programs(old.programs)) else old


def _command(server: Server, program: str, *arguments: str) -> list[str | Path]:
    return [server.programs / program, *arguments]


def _psql(server: Server, name: str) -> list[str | Path]:
    return _command(
        server,
        "psql",
        "--no-psqlrc",
        "--quiet",
        "--set=ON_ERROR_STOP=1",
        "--output=/dev/null",
        f"--dbname={server.dsn(name)}",
    )


def _environment() -> dict[str, str]:
    """Without settings of libpq that are meant for another server."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PG")}


def _check(what: str, log: IO[bytes], *codes: int) -> None:
    if any(codes):
        log.seek(0)
        said = log.read().decode(errors="replace").strip()
        raise EmbeddedError(f"{what} cannot be copied. Nothing was changed. {said[-800:]}")


def missing_programs(folder: Path) -> Iterator[str]:
    """Names of client programs that ``folder`` lacks."""
    return (name for name in ("pg_dump", "pg_dumpall", "psql") if not os.access(folder / name, os.X_OK))
