"""Times of day and time zones as a graph writes them."""

from __future__ import annotations

from datetime import UTC, time, tzinfo
from zoneinfo import ZoneInfo


def zone(name: str) -> ZoneInfo | None:
    """The time zone of an IANA name; None if there is none."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return None


def zone_or_utc(name: str) -> tzinfo:
    """The time zone; UTC for a name that is none, so that a draft can be looked at before it is right."""
    return zone(name) or UTC


def clock(text: str) -> time | None:
    """The time of "HH:MM"; "24:00" is midnight, as an end. None if it is no time."""
    hour, colon, minute = text.partition(":")
    if not (colon and len(hour) == len(minute) == 2 and (hour + minute).isascii() and (hour + minute).isdigit()):
        return None
    if (hour, minute) == ("24", "00"):
        return time(0, 0)
    return time(int(hour), int(minute)) if int(hour) < 24 and int(minute) < 60 else None
