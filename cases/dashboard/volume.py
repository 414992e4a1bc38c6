"""How many alerts came, by day and severity and by source: from the figures by the hour, for the person who asks."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from django.db.models import Count, Q, QuerySet, Sum
from django.db.models.functions import TruncDay
from django.utils import timezone

from cases.choices import Severity
from cases.dashboard import half_hours
from cases.grants import granted
from cases.models import Alert, AlertHour
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
    return AlertHour.objects.filter(_counted(user, team))


def alerts_of(user: User, team: int | None = None) -> QuerySet[Alert]:
    """The alerts that ``hours_of`` counts."""
    return Alert.objects.filter(_counted(user, team), restricted=False)


def _counted(user: User, team: int | None) -> Q:
    """The condition on team and source, of alerts and of their figures alike."""
    if not may(user, "view_cases"):
        return Q(pk__in=[])
    mine = Q(team=team) if team else Q()
    if may(user, "view_all_teams"):
        return mine
    return mine & (Q(team=None) | Q(team__in=team_ids(user)) | granted(user, "Source", "source"))


def days(user: User, since: datetime, until: datetime, team: int | None = None) -> list[Day]:
    """Each day from ``since`` (aware) to ``until``, those without alerts too, in the current time zone."""
    zone = timezone.get_current_timezone()
    rows = hours_of(user, team).filter(hour__gte=since).annotate(day=TruncDay("hour", tzinfo=zone))
    counted: dict[date, dict[str, int]] = {}
    for day, severity, count in rows.values_list("day", "severity").annotate(n=Sum("count")).order_by("day"):
        counted.setdefault(day.date(), {})[Severity(severity).word] = count
    first, last = since.astimezone(zone).date(), until.astimezone(zone).date()
    every = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    begun = half_hours.counted(alerts_of(user, team), half_hours.split(every, zone))
    for (day, severity), number in begun.items():
        _move(counted, Severity(severity).word, day, number)
    return [Day(one, counted.get(one, {})) for one in every]


def _move(counted: dict[date, dict[str, int]], word: str, day: date, number: int) -> None:
    """Count alerts on the day on which they came, and not on the one before, where their hour begins."""
    mine, before = counted.setdefault(day, {}), counted.get(day - timedelta(days=1), {})
    mine[word] = mine.get(word, 0) + number
    if word in before:
        before[word] = max(0, before[word] - number)


def sources(user: User, since: datetime, team: int | None = None) -> list[Volume]:
    """The sources that most came from, most first."""
    rows = hours_of(user, team).filter(hour__gte=since).values_list("source__slug", "source__name")
    part = half_hours.rest_of_hour(since)
    if part is None:
        counted = rows.annotate(n=Sum("count")).order_by("-n", "source__name")[:SOURCES_SHOWN]
        return [Volume(slug, name, count) for slug, name, count in counted]
    found = {(slug, name): count for slug, name, count in rows.annotate(n=Sum("count")).order_by()}
    begun = alerts_of(user, team).filter(received_at__gte=part[0], received_at__lt=part[1])
    for slug, name, count in begun.order_by().values_list("source__slug", "source__name").annotate(n=Count("pk")):
        found[slug, name] = found.get((slug, name), 0) + count
    most = sorted(found.items(), key=lambda one: (-one[1], one[0][1]))[:SOURCES_SHOWN]
    return [Volume(slug, name, count) for (slug, name), count in most]
