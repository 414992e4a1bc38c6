"""Leases of links and instances that are short, and are renewed as long as their worker lives: after a kill -9 somebody
else goes on soon, and whoever waits for a slow answer loses nothing."""

from __future__ import annotations

import logging
import threading
import time
import uuid
from datetime import timedelta
from typing import Any, ClassVar, Self

from django.conf import settings
from django.db import connection
from django.db.models import Model, QuerySet

from cases import leases
from soar.lib.database import AWAY, forget_connection

logger = logging.getLogger(__name__)
BETWEEN_LOOKS = 0.5  # seconds, at most


def span() -> timedelta:
    """How long a lease lasts without a word of its holder: with the look at what is due, somebody else has it within
    SOAR_LEASE_SECONDS."""
    return timedelta(seconds=settings.LEASE_SECONDS * 2 / 3)


def take(rows: QuerySet[Any], **more: Any) -> uuid.UUID | None:
    """See leases.take."""
    return leases.take(rows, span(), **more)


def keep(model: type[Model], pk: int, lease: uuid.UUID) -> bool:
    """See leases.keep."""
    return leases.keep(model, pk, lease, span())


class Held:
    """Around the work of a lease's holder. One thread a process looks at what is held, and opens a connection only
    for what lasts: a short piece of work costs no query."""

    _thread: ClassVar[threading.Thread | None] = None
    _all: ClassVar[set[Held]] = set()

    def __init__(self, model: type[Model], pk: int, lease: uuid.UUID) -> None:
        self._model, self._pk, self._lease = model, pk, lease
        self._renewed = time.monotonic()
        self._beating = threading.Lock()

    def __enter__(self) -> Self:
        Held._all.add(self)
        if Held._thread is None or not Held._thread.is_alive():
            Held._thread = threading.Thread(target=_watch, name="leases", daemon=True)
            Held._thread.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        Held._all.discard(self)
        with self._beating:  # a renewal that is under way ends first
            pass

    def look(self) -> None:
        """Renew the lease if it is time to."""
        with self._beating:
            if self not in Held._all or time.monotonic() - self._renewed < span().total_seconds() / 3:
                return
            self._renewed = time.monotonic()
            try:
                keep(self._model, self._pk, self._lease)
            except AWAY as error:
                forget_connection()
                logger.warning("A lease of %s %s could not be renewed: %s", self._model.__name__, self._pk, error)
            finally:
                connection.close()


def _watch() -> None:
    while True:
        time.sleep(min(span().total_seconds() / 8, BETWEEN_LOOKS))
        for one in tuple(Held._all):
            try:
                one.look()
            except Exception:  # the others need theirs
                logger.exception("A lease was not renewed")
