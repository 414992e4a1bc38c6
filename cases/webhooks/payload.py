"""What an outgoing webhook says: ``{"type", "timestamp", "data"}`` of Standard Webhooks, bounded in size."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from django.conf import settings

from cases.choices import AlertStatus, IncidentStatus, Severity
from cases.models import Alert, TimelineEntry
from cases.timeline import Subject
from soar.lib.clock import iso

LARGEST = 64 * 1024  # bytes of a body
TEXT_CUT = 4_000  # characters of an entry's text, where the whole would be too much
TEST = "webhook.test"


def of_entry(entry: TimelineEntry, subject: Subject) -> str:
    """The body for an entry, as its reader may see it (``timeline_read.tell_all``), of LARGEST bytes at most.

    Where it would be more, the entry's ``data`` is left out and its text cut, and ``truncated`` is true."""
    whole = _body(entry.kind, entry.recorded_at, {**_subject(subject), "entry": _entry(entry)})
    if len(whole.encode()) <= LARGEST:
        return whole
    short = {**_entry(entry), "text": entry.text[:TEXT_CUT], "data": {}}
    return _body(entry.kind, entry.recorded_at, {**_subject(subject), "entry": short, "truncated": True})


def of_test(name: str, at: datetime) -> str:
    """The body of a test."""
    return _body(TEST, at, {"message": f"A test of the webhook {name}."})


def _body(kind: str, at: datetime, data: dict[str, Any]) -> str:
    return json.dumps({"type": kind, "timestamp": iso(at), "data": data}, ensure_ascii=False)


def _subject(subject: Subject) -> dict[str, Any]:
    is_alert = isinstance(subject, Alert)
    status = AlertStatus(subject.status).word if is_alert else IncidentStatus(subject.status).word
    return {
        "subject": "alert" if is_alert else "incident",
        "number": subject.number,
        "url": f"{settings.SOAR_URL}/{'alerts' if is_alert else 'incidents'}/{subject.number}/",
        "title": subject.title,
        "severity": Severity(subject.severity).word,
        "status": status,
        "team": subject.team.name if subject.team else None,
        "source": subject.source.slug if isinstance(subject, Alert) else None,
        "tlp": subject.tlp,
        "cause": str(subject.cause),
    }


def _entry(entry: TimelineEntry) -> dict[str, Any]:
    return {
        "id": entry.pk,
        "kind": entry.kind,
        "actor": {"type": entry.actor_type, "name": entry.actor_name},
        "text": entry.text,
        "data": entry.data,
        "occurred_at": iso(entry.occurred_at),
        "recorded_at": iso(entry.recorded_at),
        "hash": bytes(entry.hash).hex(),
    }
