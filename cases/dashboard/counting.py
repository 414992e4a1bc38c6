"""Keeps the figures of ``AlertHour``: the last hours are counted anew each time, older ones stay as they were."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import connection, transaction

from cases.models import Alert, AlertHour
from soar.lib import clock

ANEW = timedelta(hours=3)  # an alert is stored within seconds; its incident may become restricted a little later
STEP = timedelta(days=1)
KEPT = timedelta(days=400)
_LOCK = "SELECT pg_advisory_xact_lock(5021974302)"  # one at a time: two would both write an hour
_COUNT = """
INSERT INTO cases_alerthour (hour, source_id, team_id, severity, count)
SELECT date_trunc('hour', received_at, 'UTC'), source_id, team_id, severity, count(*) FROM cases_alert
WHERE received_at >= %s AND received_at < %s AND NOT restricted GROUP BY 1, 2, 3, 4"""


def count_hours() -> None:
    """Count what came since the last time. Called by the scheduler; may be called twice and at any time."""
    now = clock.now()
    start = _start(now)
    while start < now:
        end = min(start + STEP, now + timedelta(hours=1))
        _count(start, end)
        start = end


def _start(now: datetime) -> datetime:
    """The first hour to be counted: of a portal that never did, the hour of its first alert."""
    last = AlertHour.objects.order_by("-hour").values_list("hour", flat=True).first()
    if last is None:
        first = Alert.objects.order_by("received_at").values_list("received_at", flat=True).first()
        last = max(first or now, now - KEPT) + ANEW
    return _whole(min(last, now) - ANEW)


def _whole(moment: datetime) -> datetime:
    return moment.replace(minute=0, second=0, microsecond=0)


@transaction.atomic
def _count(start: datetime, end: datetime) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_LOCK)
        cursor.execute("DELETE FROM cases_alerthour WHERE hour >= %s AND hour < %s", [start, end])
        cursor.execute(_COUNT, [start, end])


def tidy() -> int:
    """Forget what no chart reaches. Returns how many rows. Called by the scheduler."""
    return AlertHour.objects.filter(hour__lt=clock.now() - KEPT).delete()[0]
