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
_FEW = "SELECT {severity} AS severity, min(received_at), count(*) FROM ({rows} LIMIT {most}) few"


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
    pieces, values = [], []
    for severity in Severity:
        sql, params = rows.filter(severity=severity).order_by("pk").values("received_at").query.sql_with_params()
        pieces.append(_FEW.format(severity=severity.value, rows=sql, most=stats.SHORT_CAP + 1))
        values += list(params)
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(pieces), values)
        found = sorted((row for row in cursor.fetchall() if row[2]), reverse=True)
    cap = stats.SHORT_CAP
    return [
        Unowned(Severity(severity), stats.Figure(min(number, cap), number > cap), oldest)
        for severity, oldest, number in found
    ]
