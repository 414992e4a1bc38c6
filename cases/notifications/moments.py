"""When something is sent: at once but for quiet hours, at the full hour, or at the person's hour of the day.

Local times are those of the person's time zone; a local hour that a change of the clocks leaves out comes when the
clocks have moved on, and one that comes twice counts the first time (pure)."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cases.notifications.reasons import DAILY, HOURLY

SATURDAY = 5


def zone_of(name: str) -> ZoneInfo:
    """The time zone of this name; UTC for one that this machine does not know."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


def due(
    mode: str,
    now: datetime,
    zone: ZoneInfo,
    *,
    hour: int = 8,
    workdays_only: bool = False,
    quiet: tuple[time, time] | None = None,
) -> datetime:
    """The moment (UTC) when something that happened ``now`` (aware) is due by ``mode``."""
    if mode == DAILY:
        return daily(now, zone, hour, workdays_only=workdays_only)
    wanted = next_hour(now, zone) if mode == HOURLY else now
    return after_quiet(wanted, zone, quiet) if quiet else wanted


def next_hour(now: datetime, zone: ZoneInfo) -> datetime:
    """The next full hour of the person's clock, which in some zones is half past or a quarter to that of others."""
    local = now.astimezone(zone)
    past = timedelta(minutes=local.minute, seconds=local.second, microseconds=local.microsecond)
    return now.astimezone(UTC) - past + timedelta(hours=1)


def daily(now: datetime, zone: ZoneInfo, hour: int, *, workdays_only: bool) -> datetime:
    """The next ``hour`` o'clock of the person, on a working day if only those are wanted."""
    day = now.astimezone(zone).date()
    while True:
        moment = _at(day, time(hour), zone)
        if moment > now and not (workdays_only and day.weekday() >= SATURDAY):
            return moment
        day += timedelta(days=1)


def after_quiet(moment: datetime, zone: ZoneInfo, quiet: tuple[time, time]) -> datetime:
    """``moment``, or the end of the quiet hours that it falls into; they may go over midnight."""
    begin, end = quiet
    if begin == end:
        return moment
    local = moment.astimezone(zone)
    clock, day = local.time(), local.date()
    over_midnight = begin > end
    if over_midnight and clock >= begin:
        return _at(day + timedelta(days=1), end, zone)
    if clock < end and (over_midnight or begin <= clock):
        return max(moment, _at(day, end, zone))  # an hour that comes twice may be in its second turn
    return moment


def _at(day: date, clock: time, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, clock, tzinfo=zone).astimezone(UTC)
