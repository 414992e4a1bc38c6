"""Working time over zones, held against a clock that looks at every minute (casework.md 11)."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cases.sla.calendar import ALWAYS, NEVER, Calendar, Period, Span, before, due, elapsed

MINUTE = timedelta(minutes=1)
WEEK = frozenset(range(7))
OFFICE = Period(frozenset(range(5)), 8 * 60, 18 * 60)
# Zones and moments at which they change their offset: by an hour, by half an hour, over midnight, by a whole day.
TURNS = (
    ("Europe/Berlin", datetime(2026, 3, 29, 1, tzinfo=UTC)),
    ("Europe/Berlin", datetime(2026, 10, 25, 1, tzinfo=UTC)),
    ("America/New_York", datetime(2026, 3, 8, 7, tzinfo=UTC)),
    ("America/New_York", datetime(2026, 11, 1, 6, tzinfo=UTC)),
    ("Australia/Lord_Howe", datetime(2026, 4, 4, 15, tzinfo=UTC)),
    ("America/St_Johns", datetime(2010, 11, 7, 2, 31, tzinfo=UTC)),
    ("Pacific/Apia", datetime(2011, 12, 30, 10, tzinfo=UTC)),
    ("Asia/Kathmandu", datetime(2026, 5, 5, 12, tzinfo=UTC)),
)


def is_open(calendar: Calendar, instant: datetime) -> bool:
    """What the wall's clock says at one instant."""
    if calendar.always:
        return True
    wall = instant.astimezone(ZoneInfo(calendar.zone))
    minute = wall.hour * 60 + wall.minute
    today, yesterday = wall.date(), wall.date() - timedelta(days=1)
    for period in calendar.periods:
        over = period.end <= period.begin
        if minute >= period.begin and (over or minute < period.end) and shift_on(calendar, period, today):
            return True
        if over and minute < period.end and shift_on(calendar, period, yesterday):
            return True
    return False


def shift_on(calendar: Calendar, period: Period, day: date) -> bool:
    return day.weekday() in period.days and day not in calendar.holidays


def counts(calendar: Calendar, instant: datetime, pauses: list[Span]) -> bool:
    return is_open(calendar, instant) and not any(begin <= instant < end for begin, end in pauses)


def minutes(calendar: Calendar, since: datetime, until: datetime, pauses: list[Span]) -> int:
    """How many minutes count between two instants, one by one."""
    number = int((until - since) / MINUTE)
    return sum(counts(calendar, since + MINUTE * n, pauses) for n in range(number))


periods = st.builds(
    Period,
    st.frozensets(st.integers(0, 6), min_size=1),
    st.integers(0, 95).map(lambda n: n * 15),
    st.integers(1, 96).map(lambda n: n * 15),
).filter(lambda period: period.begin != period.end)


@st.composite
def calendars(draw: st.DrawFn) -> tuple[Calendar, datetime]:
    """A calendar, and an instant near a change of its zone's offset."""
    zone, turn = draw(st.sampled_from(TURNS))
    holidays = draw(st.frozensets(st.integers(-3, 3).map(lambda n: turn.date() + timedelta(days=n)), max_size=2))
    calendar = Calendar(tuple(draw(st.lists(periods, min_size=1, max_size=3))), zone, holidays)
    return calendar, turn + MINUTE * draw(st.integers(-2 * 1440, 1440))


@st.composite
def breaks(draw: st.DrawFn, since: datetime) -> list[Span]:
    found = []
    for _ in range(draw(st.integers(0, 2))):
        begin = since + MINUTE * draw(st.integers(-300, 1500))
        found.append((begin, begin + MINUTE * draw(st.integers(0, 600))))
    return found


@settings(deadline=None, max_examples=200)
@given(st.data())
def test_elapsed_is_what_the_minutes_come_to(data: st.DataObject) -> None:
    calendar, since = data.draw(calendars())
    until = since + MINUTE * data.draw(st.integers(0, 3000))
    pauses = data.draw(breaks(since))
    assert elapsed(calendar, since, until, pauses) == MINUTE * minutes(calendar, since, until, pauses)


@settings(deadline=None, max_examples=200)
@given(st.data())
def test_due_is_the_end_of_the_last_minute_that_counts(data: st.DataObject) -> None:
    calendar, since = data.draw(calendars())
    pauses = data.draw(breaks(since))
    wanted = data.draw(st.integers(1, 600))
    found = due(calendar, since, MINUTE * wanted, pauses)
    assert found is not None or calendar.holidays
    if found is not None and found - since < timedelta(days=9):
        assert minutes(calendar, since, found, pauses) == wanted
        assert counts(calendar, found - MINUTE, pauses)


