"""One PostgreSQL server on a data folder: made, started, watched and stopped by the process that owns the folder.

Safe against what kills a server or its owner: the folder is locked as long as it is used, a new cluster counts only
when it is complete, and the marks of a dead server are removed only when no process lives in the data.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from soar.embedded import binaries, clusters
from soar.embedded.account import account
from soar.embedded.clusters import MAIN, USER
from soar.embedded.errors import EmbeddedError
from soar.embedded.folders import Folders, make_data_folder, prepare
from soar.embedded.lock import FolderLock
from soar.embedded.processes import die_with_parent, living_in, send

DATABASE = "soar"
PORT = 5432  # the socket's name only: nothing listens on a port
LONGEST_LOG = 10_000_000
STEP = 0.01  # seconds between two looks at something that is on its way

OPTIONS: Mapping[str, str] = {
    "listen_addresses": "",  # the socket only, in a private folder
    "unix_socket_permissions": "0700",
    "max_connections": "100",
    "shared_buffers": "256MB",
    "work_mem": "16MB",
    "maintenance_work_mem": "128MB",
    "random_page_cost": "1.1",
    "jit": "off",
    "fsync": "on",
    "full_page_writes": "on",
    "synchronous_commit": "on",
    "max_wal_size": "2GB",
    "checkpoint_timeout": "10min",
    "autovacuum_naptime": "15s",  # the queue's table turns over quickly
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_min_duration_statement": "2000",
}


class Server:
    """The embedded server of one data folder. ``start`` takes the folder's lock and ``stop`` gives it back.

    ``data`` and ``socket`` are folders that are made when missing; ``options`` overrides server settings by name.
    """

    def __init__(self, data: Path, socket: Path, options: Mapping[str, str] | None = None) -> None:
        self.data = data.resolve()
        self.socket = socket
        self.options = {**OPTIONS, **(options or {})}
        self.process: subprocess.Popen[bytes] | None = None
        self._account = account()
        self._lock = FolderLock(self.data)
        self._bin = Path()
        self._given: Path | None = None
        self._place, self._port = MAIN, PORT
        self._folders = Folders(self.data / "postgres", self.socket)

    def beside(self, place: str, port: int, options: Mapping[str, str], programs: Path | None = None) -> Server:
        """Another server in the same data folder, under the same lock: of the cluster ``place``, whose socket bears
        ``port``, run by ``programs`` instead of those that are found."""
        other = Server(self.data, self.socket, {**self.options, **options})
        other._lock, other._place, other._port, other._given = self._lock, place, port, programs
        return other

    @property
    def cluster(self) -> Path:
        """PostgreSQL's own data directory."""
        return self._folders.cluster / self._place

    def is_made(self) -> bool:
        """Whether there are data; also when an upgrade was cut off between two renames."""
        return self.cluster.exists() or self.cluster.with_name(clusters.READY).exists()

    @property
    def programs(self) -> Path:
        """The folder of the programs, once ``prepare`` has found them."""
        return self._bin

    @property
    def log(self) -> Path:
        """The file the server writes its log to."""
        return self._folders.cluster / "postgres.log"

    def dsn(self, database: str = DATABASE) -> str:
        """A connection string for psycopg."""
        return make_conninfo(host=str(self.socket), port=self._port, user=USER, dbname=database, connect_timeout=5)

    def take(self) -> None:
        """Take the data folder for this process. Raises InUse when another one has it."""
        make_data_folder(self.data, self._account)
        if not self._lock.held:
            self._lock.take()

    def start(self, timeout: float = 300) -> None:
        """Start the server and wait until it answers; recovery after a crash is waited for.

        Raises InUse when another process owns the folder, EmbeddedError with what to do otherwise.
        Call it from the main thread: the server ends with the thread that started it.
        """
        held = self._lock.held
        self.take()
        try:
            self.prepare()
            if self.cluster.exists():
                clusters.check_version(self.cluster, self._bin)
            else:
                clusters.make(self.cluster, self._bin, self._account, sync=self.options["fsync"] == "on")
            self._clear_remains(timeout)
            self._launch()
            self._wait(timeout)
        except BaseException:
            self.halt(timeout=60)
            if not held:
                self._lock.release()
            raise

    def prepare(self) -> None:
        """Folders and programs, and the rest of an upgrade that was cut off. The lock must be held."""
        self._folders = prepare(self.data, self.socket, self._account)
        clusters.settle(self.cluster)
        self._bin = self._runnable()

    def running(self) -> bool:
        """Whether the server's process lives."""
        return self.process is not None and self.process.poll() is None

    def stop(self, timeout: float = 60) -> None:
        """Shut the server down (open transactions are rolled back) and give the folder back."""
        self.halt(timeout)
        self._lock.release()

    def halt(self, timeout: float = 60) -> None:
        """Shut the server down and keep the folder."""
        if self.process is not None and self.running():
            send(self.process.pid, signal.SIGINT)
            try:
                self.process.wait(timeout)
            except subprocess.TimeoutExpired:
                send(self.process.pid, signal.SIGQUIT)
                self.process.wait(timeout)
        self.process = None

    def ensure_database(self, name: str = DATABASE) -> None:
        """Make the database ``name`` unless it is there."""
        with psycopg.connect(self.dsn("postgres"), autocommit=True) as connection:
            found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone()
            if found is None:
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))

    def discard(self, timeout: float = 60) -> None:
        """Remove the cluster, with the server that a killed owner has left on it. For what counts for nothing."""
        self._clear_remains(timeout)
        shutil.rmtree(self.cluster, ignore_errors=True)

    def _runnable(self) -> Path:
        """The programs' folder; copied into the data when the service user cannot reach it."""
        found = self._given or binaries.find()
        if self._account.enters(found):
            return found
        return binaries.copy_to(found, self._folders.cluster)

    def _clear_remains(self, timeout: float) -> None:
        """Remove what a server killed hard has left, once no process lives in the data any more.

        The lock is held here, so no other owner can be starting one. A server whose owner died is stopped first.
        """
        pid_file = self.cluster / "postmaster.pid"
        if not pid_file.exists():
            return
        deadline = time.monotonic() + timeout
        leader = int(pid_file.read_text(encoding="ascii").split("\n")[0] or 0)
        if leader in living_in(self.cluster):
            send(leader, signal.SIGINT)
        while living_in(self.cluster):
            if time.monotonic() > deadline:
                raise EmbeddedError(
                    f"Processes of an earlier start still use {self.cluster}: {living_in(self.cluster)}"
                )
            time.sleep(STEP)
        socket = self.socket / f".s.PGSQL.{self._port}"
        for remains in (pid_file, socket, socket.with_name(socket.name + ".lock")):
            remains.unlink(missing_ok=True)

    def _launch(self) -> None:
        settings = [argument for name, value in self.options.items() for argument in ("-c", f"{name}={value}")]
        with self._open_log() as log:
            self.process = subprocess.Popen(
                [
                    self._bin / "postgres",
                    "-D",
                    self.cluster,
                    "-k",
                    self._folders.socket,
                    "-p",
                    str(self._port),
                    *settings,
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd="/",
                start_new_session=True,  # Ctrl-C is for the supervisor, which stops things in order
                preexec_fn=die_with_parent(),  # noqa: PLW1509  one system call, looked up before the fork
                **self._account.popen(),
            )

    def _open_log(self) -> BinaryIO:
        if self.log.exists() and self.log.stat().st_size > LONGEST_LOG:
            self.log.replace(self.log.with_suffix(".log.1"))
        return open(os.open(self.log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), "ab")

    def _wait(self, timeout: float) -> None:
        deadline = time.monotonic() + timeout
        while not self._answers():
            if not self.running():
                raise EmbeddedError(f"PostgreSQL did not start. The end of {self.log}:\n{self._last_words()}")
            if time.monotonic() > deadline:
                raise EmbeddedError(f"PostgreSQL does not answer after {timeout:.0f} s; see {self.log}")
            time.sleep(STEP)

    def _answers(self) -> bool:
        try:
            psycopg.connect(self.dsn("postgres")).close()
        except psycopg.OperationalError:
            return False
        return True

    def _last_words(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace")[-800:].strip()
