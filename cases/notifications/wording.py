"""What a line of the inbox says, to its person: made when it is shown, out of what they may see then."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from cases.choices import Severity
from cases.models import Alert, Incident, IncidentTask, Notification, TimelineEntry
from cases.notifications.inbox import LATE, members
from cases.notifications.reasons import REASONS
from cases.restricted_views import note_rows
from cases.timeline_read import tell_all
from cases.timeline_words import plain_sentence
from soar.accounts.models import User

EXCERPT = 280
COUNTED = 1000
QUOTED = frozenset({"mention", "comment", "glass", "conflict", "sla", "approval"})
GROUPS = {
    "assigned": gettext_lazy("gave you alerts"),
    "team": gettext_lazy("gave alerts to your team"),
    "comment": gettext_lazy("wrote notes on alerts of yours"),
    "status": gettext_lazy("changed the status of alerts of yours"),
    "sla": gettext_lazy("tells of targets at risk or missed"),
    "approval": gettext_lazy("asks for approvals"),
}


@dataclass(frozen=True, slots=True)
class Line:
    """A notification in words. ``subject`` is the alert or incident, None for many alerts (``count``)."""

    row: Notification
    subject: Alert | Incident | None
    actor: str
    words: str
    excerpt: str
    url: str
    count: int = 1

    @property
    def reason(self) -> str:
        """The reason's name for people."""
        return str(REASONS[self.row.reason].label) if self.row.reason in REASONS else self.row.reason

    @property
    def icon(self) -> str:
        """Its sign."""
        return ICONS.get(self.row.reason, "notify")

    @property
    def severity(self) -> str:
        """Of what it is about, in the API's word; "" for many."""
        return Severity(self.subject.severity).word if self.subject else ""

    @property
    def heading(self) -> str:
        """What it is about."""
        if self.subject:
            return self.subject.title
        shown = f"{COUNTED:,}+" if self.count > COUNTED else f"{self.count:,}"
        return ngettext("%s alert", "%s alerts", self.count) % shown

    @property
    def sentence(self) -> str:
        """Who did what, in plain text."""
        return f"{self.actor} {self.words}".strip()

    @property
    def at(self) -> datetime:
        """When."""
        return self.row.at


ICONS = {
    "mention": "note", "approval": "approvals", "assigned": "user", "task": "task", "sla": "clock", "glass": "eye",
    "conflict": "servicenow", "access": "key", "team": "users", "comment": "note", "status": "refresh",
}  # fmt: skip


def lines(user: User, rows: Sequence[Notification]) -> list[Line]:
    """The rows, which the person sees, in words. A query for each sort of thing, and one for each of many alerts."""
    entries = _entries(user, rows)
    alerts = Alert.objects.in_bulk([row.alert_id for row in rows if row.alert_id])
    incidents = Incident.objects.in_bulk([row.incident_id for row in rows if row.incident_id])
    found = []
    for row in rows:
        subject: Alert | Incident | None = alerts.get(row.alert_id or 0) or incidents.get(row.incident_id or 0)
        entry = entries.get(row.entry or 0)
        found.append(_line(user, row, subject, entry) if subject is not None else _many(user, row))
    return found


def read(user: User, rows: Sequence[Notification]) -> list[Line]:
    """``lines`` for who reads them now: what of them is restricted is noted as seen."""
    found = lines(user, rows)
    note_rows(user, [line.subject for line in found if line.subject is not None])
    return found


def page_of(line: Line) -> str:
    """The absolute address of the line, which leads on to what it is about."""
    return f"{settings.SOAR_URL}{reverse('notification-open', args=[line.row.pk])}"


def _entries(user: User, rows: Sequence[Notification]) -> dict[int, TimelineEntry]:
    ids = [row.entry for row in rows if row.entry and (row.alert_id or row.incident_id)]
    entries = list(TimelineEntry.objects.filter(pk__in=ids))
    tell_all(user, entries)
    return {entry.pk: entry for entry in entries}