@settings(deadline=None, max_examples=200)
@given(st.data())
def test_what_began_until_then_is_due_by_now_and_nothing_later(data: st.DataObject) -> None:
    calendar, now = data.draw(calendars())
    length = MINUTE * data.draw(st.integers(1, 900))
    latest = before(calendar, now, length)
    assert latest is not None
    assert (due(calendar, latest, length) or NEVER) <= now
    assert (due(calendar, latest + timedelta(seconds=1), length) or NEVER) > now


@given(st.integers(0, 10_000), st.integers(-5000, 5000))
def test_around_the_clock_it_is_plain_time(length: int, shift: int) -> None:
    since = datetime(2026, 3, 29, tzinfo=UTC) + MINUTE * shift
    assert due(ALWAYS, since, MINUTE * length) == since + MINUTE * length
    assert elapsed(ALWAYS, since, since + MINUTE * length) == MINUTE * length
    assert before(ALWAYS, since, MINUTE * length) == since - MINUTE * length


def test_the_shift_of_the_night_in_which_clocks_go_forward_is_an_hour_short() -> None:
    night = Calendar((Period(WEEK, 22 * 60, 6 * 60),), "Europe/Berlin")
    begin = datetime(2026, 3, 28, 21, tzinfo=UTC)  # 22:00 there
    assert elapsed(night, begin, begin + timedelta(hours=12)) == timedelta(hours=7)
    assert due(night, begin, timedelta(hours=7)) == datetime(2026, 3, 29, 4, tzinfo=UTC)  # 06:00 there
    assert due(night, begin, timedelta(hours=7, minutes=1)) == datetime(2026, 3, 29, 20, 1, tzinfo=UTC)


def test_the_night_in_which_clocks_go_back_is_an_hour_long() -> None:
    night = Calendar((Period(WEEK, 22 * 60, 6 * 60),), "Europe/Berlin")
    begin = datetime(2026, 10, 24, 20, tzinfo=UTC)
    assert elapsed(night, begin, begin + timedelta(hours=12)) == timedelta(hours=9)


def test_office_hours_leave_out_the_week_end_and_holidays() -> None:
    office = Calendar((OFFICE,), "Europe/Berlin", frozenset({date(2026, 12, 25)}))
    thursday = datetime(2026, 12, 24, 16, 30, tzinfo=UTC)  # 17:30 there
    assert due(office, thursday, timedelta(hours=1)) == datetime(2026, 12, 28, 7, 30, tzinfo=UTC)
    assert elapsed(office, thursday, datetime(2026, 12, 28, tzinfo=UTC)) == timedelta(minutes=30)


def test_the_night_shift_before_a_holiday_is_worked_to_its_end() -> None:
    night = Calendar((Period(WEEK, 22 * 60, 6 * 60),), "UTC", frozenset({date(2026, 12, 25)}))
    eve = datetime(2026, 12, 24, 22, tzinfo=UTC)
    assert elapsed(night, eve, eve + timedelta(days=1)) == timedelta(hours=8)
    assert elapsed(night, eve + timedelta(days=1), eve + timedelta(days=2)) == timedelta()


def test_a_pause_without_an_end_hides_what_is_behind_it() -> None:
    since = datetime(2026, 3, 2, 9, tzinfo=UTC)
    pauses = [(since + timedelta(hours=1), NEVER)]
    assert due(ALWAYS, since, timedelta(hours=1), pauses) == since + timedelta(hours=1)
    assert due(ALWAYS, since, timedelta(hours=2), pauses) is None
    assert elapsed(ALWAYS, since, since + timedelta(days=5), pauses) == timedelta(hours=1)


def test_pauses_that_overlap_count_once() -> None:
    since = datetime(2026, 3, 2, 9, tzinfo=UTC)
    hour = timedelta(hours=1)
    pauses = [(since + hour, since + 3 * hour), (since + 2 * hour, since + 4 * hour)]
    assert elapsed(ALWAYS, since, since + 5 * hour, pauses) == 2 * hour
    assert due(ALWAYS, since, 2 * hour, pauses) == since + 5 * hour


@pytest.mark.parametrize("length", [timedelta(), timedelta(minutes=-1)])
def test_nothing_to_do_is_due_at_once(length: timedelta) -> None:
    since = datetime(2026, 3, 1, 3, tzinfo=UTC)
    assert due(Calendar((OFFICE,)), since, length) == since
    assert before(Calendar((OFFICE,)), since, length) == since


def test_the_wrong_way_round_nothing_has_passed() -> None:
    now = datetime(2026, 3, 2, 9, tzinfo=UTC)
    assert elapsed(ALWAYS, now, now - timedelta(hours=1)) == timedelta()
    assert elapsed(Calendar((OFFICE,)), now, now - timedelta(days=3)) == timedelta()
