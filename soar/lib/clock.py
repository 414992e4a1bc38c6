"""Time as Soar uses it: aware, UTC, ISO 8601 with a Z."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime, tzinfo
from email.utils import parsedate_to_datetime
from functools import cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from django.utils import timezone
from django.utils.dateparse import parse_datetime

_moment: ContextVar[datetime | None] = ContextVar("soar_moment", default=None)


def now() -> datetime:
    """This moment, aware, in UTC; inside ``at`` the moment given there."""
    return _moment.get() or datetime.now(tz=UTC)


@cache
def zones() -> tuple[str, ...]:
    """Names of time zones in order: the folder that they lie in is read once."""
    return tuple(sorted(available_timezones()))


def given() -> datetime | None:
    """The moment given to ``at``, None outside of it."""
    return _moment.get()


@contextmanager
def at(moment: datetime) -> Iterator[None]:
    """Let ``now`` stand still at ``moment`` (aware) for what is done inside: demo data write two weeks of history."""
    token = _moment.set(moment)
    try:
        yield
    finally:
        _moment.reset(token)


def zone_of(name: str) -> tzinfo:
    """The time zone of this name; UTC for a name that is none. Listing all names would read a thousand files."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return UTC


def iso(moment: datetime | None) -> str | None:
    """``2026-03-01T12:30:05.120000Z`` for an aware moment; None stays None. Raises ValueError without a zone."""
    if moment is None:
        return None
    if moment.tzinfo is None:
        raise ValueError("a moment without a time zone cannot be written down")
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def seconds_until(header: str, at: datetime | None = None) -> float | None:
    """How long a ``Retry-After`` header asks to wait: seconds or an HTTP date, counted from ``at`` (default now).

    A date in the past is 0.0; what cannot be read is None.
    """
    text = header.strip()
    if text.isascii() and text.isdigit():
        return float(text)
    try:
        asked = parsedate_to_datetime(text)
    except ValueError:
        return None
    asked = asked if asked.tzinfo else asked.replace(tzinfo=UTC)
    return max(0.0, (asked - (at or now())).total_seconds())


def moment_of(text: str) -> datetime | None:
    """The moment that ``text`` names in ISO 8601, in UTC, without a zone taken in the current one; None if it is none.
    PostgreSQL takes no zone further than 16 hours from UTC, so the zone does not stay."""
    try:
        found = parse_datetime(text)
        if found is None:
            return None
        return (timezone.make_aware(found) if timezone.is_naive(found) else found).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
