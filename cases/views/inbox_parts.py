"""What the inbox shows: lines by day and by what they are about, and what could not be sent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from cases.models import Alert, Channel, NoticeState, NotificationDelivery
from cases.notifications.wording import Line
from soar.accounts.models import User
from soar.lib import clock, parts

TROUBLE_DAYS = 7


@dataclass(slots=True)
class Subject:
    """Lines about the same alert or incident, or one about many alerts."""

    heading: str
    number: str
    severity: SafeString | str
    lines: list[Line] = field(default_factory=list)


@dataclass(slots=True)
class Day:
    """The lines of a day of the person's time zone."""

    label: str
    subjects: list[Subject] = field(default_factory=list)


def days(lines: Sequence[Line]) -> list[Day]:
    """The lines under their days, those about the same thing together where the newest of them stands."""
    found: dict[date, dict[object, Subject]] = {}
    for line in lines:
        day = timezone.localtime(line.row.created_at).date()
        about = (type(line.subject), line.subject.pk) if line.subject else line.row.pk
        subjects = found.setdefault(day, {})
        if about not in subjects:
            subjects[about] = _subject(line)
        subjects[about].lines.append(line)
    today = timezone.localtime(clock.now()).date()
    return [Day(_label(day, today), list(subjects.values())) for day, subjects in found.items()]


def troubles(user: User) -> list[tuple[str, str]]:
    """What could not be sent to the person of late: the channel and the last reason. One query."""
    since = clock.now() - timedelta(days=TROUBLE_DAYS)
    rows = NotificationDelivery.objects.filter(user=user, created_at__gt=since)
    last: dict[str, NotificationDelivery] = {}
    for row in rows.filter(finished_at__isnull=False).exclude(state=NoticeState.SKIPPED).order_by("-id")[:50]:
        last.setdefault(row.channel, row)
    return [(_(str(Channel(row.channel).label)), row.said) for row in last.values() if row.state == NoticeState.FAILED]


def _subject(line: Line) -> Subject:
    about = line.subject
    if about is None:
        return Subject(line.heading, "", parts.icon("alerts"))
    sign = parts.sev(line.severity, hidden=True)
    return Subject(about.title, f"{'ALR' if isinstance(about, Alert) else 'INC'}-{about.pk}", sign)


def _label(day: date, today: date) -> str:
    if day == today:
        return _("Today")
    if day == today - timedelta(days=1):
        return _("Yesterday")
    return day.isoformat()
