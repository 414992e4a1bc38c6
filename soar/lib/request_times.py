"""How long requests took: a histogram for each route and class of status, over all web processes of this machine
(operations.md 7). It stands in a file that they share, so that it survives their restarts; a request costs some
microseconds and no database.
"""

from __future__ import annotations

import mmap
import struct
import zlib
from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from soar.lib.shared_file import SharedFile

BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)  # seconds; what is longer has its own place
SLOTS = 4096  # of which some hundreds are used: routes have names, never ids
_NAMES = struct.Struct("=104s8s")
_COUNTS = struct.Struct(f"={len(BUCKETS) + 1}Qd")
_SLOT = _NAMES.size + _COUNTS.size


@dataclass(frozen=True, slots=True)
class Times:
    """Of one route and class of status: how many requests fell into each bucket, the last of which has no end, and
    their seconds together."""

    route: str
    status: str
    counts: tuple[int, ...]
    seconds: float


class RequestTimes:
    """Counts requests in the file ``path()``."""

    def __init__(self, path: Callable[[], Path]) -> None:
        self._file = SharedFile(path, SLOTS * _SLOT)
        self._places: dict[tuple[str, str], int] = {}

    def add(self, route: str, status: str, seconds: float) -> None:
        """Count a request. With no slot left it goes uncounted. Raises OSError if there is no file."""
        names = _NAMES.pack(route.encode(), status.encode())
        with self._file.locked() as table:
            place = self._places.get((route, status))
            if place is None or table[place : place + _NAMES.size] != names:
                place = _find(table, names)
            if place is None:
                return
            self._places[route, status] = place
            at = place + _NAMES.size
            *counts, total = _COUNTS.unpack_from(table, at)
            counts[bisect_left(BUCKETS, seconds)] += 1
            _COUNTS.pack_into(table, at, *counts, total + seconds)

    def all(self) -> list[Times]:
        """Everything that was counted. Raises OSError if there is no file."""
        with self._file.locked() as table:
            copy = bytes(table)
        return [_read(copy, place) for place in range(0, len(copy), _SLOT) if copy[place]]


def _find(table: mmap.mmap, names: bytes) -> int | None:
    """Where these names stand, or a free slot that bears them from now on."""
    first = zlib.crc32(names)
    for step in range(SLOTS):
        place = (first + step) % SLOTS * _SLOT
        held = table[place : place + _NAMES.size]
        if held == names:
            return place
        if not held[0]:
            table[place : place + _NAMES.size] = names
            return place
    return None


def _read(table: bytes, place: int) -> Times:
    route, status = (name.rstrip(b"\0").decode(errors="replace") for name in _NAMES.unpack_from(table, place))
    *counts, seconds = _COUNTS.unpack_from(table, place + _NAMES.size)
    return Times(route, status, tuple(counts), seconds)
