"""The most urgent of the queue, and what of it nobody has taken."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from cases import stats
from cases.choices import Severity
from cases.models import Alert
from soar.accounts.models import User

SHOWN = 8
# One plan for every severity: to plan costs more than to count.
_FEW = """
SELECT wanted.n, few.oldest, few.number
FROM (VALUES {severities}) wanted (n) CROSS JOIN LATERAL (
    SELECT min(received_at) AS oldest, count(*) AS number
    FROM (SELECT received_at FROM ({rows}) base WHERE severity = wanted.n ORDER BY id LIMIT {most}) first
) few
WHERE few.number > 0 ORDER BY wanted.n DESC"""


@dataclass(frozen=True, slots=True)
class Unowned:
    """Alerts of a severity that nobody owns: how many (counted to ``stats.SHORT_CAP``), and since when the oldest."""

    severity: Severity
    number: stats.Figure
    oldest: datetime


def urgent(user: User, team: int | None = None) -> list[Alert]:
    """The first lines of the queue."""
    rows = Alert.objects.visible_to(user).queued()
    rows = rows.filter(team=team) if team else rows
    return list(rows.with_line_data().order_by("-severity", "-pk")[:SHOWN])


def unowned(user: User, team: int | None = None) -> list[Unowned]:
    """By severity, the highest first; severities without any are left out. One query."""
    rows = Alert.objects.visible_to(user).queued().filter(owner=None)
    rows = (rows.filter(team=team) if team else rows).order_by()
    sql, params = rows.values("id", "severity", "received_at").query.sql_with_params()
    severities = ", ".join(f"({severity.value})" for severity in Severity)
    with connection.cursor() as cursor:
        cursor.execute(_FEW.format(severities=severities, rows=sql, most=stats.SHORT_CAP + 1), params)
        found = cursor.fetchall()
    cap = stats.SHORT_CAP
    return [
        Unowned(Severity(severity), stats.Figure(min(number, cap), number > cap), oldest)
        for severity, oldest, number in found
    ]
