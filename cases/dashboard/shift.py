"""What a shift has to know of the one before (casework.md 17): what changed, what is due next, what waits on whom."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import F, OuterRef, Q, Subquery
from django.urls import reverse
from django.utils.module_loading import import_string

from cases.choices import IncidentStatus, Severity
from cases.dashboard.work import Item
from cases.models import Alert, HandOver, Incident, IncidentTask, TimelineEntry
from cases.querysets import IncidentQuerySet
from cases.restricted_views import told_of
from cases.sla.calendar import NEVER
from cases.timeline_read import EntryView, views
from soar.accounts.membership import may, team_ids
from soar.accounts.models import Team, User
from soar.lib import clock
from soar.lib.counts import counted_together

AT_MOST = 50
SHIFT = timedelta(hours=8)  # since when, where nobody has ever signed over
LONGEST = timedelta(days=7)
COUNTED = 10_000
LOOKED_AT = 200  # incidents that were changed last
TOLD = ("incident.reopened", "incident.owners", "incident.merged", "incident.split", "sla.paused", "sla.breached")
TOLD_FIELDS = ("status", "severity", "team", "tlp", "determination")


@dataclass(frozen=True, slots=True)
class Changed:
    """Since the hand-over before: incidents opened and ended, alerts received and resolved (counted to 10,000), notes
    that were written as hand-over notes on incidents, in their newest wording; ``told``: what else was done to older
    incidents that are open, the newest first."""

    opened: list[Incident] = field(default_factory=list)
    ended: list[Incident] = field(default_factory=list)
    received: int = 0
    resolved: int = 0
    notes: list[EntryView] = field(default_factory=list)
    told: list[TimelineEntry] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Waiting:
    """What waits on somebody: a person's name, or "" for nobody in particular."""

    whom: str
    item: Item


def last(team: Team | None) -> HandOver | None:
    """The newest hand-over of the team; of nobody's shifts without one."""
    rows = HandOver.objects.filter(team=team).select_related("signed_by", "taken_by", "team")
    return rows.order_by("-pk").first()


def since(before: HandOver | None) -> datetime:
    """When the shift that goes on now began: with the signature before, at most a week ago."""
    now = clock.now()
    return max(before.signed_at, now - LONGEST) if before else now - SHIFT


def incidents(user: User, team: Team | None) -> IncidentQuerySet:
    """The incidents that the shift is about: what the person sees, of the team if there is one."""
    rows = Incident.objects.visible_to(user)
    return rows.filter(team=team) if team else rows


def changed(user: User, moment: datetime, team: Team | None) -> Changed:
    """What happened since a moment."""
    over = Q(resolved_at__gte=moment) | Q(closed_at__gte=moment)
    ended = Q(status__gte=IncidentStatus.RESOLVED) & over
    # What was merged has not ended: it goes on in the other one.
    rows = incidents(user, team).filter(merged_at=None)
    rows = rows.only("title", "severity", "status", "created_at", "resolved_at", "closed_at", "restricted")
    found = list(rows.filter(Q(created_at__gte=moment) | ended).order_by("-severity", "-pk")[: 2 * AT_MOST])
    received, resolved = alerts_since(user, moment, team)
    notes = TimelineEntry.objects.filter(kind="handoff", recorded_at__gte=moment)
    notes = notes.filter(incident__in=incidents(user, team)).select_related("incident")
    return Changed(
        opened=[row for row in found if row.created_at >= moment][:AT_MOST],
        ended=[row for row in found if not IncidentStatus(row.status).is_open][:AT_MOST],
        received=received,
        resolved=resolved,
        notes=views(notes.order_by("-pk")[:AT_MOST]),
        told=_told(user, moment, team),
    )


def _told(user: User, moment: datetime, team: Team | None) -> list[TimelineEntry]:
    """Entries of open incidents that are older than the shift, by the index of what was changed last."""
    rows = incidents(user, team).open().filter(merged_at=None, updated_at__gte=moment, created_at__lt=moment)
    newest = rows.order_by("-updated_at").values("pk")[:LOOKED_AT]
    entries = TimelineEntry.objects.filter(incident__in=newest, recorded_at__gte=moment)
    entries = entries.filter(Q(kind="changed", data__field__in=TOLD_FIELDS) | Q(kind__in=TOLD))
    return list(entries.select_related("incident").order_by("-pk")[:AT_MOST])


