"""A token bucket in memory. Each web process counts for itself, so limits are given per process."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable

KEYS_AT_MOST = 10_000


class RateLimiter:
    """Allows ``per_second()`` takes a second for each key, with a burst of one second's worth."""

    def __init__(self, per_second: Callable[[], float]) -> None:
        self._per_second = per_second
        self._buckets: dict[Hashable, tuple[float, float]] = {}
        self._lock = threading.Lock()

    def take(self, key: Hashable, cost: float = 1.0, rate: float | None = None) -> float:
        """Take ``cost`` from the bucket of ``key``. Returns 0.0 if allowed, else the seconds to wait."""
        per_second = rate or self._per_second()
        now = time.monotonic()
        with self._lock:
            level, at = self._buckets.get(key, (max(per_second, cost), now))
            level = min(max(per_second, cost), level + (now - at) * per_second)
            if level < cost:
                return (cost - level) / per_second
            if len(self._buckets) > KEYS_AT_MOST:
                self._buckets.clear()  # a full table is a flood of keys: starting anew is safe and cheap
            self._buckets[key] = (level - cost, now)
            return 0.0
