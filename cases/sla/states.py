"""How an incident stands to its targets, for lists, pages and programs: one word, and the condition that finds it.

    breached   a target is overdue now
    at_risk    the greater part of a target is used (the policy says how much)
    paused     its clocks stand still, and none was overdue before
    ok         the next target is far enough away
    none       nothing is due: no target, or the incident has ended

Besides these, ``missed``: some target was not kept, now or before, whatever the state of the incident is; and
``urgent``: breached or at risk."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Q
from django.db.models.functions import Now

from cases.choices import IncidentStatus
from cases.models import Incident
from cases.sla.calendar import NEVER

STATES = ("breached", "at_risk", "paused", "ok", "none")
WORDS = (*STATES, "missed", "urgent")
_OPEN = Q(status__lt=IncidentStatus.RESOLVED)
_LATE = _OPEN & Q(sla_due_at__lte=Now())
_RISKY = _OPEN & Q(sla_due_at__gt=Now(), sla_risk_at__lte=Now(), sla_paused_at=None)
_CONDITIONS = {
    "breached": _LATE,
    "at_risk": _RISKY,
    "paused": _OPEN & Q(sla_due_at__gt=Now(), sla_paused_at__isnull=False),
    "ok": _OPEN & Q(sla_due_at__gt=Now(), sla_due_at__lt=NEVER, sla_risk_at__gt=Now(), sla_paused_at=None),
    "none": ~_OPEN | Q(sla_due_at=NEVER, sla_paused_at=None),
    "missed": Q(sla_missed=True) | _LATE,
    "urgent": _LATE | _RISKY,
}


def condition(word: str) -> Q:
    """The condition of one of ``WORDS``. Raises KeyError for another word."""
    return _CONDITIONS[word]


def state_of(incident: Incident, now: datetime) -> str:
    """The word of ``STATES`` that fits an incident at a moment, by its own columns."""
    if not IncidentStatus(incident.status).is_open:
        return "none"
    if incident.sla_due_at <= now:
        return "breached"
    if incident.sla_paused_at is not None:
        return "paused"
    if incident.sla_due_at >= NEVER:
        return "none"
    return "at_risk" if incident.sla_risk_at <= now else "ok"


def due_of(incident: Incident) -> datetime | None:
    """When the next target is due; None if nothing is."""
    known = IncidentStatus(incident.status).is_open and incident.sla_due_at < NEVER
    return incident.sla_due_at if known else None
