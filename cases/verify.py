"""Checking the hash chain of a subject's timeline (casework.md 15, rulings 14)."""

from __future__ import annotations

from cases.models import Alert, Incident, TimelineEntry
from cases.timeline import Subject, hash_of


def verify_alert(alert: Alert) -> list[str]:
    """What is wrong with an alert's timeline; empty if nothing is."""
    return _verify(alert)


def verify_incident(incident: Incident) -> list[str]:
    """What is wrong with an incident's own timeline; empty if nothing is."""
    return _verify(incident)


def _verify(subject: Subject) -> list[str]:
    """Walk the chain in the order of ids: a changed, missing or reordered entry breaks the next hash, a cut
    tail the count and the head on the subject's row."""
    name = "alert" if isinstance(subject, Alert) else "incident"
    findings: list[str] = []
    previous: bytes | None = None
    number = 0
    for entry in TimelineEntry.objects.filter(**{name: subject}).order_by("pk").iterator(chunk_size=500):
        number += 1
        if bytes(entry.hash) != hash_of(entry, subject.number, previous):
            findings.append(
                f"{subject.number}: entry {entry.pk} ({entry.kind}) was changed, or one before it is missing"
            )
        previous = bytes(entry.hash)
    subject.refresh_from_db(fields=["timeline_count", "timeline_head"])
    if number != subject.timeline_count:
        findings.append(f"{subject.number}: {number} entries are there, {subject.timeline_count} were written")
    head = bytes(subject.timeline_head) if subject.timeline_head else None
    if head != previous:
        findings.append(f"{subject.number}: the newest entry is not the one that was written last")
    return findings
