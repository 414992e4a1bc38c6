"""When something is sent: at once, at the full hour, at one's own hour; quiet hours; changes of the clocks (pure)."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cases.notifications import moments
from cases.notifications.reasons import AT_ONCE, DAILY, HOURLY, MODES

OSLO, LA, UTC_ZONE = ZoneInfo("Europe/Oslo"), ZoneInfo("America/Los_Angeles"), ZoneInfo("UTC")
NIGHT = (time(22), time(7))


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def local(moment: datetime, zone: ZoneInfo = OSLO) -> str:
    return moment.astimezone(zone).strftime("%Y-%m-%d %H:%M")


@pytest.mark.parametrize(
    ("mode", "now", "due"),
    [
        (AT_ONCE, "2026-03-04 09:12:13", "2026-03-04 09:12:13"),
        (HOURLY, "2026-03-04 09:12:13", "2026-03-04 10:00:00"),
        (HOURLY, "2026-03-04 10:00:00", "2026-03-04 11:00:00"),
        (DAILY, "2026-03-04 06:59:59", "2026-03-04 07:00:00"),  # 8 o'clock in Oslo
        (DAILY, "2026-03-04 07:00:00", "2026-03-05 07:00:00"),
    ],
)
def test_by_mode(mode: str, now: str, due: str) -> None:
    assert moments.due(mode, at(now), OSLO) == at(due)


@pytest.mark.parametrize(
    ("zone", "now", "due"),
    [
        ("Asia/Kolkata", "2026-03-04 09:12:13", "2026-03-04 15:00"),  # it is 14:42 there
        ("Asia/Kolkata", "2026-03-04 09:30:00", "2026-03-04 16:00"),
        ("Asia/Kathmandu", "2026-03-04 09:12:13", "2026-03-04 15:00"),  # 14:57
        ("Asia/Kathmandu", "2026-03-04 09:15:00", "2026-03-04 16:00"),
    ],
)
def test_the_full_hour_is_that_of_the_person_s_clock(zone: str, now: str, due: str) -> None:
    place = ZoneInfo(zone)
    assert local(moments.due(HOURLY, at(now), place), place) == due


def test_quiet_hours_and_own_hours_where_the_clock_is_not_on_the_hour() -> None:
    place = ZoneInfo("Asia/Kathmandu")
    assert local(moments.due(AT_ONCE, at("2026-03-04 16:14:59"), place, quiet=NIGHT), place) == "2026-03-04 21:59"
    assert local(moments.due(AT_ONCE, at("2026-03-04 16:15:00"), place, quiet=NIGHT), place) == "2026-03-05 07:00"
    assert local(moments.due(DAILY, at("2026-03-04 02:14:59"), place), place) == "2026-03-04 08:00"
    assert local(moments.due(DAILY, at("2026-03-04 02:15:00"), place), place) == "2026-03-05 08:00"


def test_working_days() -> None:
    friday = at("2026-03-06 12:00:00")
    assert local(moments.due(DAILY, friday, OSLO, workdays_only=True)) == "2026-03-09 08:00"
    assert local(moments.due(DAILY, friday, OSLO)) == "2026-03-07 08:00"
    # It is Monday in Oslo while it is Sunday in Los Angeles.
    monday = at("2026-03-08 23:30:00")
    assert local(moments.due(DAILY, monday, OSLO, hour=1, workdays_only=True)) == "2026-03-09 01:00"
    assert local(moments.due(DAILY, monday, LA, hour=23, workdays_only=True), LA) == "2026-03-09 23:00"


@pytest.mark.parametrize(
    ("now", "due"),
    [
        ("2026-03-04 20:59:00", "2026-03-04 21:59"),  # before
        ("2026-03-04 21:00:00", "2026-03-05 07:00"),  # 22:00 in Oslo
        ("2026-03-05 02:00:00", "2026-03-05 07:00"),
        ("2026-03-05 06:00:00", "2026-03-05 07:00"),  # 07:00: over
    ],
)
def test_quiet_hours_over_midnight(now: str, due: str) -> None:
    assert local(moments.due(AT_ONCE, at(now), OSLO, quiet=NIGHT)) == due


def test_quiet_hours_within_a_day_and_none() -> None:
    noon = (time(12), time(13))
    assert local(moments.due(AT_ONCE, at("2026-03-04 11:30:00"), OSLO, quiet=noon)) == "2026-03-04 13:00"
    assert local(moments.due(AT_ONCE, at("2026-03-04 12:30:00"), OSLO, quiet=noon)) == "2026-03-04 13:30"
    assert moments.due(AT_ONCE, at("2026-03-04 11:30:00"), OSLO, quiet=(time(5), time(5))) == at("2026-03-04 11:30:00")


def test_the_hour_that_the_clocks_leave_out() -> None:
    """In Oslo 2026-03-29 goes from 02:00 to 03:00."""
    evening = at("2026-03-28 20:00:00")
    due = moments.due(DAILY, evening, OSLO, hour=2)
    assert local(due) == "2026-03-29 03:00"
    assert local(moments.due(DAILY, due, OSLO, hour=2)) == "2026-03-30 02:00"


def test_the_hour_that_comes_twice() -> None:
    """In Oslo 2026-10-25 has 02:00 twice: one message."""
    first = moments.due(DAILY, at("2026-10-24 20:00:00"), OSLO, hour=2)
    assert first == at("2026-10-25 00:00:00")
    second = moments.due(DAILY, at("2026-10-25 01:00:00"), OSLO, hour=2)
    assert local(second) == "2026-10-26 02:00"


def test_a_zone_that_is_gone_is_utc() -> None:
    assert moments.zone_of("Atlantis/Middle") == UTC_ZONE and moments.zone_of("../etc/passwd") == UTC_ZONE


minutes = st.integers(0, 1439).map(lambda number: time(number // 60, number % 60))


@given(
    st.sampled_from(MODES[1:]),
    st.integers(0, 3 * 366 * 1440).map(lambda number: at("2025-01-01 00:00:00") + timedelta(minutes=number)),
    st.sampled_from([OSLO, LA, UTC_ZONE, ZoneInfo("Asia/Kathmandu"), ZoneInfo("Australia/Lord_Howe")]),
    st.integers(0, 23),
    st.booleans(),
    st.none() | st.tuples(minutes, minutes),
)
def test_it_is_never_early_and_never_far(
    mode: str, now: datetime, zone: ZoneInfo, hour: int, workdays: bool, quiet: tuple[time, time] | None
) -> None:
    due = moments.due(mode, now, zone, hour=hour, workdays_only=workdays, quiet=quiet)
    assert due >= now
    assert (due - now).total_seconds() <= (4 if workdays and mode == DAILY else 2) * 86_400 + 7_200
