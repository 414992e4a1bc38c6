"""Keeps the lease of a run that takes longer than a third of it, whatever the playbook itself is doing."""

from __future__ import annotations

import logging
import threading
import time
from typing import ClassVar, Self

from django.conf import settings
from django.db import connection

from playbooks.choices import RunStatus
from playbooks.claims import lease_end
from playbooks.models import Run
from playbooks.session import Session
from soar.lib.database import AWAY, forget_connection

logger = logging.getLogger(__name__)
MOST_BETWEEN = 5.0  # seconds; also how long a wish to cancel may go unseen
BETWEEN_LOOKS = 0.5


class Heartbeat:
    """Around the execution of a run. One thread a process looks at what runs, and opens a connection only for a run
    that lasts: a short one costs no query and no thread of its own."""

    _thread: ClassVar[threading.Thread | None] = None
    _running: ClassVar[set[Heartbeat]] = set()

    def __init__(self, run: int, owner: str, session: Session) -> None:
        self.run, self._owner, self._session = run, owner, session
        self._lease = float(settings.LEASE_SECONDS)
        self._renewed = self._looked = time.monotonic()
        self._beating = threading.Lock()

    def __enter__(self) -> Self:
        Heartbeat._running.add(self)
        if Heartbeat._thread is None or not Heartbeat._thread.is_alive():
            Heartbeat._thread = threading.Thread(target=_watch, name="heartbeat", daemon=True)
            Heartbeat._thread.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        Heartbeat._running.discard(self)
        with self._beating:  # a beat that is under way ends first
            pass

    def look(self) -> None:
        """Beat if it is time to."""
        with self._beating:
            now = time.monotonic()
            if self not in Heartbeat._running or now - self._looked < min(self._lease / 3, MOST_BETWEEN):
                return
            self._looked = now
            if self._beat():
                self._renewed = time.monotonic()
            elif time.monotonic() - self._renewed > self._lease:
                self._session.stop(lost=True)

    def _beat(self) -> bool:
        """Renew the lease; tell the session if it is lost or the run is to be cancelled."""
        try:
            rows = Run.objects.filter(pk=self.run, lease_owner=self._owner, status=RunStatus.IN_PROGRESS)
            if rows.update(lease_until=lease_end()) != 1:
                self._session.stop(lost=True)
                return False
            if rows.values_list("cancel_requested", flat=True).first():
                self._session.stop(lost=False)
        except AWAY as error:
            forget_connection()
            logger.warning("The lease of run %s could not be renewed: %s", self.run, error)
            return False
        finally:
            connection.close()
        return True


def _watch() -> None:
    while True:
        time.sleep(min(settings.LEASE_SECONDS / 12, BETWEEN_LOOKS))
        for one in tuple(Heartbeat._running):
            try:
                one.look()
            except Exception:  # the other runs of this process still need their leases
                logger.exception("The lease of run %s was not looked at", one.run)
