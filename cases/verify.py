"""Checking the timeline's chains: changed, missing and reordered entries, a cut end (casework.md 15, rulings 14)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from django.db import transaction

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


def verify_alert(alert: Alert) -> list[Finding]:
    """What is wrong with an alert's chain; empty if nothing is."""
    return report_of_alert(alert).findings


def _verify(model: type[Subject], pks: Iterable[int], report: Report) -> None:
    source = iter(pks)
    while batch := list(islice(source, BATCH)):
        for pk in _suspects(model, batch, report):
            report.findings += _again(model, pk)


def _suspects(model: type[Subject], pks: list[int], report: Report) -> list[int]:
    """The subjects of a batch whose chain does not fit. Subjects and entries come in the same order."""
    subjects: list[Subject] = list(model._default_manager.filter(pk__in=pks).order_by("pk").only(*FIELDS))
    entries = _entries(model, pks)
    ahead = next(entries, None)
    suspects = []
    for subject in subjects:
        walk = _Walk(subject)
        while ahead is not None and _subject_id(ahead) <= subject.pk:
            walk.step(ahead)
            ahead = next(entries, None)
        report.subjects += 1
        report.entries += walk.count
        if walk.end():
            suspects.append(subject.pk)
    return suspects


def _again(model: type[Subject], pk: int) -> list[Finding]:
    """Look once more with the subject locked: somebody may have written between the two readings."""
    with transaction.atomic():
        subject = model._default_manager.select_for_update(of=("self",)).only(*FIELDS).filter(pk=pk).first()
        if subject is None:
            return []
        walk = _Walk(subject)
        for entry in _entries(model, [pk]):
            walk.step(entry)
        return walk.end()


def _entries(model: type[Subject], pks: list[int]) -> Iterator[TimelineEntry]:
    name = "alert_id" if model is Alert else "incident_id"
    rows = TimelineEntry.objects.filter(**{f"{name}__in": pks}).order_by(name, "pk")
    return rows.iterator(chunk_size=1000)


def _subject_id(entry: TimelineEntry) -> int:
    return entry.alert_id or entry.incident_id or 0


class _Walk:
    """One chain, entry by entry."""

    def __init__(self, subject: Subject) -> None:
        self.subject = subject
        self.count = 0
        self.previous: bytes | None = None
        self.findings: list[Finding] = []

    def step(self, entry: TimelineEntry) -> None:
        """The next entry: does its hash follow from its content and from the entry before it?"""
        self.count += 1
        if hash_of(entry, self.subject.number, self.previous) != bytes(entry.hash):
            self._find("was changed, or what stood before it is missing or in another order", entry.pk)
        self.previous = bytes(entry.hash)

    def end(self) -> list[Finding]:
        """All that was found, with the count and the head that the subject's own row keeps."""
        kept = self.subject.timeline_count
        head = bytes(self.subject.timeline_head) if self.subject.timeline_head else None
        if self.count < kept:
            self._find(f"{kept - self.count} of {kept} entries are missing")
        elif self.count > kept:
            self._find(f"{self.count - kept} entries too many, {kept} were written")
        if head != self.previous:
            self._find("the last entry is not the one that was written last")
        return self.findings

    def _find(self, text: str, entry: int = 0) -> None:
        self.findings.append(Finding(self.subject.number, entry, text))
