"""The folders of clusters beside each other: made whole or not at all, told apart by version, and swapped.

pgdata           what the portal runs on
pgdata.new       being made by initdb; counts for nothing
pgdata.upgrade   being filled by an upgrade; counts for nothing
pgdata.ready     filled and compared: the next ``pgdata``
pgdata.15        what an upgrade has left of version 15, until somebody removes it
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from soar.embedded import binaries
from soar.embedded.account import Account
from soar.embedded.errors import EmbeddedError

USER = "soar"
LOCALE = "C" if sys.platform == "darwin" else "C.UTF-8"  # the same order of text on every machine
MAIN, UPGRADE, READY = "pgdata", "pgdata.upgrade", "pgdata.ready"


def version(cluster: Path) -> int | None:
    """The major version that made ``cluster``; None where there is none."""
    mark = cluster / "PG_VERSION"
    return int(mark.read_text(encoding="ascii").strip().split(".")[0]) if mark.exists() else None


def make(cluster: Path, programs: Path, who: Account, *, sync: bool) -> None:
    """Make a cluster beside its place and move it there, so that a half-made one never counts.

    With ``sync`` it is on the disk afterwards. Raises EmbeddedError."""
    new = cluster.with_name(cluster.name + ".new")
    shutil.rmtree(new, ignore_errors=True)
    made = subprocess.run(
        [programs / "initdb", "-D", new, "-U", USER, "-A", "trust", "-E", "UTF8", f"--locale={LOCALE}", "-k", "-N"],
        capture_output=True,
        text=True,
        check=False,
        cwd="/",
        **who.popen(),
    )
    if made.returncode:
        raise EmbeddedError(f"The database cannot be made in {new}: {made.stderr.strip()[-600:]}")
    if sync:
        os.sync()  # initdb was told not to: this writes the same bytes once
    new.rename(cluster)


def check_version(cluster: Path, programs: Path) -> None:
    """Raises EmbeddedError, with what to do, unless ``programs`` are of the version that made ``cluster``."""
    was, here = version(cluster), binaries.major(programs)
    if was is None or was == here:
        return
    begin = f"The data in {cluster} are of PostgreSQL {was}, the programs of {here}. Nothing was changed. "
    if was > here:
        raise EmbeddedError(
            f"{begin}Older programs cannot read them: bring the newer packages, or set SOAR_PG_BIN to the bin folder "
            f"of a PostgreSQL {was}."
        )
    raise EmbeddedError(
        f"{begin}Run `python3 manage.py upgrade_database`; it needs the programs of PostgreSQL {was} once more."
    )


def kept(cluster: Path, was: int) -> Path:
    """Where an upgrade leaves the data of version ``was``."""
    return cluster.with_name(f"{MAIN}.{was}")


def swap(cluster: Path, filled: Path, was: int) -> None:
    """Put ``filled`` in the place of ``cluster``, which is kept.

    Three renames, each of which is done or not done: whatever ends this in between, ``settle`` goes on from there."""
    ready = cluster.with_name(READY)
    filled.rename(ready)
    cluster.rename(kept(cluster, was))
    ready.rename(cluster)


def settle(cluster: Path) -> None:
    """Finish a swap that was cut off after the old data had left their place; before that, it is forgotten, as the old
    data may go on."""
    ready = cluster.with_name(READY)
    if cluster.name != MAIN or not ready.exists():
        return
    if cluster.exists():
        shutil.rmtree(ready)
    else:
        ready.rename(cluster)
