"""Arithmetic of working time over time zones, pure (casework.md 11).

Hours are meant by the clock on the wall: an instant is open if the wall of the zone shows, at that instant, a day and a
time of day that the hours name. So the night in which the clocks are put forward has an hour less and the other one an
hour more, and a time that a zone leaves out is simply not there. All instants here are aware; answers are in UTC."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import pairwise
from zoneinfo import ZoneInfo

DAY = timedelta(days=1)
HORIZON = timedelta(days=3660)  # no target is so far away: behind it nothing is looked for
FURTHEST = timedelta(hours=15)  # a wall is never further ahead of UTC
NEVER = datetime(9999, 12, 31, tzinfo=UTC)  # the end of a pause that lasts
Span = tuple[datetime, datetime]


@dataclass(frozen=True, slots=True)
class Period:
    """Open on ``days`` (0 is Monday) from ``begin`` to ``end``, minutes of the day (``end`` up to 1440, not included).

    An ``end`` at or before ``begin`` is on the next day: the shift belongs to the day on which it begins."""

    days: frozenset[int]
    begin: int
    end: int

    def on(self, day: date) -> tuple[datetime, datetime]:
        """The wall's times of the shift that begins on ``day``, without a zone."""
        midnight = datetime.combine(day, time())
        length = self.end - self.begin if self.end > self.begin else 1440 - self.begin + self.end
        begin = midnight + timedelta(minutes=self.begin)
        return begin, begin + timedelta(minutes=length)


@dataclass(frozen=True, slots=True)
class Calendar:
    """When the clocks run: always (without ``periods``), or in the periods of a zone but for shifts that begin on a
    holiday."""

    periods: tuple[Period, ...] = ()
    zone: str = "UTC"
    holidays: frozenset[date] = field(default_factory=frozenset)

    @property
    def always(self) -> bool:
        """Around the clock, holidays as well."""
        return not self.periods


ALWAYS = Calendar()


def due(calendar: Calendar, since: datetime, length: timedelta, pauses: Sequence[Span] = ()) -> datetime | None:
    """The instant at which ``length`` of working time has passed since ``since``, pauses not counted; None if that is
    not known: behind a pause without an end (``NEVER``), or ten years away. A pause is (begin, end)."""
    left = length
    if left <= timedelta():
        return since
    for begin, end in working(calendar, since, since + HORIZON, pauses):
        if end - begin >= left:
            return begin + left
        left -= end - begin
    return None


def elapsed(calendar: Calendar, since: datetime, until: datetime, pauses: Sequence[Span] = ()) -> timedelta:
    """How much working time has passed between two instants, pauses not counted; nothing if they are the wrong way
    round."""
    spans = working(calendar, since, until, pauses)
    return sum((end - begin for begin, end in spans), timedelta())


def before(calendar: Calendar, now: datetime, length: timedelta, pauses: Sequence[Span] = ()) -> datetime | None:
    """The latest instant since which ``length`` of working time has passed by ``now``, pauses not counted: what began
    then or earlier is due by now. None if that is ten years ago."""
    if length <= timedelta():
        return now
    reach = max(length, DAY)
    while elapsed(calendar, now - reach, now, pauses) < length:
        if reach >= HORIZON:
            return None
        reach = min(reach * 2, HORIZON)
    left = length
    for begin, end in reversed(list(working(calendar, now - reach, now, pauses))):
        if end - begin >= left:
            return end - left
        left -= end - begin
    return None


def working(calendar: Calendar, since: datetime, until: datetime, pauses: Sequence[Span] = ()) -> Iterator[Span]:
    """Open spans between two instants, ascending and apart from one another, without the pauses."""
    away = _joined((begin.astimezone(UTC), end.astimezone(UTC)) for begin, end in pauses)
    for begin, end in _open(calendar, since.astimezone(UTC), until.astimezone(UTC)):
        span = max(begin, since), min(end, until)
        if span[0] < span[1]:
            yield from _without(span, away)


def _open(calendar: Calendar, since: datetime, until: datetime) -> Iterator[Span]:
    """Ascending open spans, at least those that have a part between two instants in UTC."""
    if calendar.always:
        yield since, until
        return
    waiting: list[Span] = []  # where a zone goes back over midnight, what two days of the wall show alternates
    day = since.date() - 2 * DAY
    while day <= until.date() + DAY:
        waiting = sorted([*waiting, *_shifts(calendar, day)])
        day += DAY
        settled = datetime.combine(day, time(), UTC) - FURTHEST
        while waiting and waiting[0][1] <= settled:
            yield waiting.pop(0)
    yield from waiting


@lru_cache(maxsize=4096)
def _shifts(calendar: Calendar, day: date) -> tuple[Span, ...]:
    """The open spans whose wall shows ``day``, in UTC. By days of the wall, not of the shifts: so what one day has and
    the next has cannot overlap."""
    walls = []
    for start in (day - DAY, day):
        for period in calendar.periods:
            if start.weekday() in period.days and start not in calendar.holidays:
                walls.append(period.on(start))
    midnight = datetime.combine(day, time())
    clipped = [(max(begin, midnight), min(end, midnight + DAY)) for begin, end in walls]
    zone = ZoneInfo(calendar.zone)
    return tuple(_joined(span for wall in clipped if wall[0] < wall[1] for span in _instants(zone, *wall)))


def _instants(zone: ZoneInfo, begin: datetime, end: datetime) -> Iterator[Span]:
    """The instants at which the wall shows a time from ``begin`` to ``end``: one span, or around a change of the
    offset two of them (or none)."""
    early, late = begin.replace(tzinfo=UTC) - DAY, end.replace(tzinfo=UTC) + DAY
    first, last = _offset(zone, early), _offset(zone, late)
    if first == last:
        yield begin.replace(tzinfo=UTC) - first, end.replace(tzinfo=UTC) - first
        return
    turn = _turn(zone, early, late)
    for offset, low, high in ((first, early - DAY, turn), (last, turn, late + DAY)):
        since, until = max(begin.replace(tzinfo=UTC) - offset, low), min(end.replace(tzinfo=UTC) - offset, high)
        if since < until:
            yield since, until


def _turn(zone: ZoneInfo, early: datetime, late: datetime) -> datetime:
    """The first instant, to the second, that has not the offset of ``early`` any more."""
    offset = _offset(zone, early)
    while late - early > timedelta(seconds=1):
        middle = early + timedelta(seconds=(late - early) // timedelta(seconds=2))
        early, late = (middle, late) if _offset(zone, middle) == offset else (early, middle)
    return late


def _offset(zone: ZoneInfo, instant: datetime) -> timedelta:
    return instant.astimezone(zone).utcoffset() or timedelta()


def _joined(spans: Iterable[Span]) -> list[Span]:
    """Ascending, those that touch made one."""
    found: list[Span] = []
    for begin, end in sorted(spans):
        if found and begin <= found[-1][1]:
            found[-1] = found[-1][0], max(found[-1][1], end)
        elif begin < end:
            found.append((begin, end))
    return found


def _without(span: Span, away: Sequence[Span]) -> Iterator[Span]:
    """What of a span is in none of the spans ``away``."""
    edges = [span[0], *(edge for one in away for edge in one), span[1]]
    for begin, end in list(pairwise(edges))[::2]:
        low, high = max(begin, span[0]), min(end, span[1])
        if low < high:
            yield low, high
