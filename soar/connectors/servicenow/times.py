"""ServiceNow's times: raw values are UTC, shown ones and those in a query are in the integration user's zone.

Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import product

RAW = "%Y-%m-%d %H:%M:%S"
# What a user's date and time formats may be set to.
DATES = ("%Y-%m-%d", "%m/%d/%Y", "%d/%m/%Y", "%d-%m-%Y", "%m-%d-%Y", "%d.%m.%Y", "%Y/%m/%d")
TIMES = ("%H:%M:%S", "%H.%M.%S", "%I:%M:%S %p", "%I.%M.%S %p", "%H:%M", "%I:%M %p")
SHOWN = tuple(f"{date} {time}" for date, time in product(DATES, TIMES))
HOUR = timedelta(hours=1)
QUARTER = timedelta(minutes=15)
WEST, EAST = -12 * HOUR, 14 * HOUR  # the outermost zones
# A row may be so much older than what was asked for: the zone is not known, or its summer time began just now.
TOLERATED = EAST - WEST + HOUR


@dataclass(frozen=True, slots=True)
class Zone:
    """How the integration user sees times: ``offset`` from UTC (now), and the format."""

    offset: timedelta
    form: str


def parsed(text: str) -> datetime:
    """The moment of a raw value, aware, in UTC. Raises ValueError."""
    return datetime.strptime(text, RAW).replace(tzinfo=UTC)


def literal(moment: datetime, offset: timedelta | None) -> str:
    """``moment`` for a query that must find everything from then on, and may find a little more.

    ``offset``: of the integration user's zone from UTC; None when it is not known. Away from UTC the zone may have
    another offset at that moment (summer time), so an hour is added."""
    if offset is None:
        moment += WEST
    elif offset:
        moment += offset - HOUR
    return moment.astimezone(UTC).strftime(RAW)


def zone_of(pairs: Iterable[tuple[str, str]]) -> Zone | None:
    """The zone and format by which each raw value is shown as the text beside it, the newest pair first; None when
    there are no pairs or no format fits them all. Several pairs tell 03/04 from 04/03."""
    given = list(pairs)
    for form in SHOWN if given else ():
        offsets = [_offset(raw, shown, form) for raw, shown in given]
        if offsets[0] is not None and None not in offsets:
            return Zone(offsets[0], form)
    return None


def shown_moment(text: str, zone: Zone) -> datetime | None:
    """The moment that a user sees as ``text``; None when it is not in the zone's format."""
    try:
        return datetime.strptime(text.strip(), zone.form).replace(tzinfo=UTC) - zone.offset
    except ValueError:
        return None


def _offset(raw: str, shown: str, form: str) -> timedelta | None:
    try:
        moment, local = parsed(raw), datetime.strptime(shown.strip(), form).replace(tzinfo=UTC)
    except ValueError:
        return None
    if "%S" not in form:
        moment = moment.replace(second=0)
    offset = local - moment
    return offset if WEST <= offset <= EAST and not offset % QUARTER else None
