"""Days that begin within an hour of UTC, as those of Asia/Kolkata and Asia/Kathmandu do.

What came is counted by the hour of UTC, so of the hour in which such a day begins a part belongs to the day before.
That part is counted from the alerts themselves: minutes for each day of a chart, and only for who lives there."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from django.db.models import Case, Count, IntegerField, Q, QuerySet, Value, When

from cases.models import Alert

HOUR = timedelta(hours=1)


def rest_of_hour(moment: datetime) -> tuple[datetime, datetime] | None:
    """From a moment to the end of its hour of UTC; None if an hour begins with it."""
    begin = moment.astimezone(UTC)
    whole = begin.replace(minute=0, second=0, microsecond=0)
    return None if begin == whole else (begin, whole + HOUR)


def split(days: Iterable[date], zone: tzinfo) -> dict[date, tuple[datetime, datetime]]:
    """For each day that begins within an hour: from its midnight to the end of that hour."""
    found = {day: rest_of_hour(datetime.combine(day, time(), zone)) for day in days}
    return {day: part for day, part in found.items() if part is not None}


def counted(rows: QuerySet[Alert], parts: dict[date, tuple[datetime, datetime]]) -> dict[tuple[date, int], int]:
    """How many of the alerts came in each part, by day and severity. One query."""
    if not parts:
        return {}
    every = list(parts.items())
    within = [Q(received_at__gte=begin, received_at__lt=end) for _day, (begin, end) in every]
    either = Q()
    for one in within:
        either |= one
    which = Case(*(When(one, then=Value(number)) for number, one in enumerate(within)), output_field=IntegerField())
    found = rows.order_by().filter(either).annotate(part=which).values_list("part", "severity")
    return {(every[part][0], severity): number for part, severity, number in found.annotate(n=Count("pk"))}
