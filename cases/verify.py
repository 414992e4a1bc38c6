"""Checking the timeline's chains: changed, missing and reordered entries, a cut end (casework.md 15, rulings 14)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby, islice
from typing import Any, NamedTuple

from django.db.models import F

from cases.merged import absorbed
from cases.models import Alert, Incident, TimelineEntry
from cases.timeline import Subject, hash_of

# Subjects looked up at once. Entries are streamed, so memory does not grow with the timeline.
BATCH = 500
FIELDS = ("pk", "timeline_count", "timeline_head")


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong with the chain of ``subject`` (a number), at ``entry`` (an id, 0: the chain as a whole)."""

    subject: str
    entry: int
    text: str

    def __str__(self) -> str:
        return f"{self.subject}{f', entry {self.entry}' if self.entry else ''}: {self.text}"


@dataclass(slots=True)
class Report:
    """How much was read and what was found."""

    subjects: int
    entries: int
    findings: list[Finding]


def report_of_all() -> Report:
    """Every chain there is. Memory stays flat: subjects in batches, entries streamed in the order of their ids."""
    report = Report(0, 0, [])
    for model in (Incident, Alert):
        pks = model._default_manager.order_by("pk").values_list("pk", flat=True).iterator(chunk_size=BATCH)
        _verify(model, pks, report)
    return report


def report_of_incident(incident: Incident) -> Report:
    """The chain of an incident, those of its alerts and of what was merged into it: what its page shows as one
    timeline."""
    report = Report(0, 0, [])
    _verify(Incident, sorted([incident.pk, *absorbed(incident)]), report)
    _verify(Alert, list(Alert.objects.filter(incident=incident).order_by("pk").values_list("pk", flat=True)), report)
    return report


def report_of_alert(alert: Alert) -> Report:
    """The chain of one alert."""
    report = Report(0, 0, [])
    _verify(Alert, [alert.pk], report)
    return report


def _verify(model: type[Subject], pks: Iterable[int], report: Report) -> None:
    source = iter(pks)
    while batch := list(islice(source, BATCH)):
        _verify_batch(model, batch, report)


def _verify_batch(model: type[Subject], pks: list[int], report: Report) -> None:
    """The chains of a batch: two queries, and a third if a subject has no entry. What a chain must end with comes
    with its entries, as it was at that very moment: somebody may be writing."""
    subjects: dict[int, Subject] = {row.pk: row for row in model._default_manager.filter(pk__in=pks).only(*FIELDS)}
    empty = set(subjects)
    for pk, entries in groupby(_entries(model, list(subjects)), key=_subject_id):
        empty.discard(pk)
        walk = _Walk(subjects[pk])
        for entry in entries:
            walk.step(entry)
        report.entries += walk.count
        report.findings += walk.end()
    report.subjects += len(subjects)
    kept = [pk for pk in empty if subjects[pk].timeline_count or subjects[pk].timeline_head]
    report.findings += _without_entries(model, kept)


def _without_entries(model: type[Subject], pks: list[int]) -> list[Finding]:
    """What is wrong with subjects that should have entries and have none, but for those that were purged since."""
    there = model._default_manager.filter(pk__in=pks).only(*FIELDS).order_by("pk") if pks else ()
    return [finding for subject in there for finding in _Walk(subject).end()]


class _Stored(NamedTuple):
    """What is hashed of an entry, and what its subject keeps: a row of the database without all that a model adds,
    which takes longer than the hash."""

    pk: int
    alert_id: int | None
    incident_id: int | None
    kind: str
    actor_type: str
    actor_id: int | None
    actor_name: str
    text: str
    data: dict[str, Any]
    occurred_at: datetime
    recorded_at: datetime
    hash: bytes
    kept_count: int
    kept_head: bytes | None


def _entries(model: type[Subject], pks: list[int]) -> Iterator[_Stored]:
    """Their entries in the order of the chains, each with ``kept_count`` and ``kept_head`` of its subject."""
    name = "alert" if model is Alert else "incident"
    rows = TimelineEntry.objects.filter(**{f"{name}__in": pks}).order_by(f"{name}_id", "pk")
    kept = rows.annotate(kept_count=F(f"{name}__timeline_count"), kept_head=F(f"{name}__timeline_head"))
    return map(_Stored._make, kept.values_list(*_Stored._fields).iterator(chunk_size=1000))


def _subject_id(entry: _Stored) -> int:
    return entry.alert_id or entry.incident_id or 0


class _Walk:
    """One chain, entry by entry."""

    def __init__(self, subject: Subject) -> None:
        self.number = subject.number
        self.kept_count, self.kept_head = subject.timeline_count, subject.timeline_head
        self.count = 0
        self.previous: bytes | None = None
        self.findings: list[Finding] = []

    def step(self, entry: _Stored) -> None:
        """The next entry: does its hash follow from its content and from the entry before it?"""
        self.count += 1
        self.kept_count, self.kept_head = entry.kept_count, entry.kept_head
        if hash_of(entry, self.number, self.previous) != bytes(entry.hash):
            self._find("was changed, or what stood before it is missing or in another order", entry.pk)
        self.previous = bytes(entry.hash)

    def end(self) -> list[Finding]:
        """All that was found, with the count and the head that the subject's own row keeps."""
        kept = self.kept_count
        head = bytes(self.kept_head) if self.kept_head else None
        if self.count < kept:
            self._find(f"{kept - self.count} of {kept} entries are missing")
        elif self.count > kept:
            self._find(f"{self.count - kept} entries too many, {kept} were written")
        if head != self.previous:
            self._find("the last entry is not the one that was written last")
        return self.findings

    def _find(self, text: str, entry: int = 0) -> None:
        self.findings.append(Finding(self.number, entry, text))
