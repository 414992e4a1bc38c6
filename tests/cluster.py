"""A throw-away PostgreSQL and data folder for one run of the tests, shared by all its processes."""

from __future__ import annotations

import atexit
import os
import shutil
import sys
import tempfile
from pathlib import Path
from urllib.parse import quote

from soar.embedded import EmbeddedError, Server
from soar.embedded.lock import FolderLock

PREFIX = "soar-tests-"
TAKEN = "SOAR_TESTS_DATA_OF"  # the process of pytest-xdist whose data folder this one and its children have
OPTIONS = {
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "shared_buffers": "64MB",
    "max_connections": "60",
    "autovacuum": "off",
    "log_min_duration_statement": "-1",
}


def prepare_environment() -> None:
    """Set the environment that the settings are read from. A given ``DATABASE_URL`` is used as it is.

    Processes of the same run (pytest-xdist) find everything set and start nothing.
    """
    if os.environ.get("SOAR_TESTS_READY"):
        return
    folder = _memory()
    _clear_old(folder)
    own = Path(tempfile.mkdtemp(prefix=PREFIX, dir=folder))
    atexit.register(shutil.rmtree, own, ignore_errors=True)
    (own / "data" / "static").mkdir(parents=True)
    os.environ.update(
        SOAR_TESTS_READY="1",
        SOAR_DATA=str(own / "data"),
        SECRET_KEY="only for tests, " * 4,
        SOAR_DEMO="0",
        SOAR_LOG_LEVEL=os.environ.get("SOAR_LOG_LEVEL", "WARNING"),
        DJANGO_SETTINGS_MODULE="tests.settings",
        DJANGO_ALLOW_ASYNC_UNSAFE="1",  # Playwright keeps a loop in the thread that also asks the database
    )
    if "DATABASE_URL" not in os.environ:
        os.environ["DATABASE_URL"] = _start(own)


def take_own_data() -> None:
    """A data folder for this process of several (pytest-xdist), as it has a database of its own: the same bytes are the
    same evidence, and one would take away the file of the other. The settings ask for it, as they are read first. A
    process that a test starts has the folder that the test gives it."""
    worker = os.environ.get("PYTEST_XDIST_WORKER")
    if not worker or os.environ.get(TAKEN) == worker:
        return
    os.environ[TAKEN] = worker
    data = Path(os.environ["SOAR_DATA"]).with_name(f"data-{worker}")
    (data / "static").mkdir(parents=True, exist_ok=True)
    os.environ["SOAR_DATA"] = str(data)


def _start(folder: Path) -> str:
    folder.chmod(0o711)  # as root the server runs as another user, which has to pass through
    server = Server(folder / "postgres", folder / "postgres" / "run", OPTIONS)
    try:
        server.start()
    except EmbeddedError as error:
        sys.exit(f"The tests have no database: {error}")
    atexit.register(server.stop)
    server.ensure_database()
    return f"postgresql://soar@/soar?host={quote(str(server.socket), safe='')}"


def _memory() -> str | None:
    """In memory where there is room: the tests' data are not worth a disk."""
    shared = Path("/dev/shm")
    if shared.is_dir() and os.access(shared, os.W_OK) and shutil.disk_usage(shared).free > 500_000_000:
        return str(shared)
    return None


def _clear_old(folder: str | None) -> None:
    """Remove what earlier runs that were killed have left, but nothing of a run that is going on."""
    for left in Path(folder or tempfile.gettempdir()).glob(f"{PREFIX}*"):
        lock = FolderLock(left / "postgres")
        try:
            lock.take()
        except (EmbeddedError, OSError):
            continue
        lock.release()
        shutil.rmtree(left, ignore_errors=True)
