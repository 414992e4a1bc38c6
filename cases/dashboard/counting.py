"""Keeps the figures of ``AlertHour``: the last hours are counted anew each time, older ones stay as they were."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import connection, transaction
from django.db.models import Max, Min

from cases.models import Alert, AlertHour
from soar.lib import clock

ANEW = timedelta(hours=3)  # an alert is stored within seconds; its incident may become restricted a little later
STEP = timedelta(days=1)
KEPT = timedelta(days=400)
_LOCK = "SELECT pg_advisory_xact_lock(5021974302)"  # one at a time: two would both write an hour
_COUNT = """
INSERT INTO cases_alerthour (hour, source_id, team_id, severity, count, upto)
SELECT date_trunc('hour', received_at, 'UTC'), source_id, team_id, severity, count(*),
(SELECT max(id) FROM cases_alert) FROM cases_alert
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
    """The first hour to be counted: some hours back, and that of the earliest alert that came in since, which an import
    or the demo may date long before; of a portal that never counted, the hour of its first alert."""
    known = AlertHour.objects.aggregate(last=Max("hour"), upto=Max("upto"))
    since = Alert.objects.filter(pk__gt=known["upto"] or 0).aggregate(first=Min("received_at"))["first"]
    recent = min(known["last"] or now, now) - ANEW
    return _whole(max(min(since or now, recent), now - KEPT))


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