def alerts_since(user: User, moment: datetime, team: Team | None, *, shared: bool = False) -> tuple[int, int]:
    """How many alerts came and were resolved since a moment; ``shared``: for those to read who see the teams of
    ``teams_counted``, without restricted ones, whose number is nobody's business (access.md 3 to 5)."""
    alerts = Alert.objects.visible_to(user)
    alerts = (alerts.filter(team=team) if team else alerts).order_by()
    if shared:
        alerts = alerts.filter(restricted=False)
        teams = teams_counted(user, team)
        alerts = alerts if teams is None else alerts.filter(Q(team=None) | Q(team__in=teams))
    wanted = {
        "received": alerts.filter(received_at__gte=moment),
        "resolved": alerts.filter(updated_at__gte=moment, resolved_at__gte=moment),
    }
    found = counted_together(wanted, COUNTED)
    return min(found.get("received", 0), COUNTED), min(found.get("resolved", 0), COUNTED)


def teams_counted(user: User, team: Team | None) -> list[int] | None:
    """Ids of the teams whose alerts a hand-over of this person counts, besides those of no team; None for all."""
    if team is not None:
        return [team.pk]
    return None if may(user, "view_all_teams") else team_ids(user)


def may_read_figures(user: User, row: HandOver) -> bool:
    """Whether the person sees all alerts that a hand-over counted: others are told no number of them (access.md 4)."""
    counted = row.facts.get("teams")  # not there in old ones, which counted all that their signer saw
    if may(user, "view_all_teams"):
        return True
    return row.team_id is not None or (isinstance(counted, list) and set(counted) <= set(team_ids(user)))


def due_next(user: User, team: Team | None) -> list[Incident]:
    """Open incidents whose next target is due, overdue ones first."""
    rows = incidents(user, team).open().filter(sla_due_at__lt=NEVER, sla_paused_at=None)
    return list(rows.order_by("sla_due_at", "pk")[:10])


def waiting(user: User, team: Team | None) -> list[Waiting]:
    """What waits on whom. Other applications add theirs by ``settings.WAITING_OF``: dotted names of functions of a
    person and a team."""
    parts: list[Callable[[User, Team | None], Iterator[Waiting]]]
    parts = [import_string(name) for name in settings.WAITING_OF]
    return [one for part in parts for one in part(user, team)]


def grave(user: User, team: Team | None) -> Iterator[Waiting]:
    """Open incidents of high or critical severity that nobody owns."""
    rows = incidents(user, team).open().filter(owner_rows=None, severity__gte=Severity.HIGH)
    for row in rows.only("title", "severity", "status", "restricted").order_by("-severity", "pk")[:AT_MOST]:
        url, about = reverse("incident-detail", args=[row.number]), f"{row.number} {row.title}"
        label = Severity(row.severity).label
        yield Waiting("", Item("incidents", about, url, label, restricted=told_of(row)))


def paused(user: User, team: Team | None) -> Iterator[Waiting]:
    """Open incidents whose clocks stand still, with the reason: somebody else has to do something first."""
    rows = incidents(user, team).open().filter(sla_paused_at__isnull=False)
    told = TimelineEntry.objects.filter(incident=OuterRef("pk"), kind="sla.paused").order_by("-pk")
    found: Any = rows.annotate(reason=Subquery(told.values("text")[:1])).order_by("-severity", "pk")
    for row in found.only("title", "restricted")[:AT_MOST]:
        url, about = reverse("incident-detail", args=[row.number]), f"{row.number} {row.title}"
        yield Waiting("", Item("pause", about, url, row.reason or "", restricted=told_of(row)))


def tasks(user: User, team: Team | None) -> Iterator[Waiting]:
    """Open tasks that are due within a day, or overdue, and those without a due time that somebody has."""
    soon = Q(due_at__lt=clock.now() + timedelta(days=1)) | Q(due_at=None, assignee__isnull=False)
    rows = IncidentTask.objects.visible_to(user).open().filter(soon)
    rows = rows.filter(incident__status__lt=IncidentStatus.RESOLVED)
    rows = rows.filter(incident__team=team) if team else rows
    for row in rows.select_related("incident", "assignee").order_by(F("due_at").asc(nulls_last=True), "pk")[:AT_MOST]:
        url = reverse("incident-detail", args=[row.incident.number]) + f"#task-{row.pk}"
        why = f"{row.incident.number} {row.incident.title}"
        whom = row.assignee.display_name() if row.assignee else ""
        yield Waiting(whom, Item("task", row.title, url, why, row.due_at, restricted=told_of(row.incident)))
