"""What a shift has to know of the one before (casework.md 17): what changed, what is due next, what waits on whom."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.db.models import F, OuterRef, Q, QuerySet, Subquery, Value
from django.urls import reverse
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _

from cases.choices import IncidentStatus, Severity
from cases.dashboard.work import Item
from cases.incident_moments import ended, opened
from cases.models import Alert, HandOver, Incident, IncidentPause, IncidentTask, TimelineEntry
from cases.query_text import written
from cases.querysets import AlertQuerySet, IncidentQuerySet
from cases.restricted_views import told_of
from cases.sla.calendar import NEVER
from cases.timeline_read import EntryView, views
from soar.accounts.membership import may, team_ids
from soar.accounts.models import Team, User
from soar.lib import clock
from soar.lib.columns import PERSON, beside
from soar.lib.counts import counted_together

AT_MOST, DUE_AT_MOST = 50, 10
SHIFT = timedelta(hours=8)  # since when, where nobody has ever signed over
LONGEST = timedelta(days=7)
COUNTED = 10_000
LOOKED_AT, TOLD_AT_MOST = 200, 200  # incidents that were changed last, and entries of theirs
SHOWN = ("title", "severity", "status", "restricted")  # columns of a line
DUE = Q(sla_due_at__lt=NEVER, sla_paused_at=None)
TOLD = ("incident.reopened", "incident.owners", "incident.merged", "incident.split", "sla.paused", "sla.breached")
TOLD_FIELDS = ("status", "severity", "team", "tlp", "determination")


@dataclass(frozen=True, slots=True)
class Changed:
    """Since the hand-over before: incidents opened and ended, alerts received and resolved, notes that were written as
    hand-over notes on incidents, in their newest wording; ``told``: what else was done to older incidents that are
    open, the newest first, ``going_on``. Of each the first AT_MOST; ``counts`` has how many there are of ``opened``,
    ``ended``, ``received``, ``resolved``, ``notes`` and ``going_on``, and of ``due`` ones, each counted to COUNTED."""

    opened: list[Incident] = field(default_factory=list)
    ended: list[Incident] = field(default_factory=list)
    notes: list[EntryView] = field(default_factory=list)
    told: list[TimelineEntry] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)


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
    rows = selections(user, moment, team)
    first = _first(rows, ("opened", "ended"))
    notes = TimelineEntry.objects.filter(kind="handoff", recorded_at__gte=moment)
    notes = notes.filter(incident__in=incidents(user, team))
    due = incidents(user, team).open().filter(DUE)
    asked: dict[str, QuerySet[Any]] = {**rows, **_alerts(user, moment, team), "notes": notes, "due": due}
    counts = counted_together(asked, COUNTED)
    return Changed(
        **first,
        notes=views(beside(notes, incident=SHOWN).order_by("-pk")[:AT_MOST]),
        told=told_since(user, moment, team)[:AT_MOST],
        counts={name: counts.get(name, 0) for name in asked},
    )


def _first(rows: Mapping[str, IncidentQuerySet], names: Sequence[str]) -> dict[str, list[Incident]]:
    """The first AT_MOST of each of these, the gravest first, in one query."""
    parts = [rows[name].annotate(which=Value(name)).only(*SHOWN).order_by("-severity", "-pk") for name in names]
    found: list[Any] = list(parts[0][:AT_MOST].union(*(part[:AT_MOST] for part in parts[1:]), all=True))
    found.sort(key=lambda row: (row.severity, row.pk), reverse=True)
    return {name: [row for row in found if row.which == name] for name in names}


def selections(user: User, moment: datetime, team: Team | None) -> dict[str, IncidentQuerySet]:
    """The incidents that were opened and ended since a moment, and ``going_on``: older ones that are open and were
    changed. What was merged has not ended: it goes on in the other one."""
    rows, since = incidents(user, team).filter(merged_at=None), moment.isoformat()
    going_on = rows.open().filter(updated_at__gte=moment, created_at__lt=moment)
    changed = rows.filter(updated_at__gte=moment)  # as both are, and it has an index
    return {"opened": changed.filter(opened(since)), "ended": changed.filter(ended(since)), "going_on": going_on}


def told_since(user: User, moment: datetime, team: Team | None) -> list[TimelineEntry]:
    """What was done since a moment to incidents that go on, the newest TOLD_AT_MOST, by the index of what was changed
    last."""
    newest = selections(user, moment, team)["going_on"].order_by("-updated_at").values("pk")[:LOOKED_AT]
    entries = TimelineEntry.objects.filter(incident__in=newest, recorded_at__gte=moment)
    entries = entries.filter(Q(kind="changed", data__field__in=TOLD_FIELDS) | Q(kind__in=TOLD))
    return list(beside(entries, incident=SHOWN).order_by("-pk")[:TOLD_AT_MOST])


def _alerts(user: User, moment: datetime, team: Team | None, *, shared: bool = False) -> dict[str, AlertQuerySet]:
    alerts = Alert.objects.visible_to(user)
    alerts = (alerts.filter(team=team) if team else alerts).order_by()
    if shared:
        alerts = alerts.filter(restricted=False)
        teams = teams_counted(user, team)
        alerts = alerts if teams is None else alerts.filter(Q(team=None) | Q(team__in=teams))
    return {
        "received": alerts.filter(received_at__gte=moment),
        "resolved": alerts.filter(updated_at__gte=moment, resolved_at__gte=moment),
    }


def alerts_for_all(user: User, moment: datetime, team: Team | None) -> dict[str, int]:
    """How many alerts came and were resolved since a moment, for those to read who see the teams of ``teams_counted``:
    without restricted ones, whose number is nobody's business (access.md 3 to 5)."""
    found = counted_together(_alerts(user, moment, team, shared=True), COUNTED)
    return {name: min(found.get(name, 0), COUNTED) for name in ("received", "resolved")}


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
    return list(incidents(user, team).open().filter(DUE).order_by("sla_due_at", "pk")[:DUE_AT_MOST])


