"""Keeping what could not be read: bounded for each delivery, each minute and each source, and never in the way.

It is written after the answer is decided, in a statement of its own. What is not kept is counted at its source."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass

from django.conf import settings
from django.db import DatabaseError, connection, transaction

from cases.ingest import counters
from cases.ingest.text import clean_text
from cases.models import DeadLetter

logger = logging.getLogger(__name__)
MINUTE = 60.0
SOURCES_AT_MOST = 10_000
# The newest stay that fit into the source's room, those that were replayed going first; nobody waits for a lock here.
TRIM = """
DELETE FROM cases_deadletter WHERE id IN (
    SELECT id FROM cases_deadletter WHERE id IN (
        SELECT id FROM (
            SELECT id, row_number() OVER w AS n, sum(kept) OVER w AS bytes FROM cases_deadletter WHERE source_id = %s
            WINDOW w AS (ORDER BY (replayed_at IS NOT NULL), id DESC)
        ) ranked WHERE n > %s OR bytes > %s
    ) FOR UPDATE SKIP LOCKED
) RETURNING replayed_at IS NULL
"""


@dataclass(slots=True)
class Delivery:
    """How a body came: what is kept of its headers, and from where."""

    address: str = ""
    content_type: str = ""
    encoding: str = ""


@dataclass(slots=True)
class Refused:
    """What could not be read, and why. ``size`` is more than ``body`` where not all of it was taken."""

    status: int
    error: str
    body: bytes
    size: int
    place: int | None = None


class Allowance:
    """How many a source may add a minute; counted by each process for itself."""

    def __init__(self) -> None:
        self._counts: dict[int, tuple[float, int]] = {}
        self._lock = threading.Lock()

    def take(self, source_id: int, wanted: int) -> int:
        """How many of ``wanted`` are allowed now."""
        most = max(1, settings.DEAD_LETTERS_A_MINUTE // settings.WEB_WORKERS)
        now = time.monotonic()
        with self._lock:
            if len(self._counts) > SOURCES_AT_MOST:
                self._counts.clear()
            begun, used = self._counts.get(source_id, (now, 0))
            if now - begun >= MINUTE:
                begun, used = now, 0
            allowed = min(wanted, max(0, most - used))
            self._counts[source_id] = begun, used + allowed
        return allowed


allowance = Allowance()


def keep(source_id: int, delivery: Delivery, refused: Sequence[Refused]) -> None:
    """Keep what a source was refused. Never raises: the answer of the delivery does not hang on it."""
    allowed = allowance.take(source_id, len(refused))
    lost = len(refused) - allowed
    if allowed:
        try:
            with transaction.atomic():
                DeadLetter.objects.bulk_create([_letter(source_id, delivery, one) for one in refused[:allowed]])
                lost += _trim(source_id)
        except DatabaseError:
            logger.warning("Dead letters of source %s could not be kept", source_id, exc_info=True)
            lost += allowed
    if lost:
        counters.note(source_id, unkept=lost)


def keep_read(source_id: int, delivery: Delivery, refused: Sequence[Refused]) -> None:
    """Keep what was read from a product and not sent: whole and however many, because nobody sends it again. In the
    caller's transaction. Raises DatabaseError; then the caller must not go on as if it had been kept."""
    DeadLetter.objects.bulk_create([_letter(source_id, delivery, one, whole=True) for one in refused])
    if lost := _trim(source_id):
        counters.note(source_id, unkept=lost)


def _letter(source_id: int, delivery: Delivery, one: Refused, *, whole: bool = False) -> DeadLetter:
    body = one.body if whole else one.body[: settings.DEAD_LETTER_KB * 1024]
    return DeadLetter(
        source_id=source_id,
        address=delivery.address[:45],
        status=one.status,
        error=_line(one.error, 1000),
        place=one.place,
        content_type=_line(delivery.content_type, 200),
        encoding=_line(delivery.encoding, 40),
        size=max(one.size, len(one.body)),
        kept=len(body),
        body=body,
    )


def _line(text: str, most: int) -> str:
    return clean_text(text)[0][:most]


def _trim(source_id: int) -> int:
    """Drop the oldest beyond the source's room. Returns how many of them had not been read."""
    room = [source_id, settings.DEAD_LETTERS_KEPT, settings.DEAD_LETTERS_MB * 1024 * 1024]
    with connection.cursor() as cursor:
        cursor.execute(TRIM, room)
        return sum(waiting for (waiting,) in cursor.fetchall())
