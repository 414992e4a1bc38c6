"""Which playbooks a timeline entry starts (python-playbooks.md 1, 3, 8; rulings 7, 8)."""

from __future__ import annotations

from typing import Any

from django.db import connection, transaction
from django.db.models.functions import Now

from cases.models import Alert, Incident
from playbooks import catalog
from playbooks.announce import announce, relock, skipped
from playbooks.catalog import Catalog, Entry
from playbooks.choices import RunStatus, StartedBy
from playbooks.claims import Claim, lease_end, new_owner, state_of, view_of
from playbooks.conditions import matches
from playbooks.incoming import Incoming, read
from playbooks.models import Run, Sequence
from playbooks.publishers import still_entitled
from playbooks.subject import SubjectView, alert_view, incident_view
from soar.lib.queue import enqueue

DEPTH_AT_MOST = 5
TRIGGER_OF = {"alert.opened": "webhook", "alert.reopened": "webhook", "incident.opened": "incident"}
RUN_TASK = "playbooks.tasks.run"


def consider(entry_ids: list[int]) -> Claim | None:
    """Start what these entries trigger. Writes nothing where nothing matches, and nothing twice.

    The first run for a single entry is not queued but claimed for this process at once, and returned; the
    runs of several entries are queued, so that all workers share them."""
    held: Claim | None = None
    for entry in read(entry_ids, list(TRIGGER_OF)):
        known = catalog.current(entry.generation)
        held = _consider(known, entry, at_once=len(entry_ids) == 1)
    return held


def _consider(known: Catalog, entry: Incoming, *, at_once: bool) -> Claim | None:
    candidates = known.starting.get(TRIGGER_OF[entry.kind])
    if not candidates:
        return None
    view = _view(entry.subject)
    matched = [candidate for candidate in candidates if _meets(candidate, view)]
    parent = _parent(entry) if matched else None
    if parent:
        matched = [candidate for candidate in matched if candidate.row.pk != parent.playbook_id]
    matched = [candidate for candidate in matched if still_entitled(candidate.row)]
    if not matched:
        return None
    if parent and parent.depth >= DEPTH_AT_MOST:
        _too_deep(matched, entry)
        return None
    return open_sequence(entry, matched, depth=parent.depth + 1 if parent else 0, at_once=at_once)


def _view(subject: Alert | Incident) -> SubjectView:
    return alert_view(subject) if isinstance(subject, Alert) else incident_view(subject)


def _meets(candidate: Entry, view: SubjectView) -> bool:
    return matches(candidate.row.conditions, view)


def _parent(entry: Incoming) -> Run | None:
    """The run that wrote the entry, if one did."""
    run = entry.data.get("run") if entry.actor_type == "playbook" else None
    return Run.objects.only("playbook_id", "depth").filter(pk=run).first() if run else None


@transaction.atomic
def _too_deep(matched: list[Entry], entry: Incoming) -> None:
    relock(entry.subject)
    names = ", ".join(candidate.row.name for candidate in matched)
    text = f"{DEPTH_AT_MOST} playbooks have led to one another already; the chain ends here."
    # The redelivery of one entry must not say it twice.
    if not entry.subject.timeline.filter(kind="run.skipped", data__entry=entry.pk).exists():
        skipped(entry.subject, names, text, entry=entry.pk)


@transaction.atomic
def open_sequence(entry: Incoming, matched: list[Entry], *, depth: int, at_once: bool) -> Claim | None:
    """One sequence for the entry, with a run of each playbook in order. The first begins or is rung for."""
    subject = entry.subject
    relock(subject)
    sequence = _insert_sequence(entry, subject, len(matched))
    if sequence is None:
        return None  # this entry was considered before
    runs = [_run(sequence, position, candidate, subject, depth) for position, candidate in enumerate(matched, 1)]
    first = runs[0]
    first.rung_at = Now()
    if at_once:
        first.status, first.lease_owner, first.lease_until = RunStatus.IN_PROGRESS, new_owner(), lease_end()
        first.started_at, first.attempts, first.input = Now(), 1, state_of(subject)
    Run.objects.bulk_create(runs)
    if not at_once:
        enqueue(RUN_TASK, first.pk)
        return None
    announce("run.started", first, subject)
    return Claim(first, first.lease_owner, matched[0], view_of(first, subject), subject, resumed=False)


def _insert_sequence(entry: Incoming, subject: Alert | Incident, total: int) -> Sequence | None:
    """The new row, or None if there is one for this entry: the unique constraint decides, whoever is quickest."""
    sequence = Sequence(
        entry_id=entry.pk,
        trigger=TRIGGER_OF[entry.kind],
        alert_id=subject.pk if isinstance(subject, Alert) else None,
        incident_id=subject.pk if isinstance(subject, Incident) else None,
        total=total,
        cause=subject.cause,
    )
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO playbooks_sequence (entry_id, trigger, alert_id, incident_id, total, cause)"
            " VALUES (%s, %s, %s, %s, %s, %s) ON CONFLICT (entry_id) DO NOTHING RETURNING id",
            [sequence.entry_id, sequence.trigger, sequence.alert_id, sequence.incident_id, total, sequence.cause],
        )
        row = cursor.fetchone()
    sequence.pk = row[0] if row else None
    return sequence if row else None


def _run(sequence: Sequence, position: int, candidate: Entry, subject: Any, depth: int) -> Run:
    return Run(
        playbook=candidate.row,
        version_id=candidate.version,
        sequence=sequence,
        position=position,
        alert_id=sequence.alert_id,
        incident_id=sequence.incident_id,
        trigger=StartedBy.AUTOMATIC,
        acting_user=candidate.row.published_by,
        depth=depth,
        cause=subject.cause,
    )
