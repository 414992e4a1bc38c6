"""The embedded database under a newer major version of PostgreSQL (operations.md 2).

Both servers run side by side, on sockets that nobody else uses. The new cluster is filled beside the old one, compared
with it row by row, and takes its place only then. The old one is only read, and kept. Whatever ends this at any
moment, the portal stands on the old data or on the new ones, and the same command can be given again.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

from soar.embedded import binaries, clusters, copying
from soar.embedded.errors import EmbeddedError
from soar.embedded.postgres import Server
from soar.embedded.use import server

OLD_PORT, NEW_PORT = 5433, 5434
READ_ONLY = {"default_transaction_read_only": "on"}
# The new cluster counts only when all of it was written out, so until then nothing has to survive a crash.
FILLING = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "autovacuum": "off",
    "max_wal_size": "256MB",
}
LOG = 512 * 1024 * 1024  # bytes beside the data: the new log, and what building indexes needs at a time
Say = Callable[[str], None]


def upgrade(programs: Path | None, say: Say) -> bool:
    """Bring the cluster of ``SOAR_DATA`` to the version of the programs that are found; ``programs`` is the folder of
    those of the old version, which are looked for if it is None. ``say`` is told each step.

    Returns whether there was something to do.
    Raises InUse while the portal runs, EmbeddedError with what to do otherwise; then the old data are as they were."""
    own = server()
    own.take()
    try:
        return _upgrade(own, programs, say)
    finally:
        own.stop()


def remove_old(say: Say) -> None:
    """Delete what upgrades have left, if the portal's data are of the present version. Raises EmbeddedError."""
    own = server()
    cluster = own.cluster.resolve()
    here = binaries.major(binaries.find())
    if clusters.version(cluster) != here:
        raise EmbeddedError(f"The data in {cluster} are not of PostgreSQL {here}: the old ones are still needed.")
    left = [path for path in sorted(cluster.parent.glob(f"{clusters.MAIN}.*")) if path.suffix[1:].isdigit()]
    for path in left:
        binaries.remove_copy(int(path.suffix[1:]), cluster.parent)
        shutil.rmtree(path)
        say(f"{path} is deleted.")
    if not left:
        say("There are no old data.")


def _upgrade(own: Server, given: Path | None, say: Say) -> bool:
    own.prepare()
    was, becomes = clusters.version(own.cluster), binaries.major(own.programs)
    if was is None:
        raise EmbeddedError(f"There is no database in {own.data} yet.")
    if was >= becomes:
        clusters.check_version(own.cluster, own.programs)
        say(f"The database is of PostgreSQL {was}, as the programs are: there is nothing to do.")
        return False
    old_programs = binaries.given(given, was) if given else binaries.of_version(was, own.cluster.parent)
    _refuse(own, was)
    old = own.beside(clusters.MAIN, OLD_PORT, READ_ONLY, old_programs)
    new = own.beside(clusters.UPGRADE, NEW_PORT, FILLING)
    whole = False
    try:
        tables, rows = _fill(old, new, say)
        whole = True
    finally:
        old.halt()
        new.halt()
        if not whole:
            new.discard()  # the old portal needs the room
    os.sync()
    clusters.swap(own.cluster, new.cluster, was)
    say(f"PostgreSQL {becomes} has the data: {tables} tables with {rows} rows, all compared.")
    say(f"Those of PostgreSQL {was} are kept in {clusters.kept(own.cluster, was)}.")
    return True


def _refuse(own: Server, was: int) -> None:
    if lacking := ", ".join(copying.missing_programs(own.programs)):
        raise EmbeddedError(f"{own.programs} lacks {lacking}: install the client programs of PostgreSQL there.")
    if (kept := clusters.kept(own.cluster, was)).exists():
        raise EmbeddedError(f"{kept} is there already, from an earlier upgrade: move it away first.")


def _fill(old: Server, new: Server, say: Say) -> tuple[int, int]:
    """Make and fill the new cluster; returns how many tables and rows were compared."""
    say("Starting the old server, which is only read.")
    old.start()
    new.prepare()
    new.discard()  # what an attempt that was cut off left takes no room of this one
    _check_room(old)
    say("Making the new cluster.")
    new.start()
    copying.copy_roles(old, new)
    tables = rows = 0
    for name in copying.databases(old):
        say(f"Copying {name}.")
        copying.copy_database(old, new, name)
        say(f"Comparing {name}.")
        of_this = copying.compare(old, new, name)
        tables, rows = tables + of_this[0], rows + of_this[1]
    return tables, rows


def _check_room(old: Server) -> None:
    needed, free = copying.size(old) * 6 // 5 + LOG, shutil.disk_usage(old.cluster).free
    if free < needed:
        raise EmbeddedError(
            f"The disk of {old.cluster} has {free // 10**6} MB free; the copy needs {needed // 10**6} MB."
        )
