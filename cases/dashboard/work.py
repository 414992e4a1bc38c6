"""What waits for one person: the incidents they own, their tasks, their alerts (casework.md 18)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db.models import F
from django.urls import reverse
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _

from cases.choices import IncidentStatus
from cases.models import Alert, Incident, IncidentTask
from cases.restricted_views import told_of
from soar.accounts.models import User

OF_A_SORT = 5


@dataclass(frozen=True, slots=True)
class Item:
    """One thing to do. ``icon`` of static/icons.svg; ``due`` for a clock; ``ask``: a decision is asked for;
    ``restricted``: the id of the restricted incident of which it tells, 0 for none."""

    icon: str
    title: str
    url: str
    why: str = ""
    due: datetime | None = None
    ask: str = ""
    restricted: int = 0


def work_of(user: User) -> list[Item]:
    """What asks for a decision first, then incidents, tasks and alerts; a few of each sort, the most urgent first.

    Other applications add theirs by ``settings.WORK_OF``: dotted names of functions like those below."""
    parts: list[Callable[[User], Iterator[Item]]] = [import_string(name) for name in settings.WORK_OF]
    return [item for part in parts for item in part(user)]


def incidents(user: User) -> Iterator[Item]:
    """Open incidents that the person owns."""
    rows = Incident.objects.visible_to(user).open().filter(owner_rows__user=user)
    for row in rows.only("title", "severity", "status", "restricted").order_by("-severity", "-pk")[:OF_A_SORT]:
        status = _(str(IncidentStatus(row.status).label))
        url, about = reverse("incident-detail", args=[row.number]), f"{row.number} {row.title}"
        yield Item("incidents", about, url, status, restricted=told_of(row))


def tasks(user: User) -> Iterator[Item]:
    """Open tasks that are assigned to the person, the next due first."""
    rows = IncidentTask.objects.visible_to(user).open().filter(assignee=user)
    rows = rows.filter(incident__status__lt=IncidentStatus.RESOLVED).select_related("incident")
    for row in rows.order_by(F("due_at").asc(nulls_last=True), "-incident__severity", "pk")[:OF_A_SORT]:
        url = reverse("incident-detail", args=[row.incident.number]) + f"#task-{row.pk}"
        about = f"{row.incident.number} {row.incident.title}"
        yield Item("check", row.title, url, about, row.due_at, restricted=told_of(row.incident))


def alerts(user: User) -> Iterator[Item]:
    """Alerts in the queue that the person owns and that are in no incident of which they hear anyway."""
    rows = Alert.objects.visible_to(user).queued().filter(owner=user, incident=None)
    for row in rows.only("title", "hostname", "username", "severity").order_by("-severity", "-pk")[:OF_A_SORT]:
        about = row.hostname or row.username or _("no host")
        yield Item("alerts", row.title, reverse("alert-detail", args=[row.number]), f"{row.number} · {about}")
