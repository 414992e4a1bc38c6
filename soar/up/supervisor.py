"""The supervisor: database, migrations, web, worker, scheduler and practice range in one foreground command.

It is small on purpose and loads no models: what needs them are children. Everything stops with it, in order when it
is told to stop, and by a broken pipe (children) or a signal of the kernel (database) when it is killed.
"""

from __future__ import annotations

import signal
import sys
import threading
import time
from pathlib import Path
from types import ModuleType

from django.core.exceptions import ImproperlyConfigured

from soar.embedded import EmbeddedError, Server, server
from soar.embedded.errors import InUse
from soar.embedded.lock import FolderLock
from soar.up import address
from soar.up.child import Child, Lifeline
from soar.up.console import put, say
from soar.up.jobs import Jobs
from soar.up.prepared import Prepared

TICK = 0.05
PATIENCE = 40.0  # seconds the ready line of a first start waits for the demo data


class Supervisor:
    """Starts everything, keeps it running until told to stop, stops everything."""

    def __init__(self, settings: ModuleType) -> None:
        self.settings = settings
        self.database: Server | None = server() if settings.EMBEDDED else None
        self.lifeline = Lifeline()
        self.jobs = Jobs(settings, self.lifeline)
        self.children = [
            self._child("web", "-m", "soar.up.web"),
            self._child("worker", self._manage(), "worker", grace=15),
        ]
        if settings.DEMO:
            self.children.append(self._child("range", self._manage(), "standins", "--connect", quiet=True))
        # Nobody waits for it: it starts when the others are up, so that they have the processors for themselves.
        self.scheduler = self._child("scheduler", self._manage(), "scheduler")
        self.ready = False
        self._patience = 0.0  # a later start that finds the demo half done loads it while people work already
        self._stop = threading.Event()
        self._began = time.monotonic()

    def run(self) -> int:
        """Returns the exit code: 0 after a wanted stop, 1 when it could not be started."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._asked_to_stop)
        try:
            if self._prepare():
                for child in self.children:
                    child.start()
                self.jobs.start_demo()
                self._watch()
        except EmbeddedError as error:
            say(str(error))
            return 1
        finally:
            self._shut_down()
        return 0 if self._stop.is_set() else 1

    def _prepare(self) -> bool:
        """Database and migrations. False when stopped meanwhile or when a step failed, which has said why."""
        if trouble := address.trouble(self.settings.HOST, self.settings.PORT):
            say(trouble)
            return False
        if not address.is_local(self.settings.HOST):
            say(f"HOST={self.settings.HOST}: other machines can reach this portal, without encryption.")
        if self.database is not None:
            self._start_database(self.database)
        prepared = Prepared(self.settings, self.database)
        if prepared.is_done():
            return True
        if not self.jobs.prepare(self._stop):
            return False
        self._patience = PATIENCE
        prepared.remember()
        return True

    def _start_database(self, database: Server) -> None:
        first = not database.is_made()
        say("database: making it, this takes a moment" if first else "database: starting")
        database.start()
        database.ensure_database()
        say("database: running")

    def _watch(self) -> None:
        while not self._stop.wait(TICK):
            self._look_after_database()
            for child in self.children:
                child.look()
            self.jobs.look()
            if not self.ready and self._all_up():
                self.ready = True
                self.children.append(self.scheduler)
                self.scheduler.start()
                put(f"ready: {self._url()}")
                self.jobs.start_imports()

    def _look_after_database(self) -> None:
        if self.database is None or self.database.running():
            return
        say("database: it ended; starting it again")
        try:
            self.database.start()
            say("database: running")
        except (EmbeddedError, OSError) as error:  # no room, for one: it is tried until there is
            say(f"database: {error}")
            self._stop.wait(2)

    def _all_up(self) -> bool:
        if self.jobs.busy() and time.monotonic() - self._began < self._patience:
            return False
        return address.answers(self.settings.HOST, self.settings.PORT)

    def _url(self) -> str:
        host = self.settings.HOST
        return f"http://{f'[{host}]' if ':' in host else host}:{self.settings.PORT}/"

    def _asked_to_stop(self, _number: int, _frame: object) -> None:
        if self._stop.is_set():  # a second time: no more waiting
            for child in (*self.children, *self.jobs.children):
                child.kill()
        self._stop.set()

    def _shut_down(self) -> None:
        """Web first, so that nothing new is accepted; the database last, so that everything can be written."""
        began = time.monotonic()
        for child in (*self.jobs.children, *self.children):
            child.stop()
        if self.database is not None:
            self.database.stop()
        if self._stop.is_set():
            say(f"stopped in {time.monotonic() - began:.1f} s")

    def _child(self, name: str, *arguments: str | Path, grace: float = 10, quiet: bool = False) -> Child:
        return Child(name, [sys.executable, *arguments], self.lifeline, grace=grace, quiet=quiet)

    def _manage(self) -> Path:
        return Path(self.settings.BASE_DIR) / "manage.py"


def main() -> int:
    """``manage.py up``. One clear line for whatever keeps it from starting."""
    try:
        from soar import settings

        folder = FolderLock(settings.DATA_DIR)
        supervisor = Supervisor(settings)
        if supervisor.database is not None:
            supervisor.database.take()
        else:
            settings.DATA_DIR.mkdir(parents=True, exist_ok=True, mode=0o700)
            folder.take()
    except InUse as error:
        say(f"Soar already runs here: {error} Stop that one, or give this one its own SOAR_DATA.")
        return 1
    except (ImproperlyConfigured, EmbeddedError, OSError) as error:
        say(str(error))
        return 1
    return supervisor.run()
