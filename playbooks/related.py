"""What shares a host, a user or a source address with an alert: context for playbooks.

Whatever rights the playbook acts with, it is told of no more than the people of the alert's team see: its answers
go into notes and results that they all read (access.md 4).
"""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta
from typing import Any

from django.db.models import Q

from cases.choices import AlertStatus, Determination, Severity
from cases.models import Alert, Incident
from cases.querysets import AlertQuerySet, IncidentQuerySet
from soar.accounts.models import User

FIELDS = ("hostname", "username", "source_ip")
ALERTS_AT_MOST = 50


def alerts(user: User | None, alert: int, hours: int) -> list[dict[str, Any]]:
    """Other alerts with a field in common, of the same team or none, newest first, at most 50: received since
    ``hours`` before the alert."""
    subject = Alert.objects.get(pk=alert)
    rows = list(_sharing(user, subject, hours).order_by("-pk")[:ALERTS_AT_MOST])
    named = set(_seen(user, subject).filter(pk__in={row.incident_id for row in rows}).values_list("pk", flat=True))
    return [_as_json(row, subject, named) for row in rows]


def incidents(user: User | None, alert: int, hours: int) -> list[dict[str, Any]]:
    """Open incidents of the same team or none, of alerts with a field in common, most shared first."""
    subject = Alert.objects.get(pk=alert)
    shared: dict[int, list[Alert]] = defaultdict(list)
    for row in _sharing(user, subject, hours).filter(incident__isnull=False).order_by("-pk")[:200]:
        shared[row.incident_id or 0].append(row)
    found = _seen(user, subject).open().filter(pk__in=shared)
    rows = [_incident_as_json(incident, shared[incident.pk], subject) for incident in found.order_by("-pk")]
    return sorted(rows, key=lambda row: (-len(row["shared"]), -len(row["alerts"])))


def _seen(user: User | None, subject: Alert) -> IncidentQuerySet:
    rows = Incident.objects.visible_to(user) if user else Incident.objects.all()
    return rows.filter(_seen_with(subject))


def _seen_with(subject: Alert) -> Q:
    """That whoever sees the subject as one of its team sees the row too."""
    return Q(restricted=False) & (Q(team=None) | Q(team=subject.team_id))


def _sharing(user: User | None, subject: Alert, hours: int) -> AlertQuerySet:
    either = Q(pk__in=[])
    for name in FIELDS:
        if value := getattr(subject, name):
            either |= Q(**{name: value})
    since = subject.received_at - timedelta(hours=max(1, min(int(hours), 24 * 90)))
    rows = Alert.objects.visible_to(user) if user else Alert.objects.all()
    return (
        rows.filter(either, _seen_with(subject), received_at__gte=since)
        .exclude(pk=subject.pk)
        .defer("description", "entities")
    )


def _in_common(row: Alert, subject: Alert) -> list[dict[str, str]]:
    return [
        {"field": name, "value": getattr(subject, name)}
        for name in FIELDS
        if getattr(subject, name) and getattr(row, name) == getattr(subject, name)
    ]


def _as_json(row: Alert, subject: Alert, named: set[int]) -> dict[str, Any]:
    return {
        "number": row.number,
        "title": row.title,
        "severity": Severity(row.severity).word,
        "status": AlertStatus(row.status).word,
        "determination": Determination(row.determination).word,
        "incident": f"INC-{row.incident_id}" if row.incident_id in named else None,
        "shared": _in_common(row, subject),
    }


def _incident_as_json(incident: Incident, rows: list[Alert], subject: Alert) -> dict[str, Any]:
    shared = {entry["field"]: entry for row in rows for entry in _in_common(row, subject)}
    return {
        "number": incident.number,
        "title": incident.title,
        "shared": list(shared.values()),
        "alerts": [row.number for row in rows],
    }