def waiting(user: User, team: Team | None) -> list[Waiting]:
    """What waits on whom. Other applications add theirs by ``settings.WAITING_OF``: dotted names of functions of a
    person and a team."""
    parts: list[Callable[[User, Team | None], Iterator[Waiting]]]
    parts = [import_string(name) for name in settings.WAITING_OF]
    return [one for part in parts for one in part(user, team)]


def grave(user: User, team: Team | None) -> Iterator[Waiting]:
    """Open incidents of high or critical severity that nobody owns."""
    rows = incidents(user, team).open().filter(owner_rows=None, severity__gte=Severity.HIGH)
    found = list(rows.only(*SHOWN).order_by("-severity", "pk")[: AT_MOST + 1])
    for row in found[:AT_MOST]:
        url, about = reverse("incident-detail", args=[row.number]), f"{row.number} {row.title}"
        label = _(str(Severity(row.severity).label))
        yield Waiting("", Item("incidents", about, url, label, restricted=told_of(row)))
    if len(found) > AT_MOST:
        query = {"owner": "none", "severity": f"{Severity.HIGH.word},{Severity.CRITICAL.word}"}
        yield more(_("All grave incidents without an owner"), "incident-list", team, **query)


def paused(user: User, team: Team | None) -> Iterator[Waiting]:
    """Open incidents whose clocks stand still, with the reason: somebody else has to do something first."""
    rows = incidents(user, team).open().filter(sla_paused_at__isnull=False)
    lasting = IncidentPause.objects.filter(incident=OuterRef("pk"), ended_at=None)
    rows = rows.annotate(reason=Subquery(lasting.values("reason")[:1])).order_by("-severity", "pk")
    found: list[Any] = list(rows.only(*SHOWN)[: AT_MOST + 1])
    for row in found[:AT_MOST]:
        url, about = reverse("incident-detail", args=[row.number]), f"{row.number} {row.title}"
        yield Waiting("", Item("pause", about, url, row.reason or "", restricted=told_of(row)))
    if len(found) > AT_MOST:
        yield more(_("All incidents whose clocks stand still"), "incident-list", team, sla="paused")


def tasks(user: User, team: Team | None) -> Iterator[Waiting]:
    """Open tasks that are due within a day, or overdue, and those without a due time that somebody has."""
    soon = Q(due_at__lt=clock.now() + timedelta(days=1)) | Q(due_at=None, assignee__isnull=False)
    rows = IncidentTask.objects.visible_to(user).open().filter(soon)
    rows = rows.filter(incident__status__lt=IncidentStatus.RESOLVED)
    rows = rows.filter(incident__team=team) if team else rows
    rows = beside(rows, incident=SHOWN, assignee=PERSON).order_by(F("due_at").asc(nulls_last=True), "pk")
    found = list(rows[: AT_MOST + 1])
    for row in found[:AT_MOST]:
        url = reverse("incident-detail", args=[row.incident.number]) + f"#task-{row.pk}"
        why = f"{row.incident.number} {row.incident.title}"
        whom = row.assignee.display_name() if row.assignee else ""
        yield Waiting(whom, Item("task", row.title, url, why, row.due_at, restricted=told_of(row.incident)))
    if len(found) > AT_MOST:
        yield more(_("All tasks"), "task-list", tab="all")


def more(label: str, page: str, team: Team | None = None, **filters: str) -> Waiting:
    """The line that leads to all of a sort of which only the first are shown."""
    query = {**filters, **({"team": written([team.name])} if team else {})}
    return Waiting("", Item("dots", label, f"{reverse(page)}?{urlencode(query)}", _("Only the first are shown here")))
