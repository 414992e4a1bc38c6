"""What an exported incident has beside the case itself: custom fields in words, targets, links to other incidents."""

from __future__ import annotations

from datetime import UTC
from typing import Any

from django.utils import timezone

from cases.actions.relations import related_to
from cases.custom_fields.words import people_of, words
from cases.models import CustomField, Incident, IncidentClock
from cases.reporting.options import RANK, Options
from soar.accounts.models import User
from soar.lib import clock
from soar.lib.clock import iso

Items = list[dict[str, Any]]


def fields(incident: Incident) -> Items:
    """The custom fields that have a value, in their order; moments in words are UTC."""
    values = incident.custom_fields
    rows = list(CustomField.objects.filter(key__in=list(values)).order_by("position", "pk"))
    people = people_of(values[row.key] for row in rows if row.kind == "user")
    with timezone.override(UTC):
        return [
            {
                "key": row.key,
                "name": row.name,
                "kind": row.kind,
                "value": values[row.key],
                "words": words(row.kind, values[row.key], people),
            }
            for row in rows
        ]


def clocks(incident: Incident) -> Items:
    """Every round of its clocks: the figures of its page (casework.md 11). ``kept`` is null while nobody can know."""
    return [
        {
            "name": row.name,
            "round": row.round,
            "target_minutes": row.target,
            "started_at": iso(row.started_at),
            "due_at": iso(row.due_at),
            "stopped_at": iso(row.stopped_at),
            "seconds": row.seconds,
            "kept": _kept(row),
        }
        for row in IncidentClock.objects.filter(incident=incident).order_by("started_at", "pk")
    ]


def related(user: User, incident: Incident, options: Options) -> Items:
    """Links to incidents that the person sees, with the titles that may go out with this one."""
    return [
        {
            "incident": one.other.number,
            "relation": one.word,
            "title": one.other.title if may_be_named(incident, one.other, options) else None,
        }
        for one in related_to(user, incident)
    ]


def may_be_named(incident: Incident, other: Incident, options: Options) -> bool:
    """Whether the title of another incident may stand in a document about this one: it is under no stricter mark than
    the document, and not restricted where this one is not."""
    most = RANK.get(options.tlp or incident.tlp, 0)
    return RANK.get(other.tlp, RANK["red"]) <= most and (incident.restricted or not other.restricted)


def _kept(row: IncidentClock) -> bool | None:
    if row.due_at is None or (row.stopped_at is not None and row.seconds is None):
        return None
    if row.stopped_at is not None:
        return row.stopped_at <= row.due_at
    return None if row.due_at > clock.now() else False
