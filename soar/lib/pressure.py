"""Whether the queue is so far behind that nothing more is to be taken in (operations.md 8).

What is accepted is kept, but work that nobody will get to for hours is better left with its sender, who tries again.
Asked at most every two seconds in each process, and never by more than one thread at a time.
"""

from __future__ import annotations

import threading
import time

from django.conf import settings

from soar.lib.database import prepared

EVERY = 2.0
RETRY_AFTER = 10  # seconds; a queue that is full does not empty at once
# No more rows are counted than matter.
DEPTH = "SELECT count(*) FROM (SELECT 1 FROM soar_queue WHERE failed_at IS NULL LIMIT %s) waiting"


class Pressure:
    """Remembers the last answer. ``too_far_behind`` is what ingest asks."""

    def __init__(self) -> None:
        self._behind = False
        self._due = 0.0
        self._lock = threading.Lock()

    def too_far_behind(self) -> bool:
        """Whether ``SOAR_QUEUE_AT_MOST`` tasks or more wait. 0 is never."""
        most = int(settings.QUEUE_AT_MOST)
        if not most:
            return False
        if time.monotonic() >= self._due and self._lock.acquire(blocking=False):
            try:
                self._behind = self._depth(most) >= most
                self._due = time.monotonic() + EVERY
            finally:
                self._lock.release()
        return self._behind

    def forget(self) -> None:
        """Ask anew at the next call."""
        self._due = 0.0

    def _depth(self, most: int) -> int:
        with prepared() as cursor:
            row = cursor.execute(DEPTH, [most], prepare=True).fetchone()
        return int(row[0]) if row else 0


queue = Pressure()
