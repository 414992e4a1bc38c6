"""Times as senders write them: ISO 8601, epochs of any unit, mail dates and a few customs, all to UTC."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

EARLIEST = datetime(1980, 1, 1, tzinfo=UTC)  # before it stand the zero dates of Go, .NET and epoch 0
LATEST = datetime(2200, 1, 1, tzinfo=UTC)
EPOCH_UNITS = ((1e17, 1e9), (1e14, 1e6), (1e11, 1e3), (0.0, 1.0))  # at least this much: divided by that
# Windows counts 100 ns since 1601. As nanoseconds since 1970 such a number would lie before EARLIEST, so it is none.
FILETIMES = (119_600_256_000_000_000, 193_950_000_000_000_000)
FILETIME_AT_1970 = 116_444_736_000_000_000
NUMBER = re.compile(r"[0-9]{9,19}(?:\.[0-9]{1,9})?", re.ASCII)
ISO_START = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}", re.ASCII)
MAIL_START = re.compile(r"(?:[A-Z][a-z]{2}, )?[0-9]{1,2} [A-Z][a-z]{2} [0-9]{4} ", re.ASCII)
CUSTOMS = (
    "%Y/%m/%d %H:%M:%S",
    "%d/%b/%Y:%H:%M:%S %z",
    "%b %d, %Y %H:%M:%S",
    "%b %d %Y %H:%M:%S",
    "%m/%d/%Y %H:%M:%S",
    "%m/%d/%Y %I:%M:%S %p",
)
LONGEST = 64  # characters of the longest time worth reading


def parse_time(value: Any, notes: list[str] | None = None) -> datetime | None:
    """``value`` (text, seconds, milli-, micro- or nanoseconds) as an aware time in UTC, else None.

    A time without a zone is taken for UTC; that, and a time that cannot be read, is told in ``notes``.
    Zero dates (``0001-01-01``, epoch 0) mean "none" to their senders and are None without a note.
    """
    if isinstance(value, list) and value:
        value = value[0]
    try:
        moment = _parse(value)
    except (ValueError, OverflowError, TypeError, OSError):
        moment = None
    if moment is None:
        if notes is not None and isinstance(value, str) and value.strip():
            notes.append(f"the time '{value[:LONGEST]}' cannot be read")
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
        if notes is not None:
            notes.append(f"the time '{value}' names no zone, taken as UTC")
    return _in_range(moment)


def _in_range(moment: datetime) -> datetime | None:
    try:
        moment = moment.astimezone(UTC)
    except (OverflowError, ValueError):
        return None
    return moment if EARLIEST <= moment <= LATEST else None


def _parse(value: Any) -> datetime | None:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _epoch(float(value))
    text = value.strip() if isinstance(value, str) and len(value) <= LONGEST else ""
    if not text:
        return None
    if ISO_START.match(text):
        return _iso(text)
    if NUMBER.fullmatch(text):
        return _epoch(float(text))
    return parsedate_to_datetime(text) if MAIL_START.match(text) else _other(text)


def _epoch(number: float) -> datetime | None:
    if FILETIMES[0] <= number <= FILETIMES[1]:
        number = (number - FILETIME_AT_1970) / 1e7
    for least, divisor in EPOCH_UNITS:
        if number >= least:
            return datetime.fromtimestamp(number / divisor, UTC) if number > 0 else None
    return None


def _iso(text: str) -> datetime:
    return datetime.fromisoformat(text.replace(" UTC", "Z").replace(" Z", "Z").replace(" +", "+"))


def _other(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        pass
    for form in CUSTOMS:
        try:
            return datetime.strptime(text, form)  # noqa: DTZ007 - the caller adds the missing zone
        except ValueError:
            continue
    return parsedate_to_datetime(text)
