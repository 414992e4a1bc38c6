"""Keeps the lease of a run that takes longer than a third of it, whatever the playbook itself is doing."""

from __future__ import annotations

import logging
import threading
import time
from types import TracebackType
from typing import Self

from django.conf import settings
from django.db import connection

from playbooks.choices import RunStatus
from playbooks.claims import lease_end
from playbooks.models import Run
from playbooks.session import Session
from soar.lib.database import AWAY, forget_connection

logger = logging.getLogger(__name__)
MOST_BETWEEN = 5.0  # seconds; also how long a wish to cancel may go unseen


class Heartbeat:
    """A thread with a connection of its own, which it opens only when a run lasts."""

    def __init__(self, run: int, owner: str, session: Session) -> None:
        self._run, self._owner, self._session = run, owner, session
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._work, daemon=True, name="heartbeat")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._done.set()
        self._thread.join()

    def _work(self) -> None:
        lease = float(settings.LEASE_SECONDS)
        renewed = time.monotonic()
        opened = False
        while not self._done.wait(min(lease / 3, MOST_BETWEEN)):
            opened = True
            if self._beat():
                renewed = time.monotonic()
            if time.monotonic() - renewed > lease:
                self._session.stop(lost=True)
        if opened:
            connection.close()

    def _beat(self) -> bool:
        """Renew the lease; tell the session if it is lost or the run is to be cancelled."""
        try:
            rows = Run.objects.filter(pk=self._run, lease_owner=self._owner, status=RunStatus.IN_PROGRESS)
            if rows.update(lease_until=lease_end()) != 1:
                self._session.stop(lost=True)
                return False
            if rows.values_list("cancel_requested", flat=True).first():
                self._session.stop(lost=False)
        except AWAY as error:
            forget_connection()
            logger.warning("The lease of run %s could not be renewed: %s", self._run, error)
            return False
        return True
