"""What pages show of the clocks: how long there is left, and the box of an incident's targets (design: Time left)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from cases.choices import IncidentStatus, Severity
from cases.due_parts import TONES, bare, left
from cases.models import Incident, IncidentClock, IncidentPause
from cases.permissions import holds
from cases.sla import calendar
from cases.sla.clocks import WITHOUT, late, read
from cases.sla.policy import CLOCKS
from cases.sla.states import due_of, state_of
from soar.accounts.models import User
from soar.lib import parts
from soar.lib.text import span_words

Context = dict[str, Any]
NAMES = dict(IncidentClock.Name.choices)
PAUSES_SHOWN = 10


@dataclass(frozen=True, slots=True)
class Line:
    """One clock as the box shows it. ``left`` and ``percent`` only while it runs; ``again`` is its round if it is not
    the first."""

    name: str
    label: str
    state: str  # met, missed, dropped, breached, at_risk, ok, paused, none
    left: SafeString | str = ""
    took: str = ""
    target: str = ""
    percent: int = 0
    again: int = 0
    used: str = ""


def cell(incident: Incident, now: datetime) -> SafeString:
    """The column *Due* of a list: time left, *paused*, or a dash. Exact on hover."""
    state = state_of(incident, now)
    due = due_of(incident)
    if due is not None:
        return left(due, now, state)
    if state == "paused":
        return format_html('<span class="clock ink-2" title="{}">{}</span>', _("The clocks stand still"), _("paused"))
    return mark_safe("–")


def badge(incident: Incident, now: datetime) -> SafeString | str:
    """Beside the state of an incident: what a reader must not miss, "" if all is well."""
    state, due = state_of(incident, now), due_of(incident)
    if state == "paused":
        return format_html('<span class="pill t-grey">{}{}</span>', parts.icon("pause", "i-14"), _("Clocks paused"))
    if due is None or state not in TONES:
        return ""
    tone = "red" if state == "breached" else "amber"
    words = _("Overdue") if state == "breached" else _("Due in")
    return format_html(
        '<span class="pill t-{}">{}{} {}</span>', tone, parts.icon("clock", "i-14"), words, bare(due, now)
    )


def targets(user: User, incident: Incident) -> Context:
    """The box: a line for each clock, the pause that lasts, and what this person may do. Three queries."""
    clocks = read(incident)
    rows = [clocks.rows[name] for name in CLOCKS if name in clocks.rows]
    if incident.merged_at is not None:  # those that ran then wait for an undo, and are late for nobody
        rows = [row for row in rows if row.stopped_at is not None]
    lines = [_line(incident, row, clocks.now, clocks) for row in rows]
    imported = incident.sla_version == WITHOUT
    always = clocks.policy.calendar(incident.severity).always
    return {
        "incident": incident,
        "number": incident.number,
        "lines": [line for line in lines if line is not None],
        "pause": clocks.pause,
        "hours": _("24 × 7") if always else _("working hours"),
        "severity": Severity(incident.severity),
        "imported": imported,
        "may_pause": not imported and IncidentStatus(incident.status).is_open and holds(user, incident, "edit"),
    }


def history(incident: Incident) -> list[dict[str, Any]]:
    """The last pauses that are over, with how long they lasted."""
    rows = IncidentPause.objects.filter(incident=incident).exclude(ended_at=None).order_by("-pk")[:PAUSES_SHOWN]
    return [{"pause": row, "lasted": span_words(_seconds(row.started_at, row.ended_at))} for row in rows]


def _line(incident: Incident, row: IncidentClock, now: datetime, clocks: Any) -> Line | None:
    target = "" if row.target is None else span_words(row.target * 60)
    again = row.round if row.round > 1 else 0
    label = _(NAMES[row.name])
    if row.stopped_at is not None:
        if row.seconds is None:
            return Line(row.name, label, "dropped", target=target, again=again)
        state = "missed" if late(row) else "met" if row.target is not None else "none"
        return Line(row.name, label, state, took=span_words(row.seconds), target=target, again=again)
    about = clocks.policy.calendar(incident.severity)
    used = calendar.elapsed(about, row.started_at, now, clocks.pauses).total_seconds()
    if row.target is None:
        return Line(row.name, label, "none", took=span_words(used), again=again)
    percent = min(100, int(100 * used / (row.target * 60)))
    state = "breached" if row.due_at is not None and row.due_at <= now else ""
    state = state or ("paused" if clocks.pause else "at_risk" if percent >= clocks.policy.warn_percent else "ok")
    shown: SafeString | str = ""
    if row.due_at is not None:  # "overdue" stands before it, so no minus
        shown = bare(row.due_at, now) if state == "breached" else left(row.due_at, now, state)
    return Line(row.name, label, state, shown, "", target, percent, again, span_words(used))


def _seconds(begin: datetime, end: datetime | None) -> float:
    return (end - begin).total_seconds() if end is not None else 0
