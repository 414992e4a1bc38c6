"""A feed read into a file of rows as PostgreSQL copies them: the slow half of an import, outside of any transaction."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import IO

from soar.connectors.intelligence.feeds.rows import BadFeed, Place, Row
from soar.connectors.intelligence.values import digest

MOST = 1_000_000
PROBLEMS = 10  # so many of what is skipped are shown
SHOWN = 80  # characters of a line
LOOK_EVERY = 2000  # rows
TELL_EVERY = 1.0  # seconds
ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


@dataclass(slots=True)
class Counts:
    """What was read: ``problems`` are the first that were skipped, each as [place, text]."""

    taken: int = 0
    skipped: int = 0
    problems: list[list[str]] = field(default_factory=list)
    first_line: int | None = None


def stage(
    rows: Iterable[Row | None],
    effect: str,
    file: IO[bytes],
    *,
    place: Place | None = None,
    tell: Callable[[Place, Counts], None] | None = None,
) -> Counts:
    """Write the rows to ``file``, to be copied from its beginning. ``tell`` is called about once a second.

    ``effect``: malicious, suspicious or benign; values that the feed is not sure of are suspicious. Raises BadFeed for
    more than a million values and for a file in which nothing was recognised."""
    place, counts, due = place or Place(), Counts(), time.monotonic() + TELL_EVERY
    for number, row in enumerate(rows):
        if row is None:
            _skip(counts, place)
        else:
            _take(counts, place)
            file.write(_line(row, effect))
        if tell is not None and not number % LOOK_EVERY and time.monotonic() >= due:
            tell(place, counts)
            due = time.monotonic() + TELL_EVERY
    if counts.skipped and not counts.taken:
        raise _nothing(place, counts)
    file.seek(0)
    return counts


def _take(counts: Counts, place: Place) -> None:
    counts.taken += 1
    if counts.taken > MOST:
        raise BadFeed(f"The feed holds more than {MOST:,} values.", _line_number(place))


def _skip(counts: Counts, place: Place) -> None:
    counts.skipped += 1
    if counts.first_line is None:
        counts.first_line = _line_number(place)
    if len(counts.problems) < PROBLEMS and place.number:
        counts.problems.append([f"{place.what} {place.number}", _shown(place.text)])


def _nothing(place: Place, counts: Counts) -> BadFeed:
    words = f"None of {counts.skipped} {place.what}s holds a value; is this the right format and column?"
    return BadFeed(words, counts.first_line)


def _line_number(place: Place) -> int | None:
    return place.number if place.what == "line" and place.number else None


def _shown(text: str) -> str:
    clean = "".join(sign if sign.isprintable() else " " for sign in text[: SHOWN + 1]).strip()
    return clean[: SHOWN - 1] + "…" if len(text.strip()) > SHOWN else clean


def _line(row: Row, effect: str) -> bytes:
    """One row of COPY's text format: type, value, digest, network, effect, note, expires_at."""
    network = row.value if row.type == "cidr" else "\\N"  # an address is found by its digest
    word = "suspicious" if row.weak and effect == "malicious" else effect
    until = row.expires_at.isoformat() if row.expires_at else "\\N"
    value, note = row.value.translate(ESCAPES), row.note.translate(ESCAPES)
    key = digest(row.type, row.value)
    return f"{row.type}\t{value}\t{key}\t{network}\t{word}\t{note}\t{until}\n".encode()
