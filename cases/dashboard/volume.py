"""How many alerts came, by day and severity and by source: from the figures by the hour, for the person who asks."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from django.db.models import Q, QuerySet, Sum
from django.db.models.functions import TruncDay
from django.utils import timezone

from cases.choices import Severity
from cases.grants import granted
from cases.models import AlertHour
from soar.accounts.membership import may, team_ids
from soar.accounts.models import User

SOURCES_SHOWN = 6


@dataclass(frozen=True, slots=True)
class Day:
    """A day of the reader's zone; ``by_severity`` counts alerts by the word of their severity."""

    day: date
    by_severity: dict[str, int] = field(default_factory=dict)

    @property
    def total(self) -> int:
        """Of all severities."""
        return sum(self.by_severity.values())


@dataclass(frozen=True, slots=True)
class Volume:
    """What came from one source."""

    slug: str
    name: str
    count: int

    @property
    def count_words(self) -> str:
        """``20,000``."""
        return f"{self.count:,}"


def hours_of(user: User, team: int | None = None) -> QuerySet[AlertHour]:
    """The figures of alerts that the person sees by their teams: of all teams for who reads them all, else of their own
    and of no team, and of sources granted to them; of one team alone if it is given. What they see for another reason
    (as owner, by a grant on one incident) is not counted."""
    if not may(user, "view_cases"):
        return AlertHour.objects.none()
    rows = AlertHour.objects.filter(team=team) if team else AlertHour.objects.all()
    if may(user, "view_all_teams"):
        return rows
    return rows.filter(Q(team=None) | Q(team__in=team_ids(user)) | granted(user, "Source", "source"))


def days(user: User, since: datetime, until: datetime, team: int | None = None) -> list[Day]:
    """Each day from ``since`` (aware) to ``until``, those without alerts too, in the current time zone."""
    zone = timezone.get_current_timezone()
    rows = hours_of(user, team).filter(hour__gte=since).annotate(day=TruncDay("hour", tzinfo=zone))
    counted: dict[date, dict[str, int]] = {}
    for day, severity, count in rows.values_list("day", "severity").annotate(n=Sum("count")).order_by("day"):
        counted.setdefault(day.date(), {})[Severity(severity).word] = count
    first, last = since.astimezone(zone).date(), until.astimezone(zone).date()
    every = (first + timedelta(days=n) for n in range((last - first).days + 1))
    return [Day(one, counted.get(one, {})) for one in every]


def sources(user: User, since: datetime, team: int | None = None) -> list[Volume]:
    """The sources that most came from, most first."""
    rows = hours_of(user, team).filter(hour__gte=since).values_list("source__slug", "source__name")
    counted = rows.annotate(n=Sum("count")).order_by("-n", "source__name")[:SOURCES_SHOWN]
    return [Volume(slug, name, count) for slug, name, count in counted]