def _line(user: User, row: Notification, subject: Alert | Incident, entry: TimelineEntry | None) -> Line:
    data: dict[str, Any] = entry.data if entry is not None else row.data
    text = entry.text if entry is not None and row.reason in QUOTED else ""
    words = _words(row, entry, data)
    return Line(row, subject, row.actor_name, words, _cut(text), _url(row, subject, data))


def _many(user: User, row: Notification) -> Line:
    if row.kind == LATE:
        url = f"{reverse('alert-list')}?sla=breached&sort=sla"
        words = _("Alerts wait longer than their target for somebody to take them")
        return Line(row, None, "", words, "", url, int(row.data.get("count") or 0))
    number = members(user).filter(notification=row).order_by()[: COUNTED + 1].count()
    words = str(GROUPS.get(row.reason, gettext_lazy("did something with alerts of yours")))
    url = reverse("approval-list") if row.reason == "approval" else f"{reverse('alert-list')}?owner=me"
    return Line(row, None, row.actor_name, words, "", url, number)


def _words(row: Notification, entry: TimelineEntry | None, data: dict[str, Any]) -> str:
    """What the actor did, after their name. What has no words of its own here says what the timeline says."""
    own = _OWN.get(row.kind) or _OWN.get(row.reason)
    if own is not None:
        return own(row, data)
    return plain_sentence(entry) if entry is not None else ""


def _assigned(row: Notification, data: dict[str, Any]) -> str:
    only_lead = data.get("lead") and not data.get("added")
    return _("made you the lead") if only_lead else _("gave it to you")


def _words_of_task(row: Notification, data: dict[str, Any]) -> str:
    return _("gave you the task “%s”") % str(data.get("task", ""))


def _due(row: Notification, data: dict[str, Any]) -> str:
    return _("The task “%s” is due") % _task(row)


def _noted(row: Notification, data: dict[str, Any]) -> str:
    """A note that mentions its reader is a mention."""
    if row.reason == "mention":
        return _("mentioned you")
    if row.kind == "event":
        return _("recorded an event")
    return _("handed over") if row.kind == "handoff" else _("wrote a note")


def _merged_into(row: Notification, data: dict[str, Any]) -> str:
    """Without the other one's title: whether it may be sent is asked of this one alone."""
    return _("merged it into %s") % (data.get("incident") or _("one that you may not see"))


# By kind of entry, then by reason.
_OWN: dict[str, Callable[[Notification, dict[str, Any]], str]] = {
    "task.due": _due,
    "comment": _noted,
    "handoff": _noted,
    "event": _noted,
    "incident.merged_into": _merged_into,
    "mention": lambda row, data: _("mentioned you"),
    "assigned": _assigned,
    "task": _words_of_task,
    "access": lambda row, data: _("gave you access: %s") % data.get("level", ""),
}


def _task(row: Notification) -> str:
    task = IncidentTask.objects.filter(pk=row.data.get("id") or 0).values_list("title", flat=True).first()
    return str(task or "")


def _url(row: Notification, subject: Alert | Incident, data: dict[str, Any]) -> str:
    name = "alert-detail" if isinstance(subject, Alert) else "incident-detail"
    page = reverse(name, args=[subject.number])
    if row.kind == "approval.requested" and data.get("approval"):
        return _known("approval-detail", data["approval"]) or page
    if row.reason == "task":
        return f"{page}#task-{data.get('id') or ''}"
    return f"{page}#entry-{row.entry}" if row.entry and row.reason in ("mention", "comment") else page


def _known(name: str, pk: int) -> str:
    try:
        return reverse(name, args=[pk])
    except NoReverseMatch:
        return ""


def _cut(text: str) -> str:
    plain = " ".join(text.split())
    return plain if len(plain) <= EXCERPT else f"{plain[:EXCERPT]}…"
