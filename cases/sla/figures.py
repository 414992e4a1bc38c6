"""MTTA, MTTC and MTTR: how long it took to acknowledge, contain and resolve, reckoned by the database from the clocks
(casework.md 11). Pages, reports and the API ask here, so that they say the same.

    figures(user, since, until, severity=, team=, incidents=) -> {"acknowledge": Figure, "contain": ..., "resolve": ...}
    trend(user, since, until, severity=, team=)               -> [Day(day, {"acknowledge": Figure, ...}), ...]
    of_incident(incident)                                     -> {"acknowledge": [IncidentClock, ...], ...}

What counts: each round of a clock that stopped in the period, ``since`` included and ``until`` not, of an incident that
``user`` may see and that did not go into another one. What it measures is the working time by the policy of then,
pauses not counted: the very figure that the incident's page shows. A clock that nobody stopped by doing what it
measures (acknowledging what a playbook closed) does not count. What is late or at risk now: ``cases.sla.states``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import Aggregate, Avg, Count, F, FloatField, Max, Q, QuerySet
from django.db.models.functions import TruncDay
from django.utils import timezone

from cases.choices import Severity
from cases.models import Incident, IncidentClock
from cases.sla.policy import CLOCKS
from soar.accounts.models import Team, User

LABELS = {"acknowledge": "MTTA", "contain": "MTTC", "resolve": "MTTR"}


@dataclass(frozen=True, slots=True)
class Figure:
    """Of ``count`` clocks, of so many ``incidents``: ``mean``, ``median`` and ``longest`` in seconds (None without
    any), how many were stopped in time (``met``) and how many late (``missed``); the rest had no target."""

    count: int = 0
    mean: float | None = None
    median: float | None = None
    longest: float | None = None
    met: int = 0
    missed: int = 0
    incidents: int = 0

    @property
    def percent_met(self) -> int | None:
        """How many of those with a target were in time, rounded down; None if none had one."""
        known = self.met + self.missed
        return 100 * self.met // known if known else None


@dataclass(frozen=True, slots=True)
class Day:
    """The figures of one day in the current time zone."""

    day: date
    figures: dict[str, Figure] = field(default_factory=dict)


class Median(Aggregate):
    """The value in the middle; between two of them the mean of both."""

    function = "percentile_cont"
    template = "%(function)s(0.5) WITHIN GROUP (ORDER BY %(expressions)s)"
    output_field = FloatField()


IN_TIME = Q(due_at__isnull=False, stopped_at__lte=F("due_at"))
LATE = Q(due_at__isnull=False, stopped_at__gt=F("due_at"))
MEASURES: dict[str, Any] = {
    "count": Count("pk"),
    "incidents": Count("incident", distinct=True),
    "mean": Avg("seconds"),
    "median": Median("seconds"),
    "longest": Max("seconds"),
    "met": Count("pk", filter=IN_TIME),
    "missed": Count("pk", filter=LATE),
}


def figures(
    user: User,
    since: datetime,
    until: datetime,
    *,
    severity: Severity | None = None,
    team: Team | None = None,
    incidents: QuerySet[Incident] | None = None,
) -> dict[str, Figure]:
    """The figures of a period, of all that ``user`` may see or of what they see among ``incidents``. One query."""
    rows = _stopped(user, since, until, severity, team, incidents)
    found = {row["name"]: _figure(row) for row in rows.values("name").annotate(**MEASURES)}
    return {name: found.get(name, Figure()) for name in CLOCKS}


def trend(
    user: User, since: datetime, until: datetime, *, severity: Severity | None = None, team: Team | None = None
) -> list[Day]:
    """The figures of each day of a period, days without any included, the oldest first. One query."""
    rows = _stopped(user, since, until, severity, team, None)
    rows_by_day = rows.annotate(day=TruncDay("stopped_at")).values("day", "name").annotate(**MEASURES)
    found = {(row["day"].date(), row["name"]): _figure(row) for row in rows_by_day}
    first, last = timezone.localtime(since).date(), timezone.localtime(until - timedelta(microseconds=1)).date()
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    return [Day(day, {name: found.get((day, name), Figure()) for name in CLOCKS}) for day in days]


def _figure(row: Mapping[str, Any]) -> Figure:
    return Figure(**{name: row[name] for name in MEASURES})


def _stopped(
    user: User,
    since: datetime,
    until: datetime,
    severity: Severity | None,
    team: Team | None,
    among: QuerySet[Incident] | None,
) -> QuerySet[IncidentClock]:
    seen = Incident.objects.visible_to(user).filter(merged_at=None)
    if severity is not None:
        seen = seen.filter(severity=severity)
    if team is not None:
        seen = seen.filter(team=team)
    if among is not None:
        seen = seen.filter(pk__in=among.order_by().values("pk"))
    rows = IncidentClock.objects.filter(stopped_at__gte=since, stopped_at__lt=until, seconds__isnull=False)
    return rows.filter(incident__in=seen.order_by().values("pk")).order_by()
