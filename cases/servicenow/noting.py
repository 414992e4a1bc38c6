"""Notes and files of a ticket on their way to the incident: each once, our own never (servicenow.md 5, 7)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from django.db import transaction

from cases import evidence_store, timeline
from cases.actions import evidence
from cases.choices import IncidentStatus
from cases.errors import CaseError, Conflict
from cases.models import AttachmentSeen, Evidence, Incident, JournalSeen, TicketChange, TicketLink
from cases.servicenow import notes, remote
from cases.servicenow.agreeing import locked
from cases.servicenow.incoming import actor_of
from cases.servicenow.linking import named
from cases.servicenow.mapping import ProfileRules
from soar.connectors.errors import ConnectorError
from soar.connectors.servicenow.connector import ServiceNow
from soar.connectors.servicenow.records import Attached, JournalEntry
from soar.lib import clock

FETCHED_AT_MOST = 64 * 1024 * 1024  # held in memory
KEY_AT_MOST = 40


@dataclass(frozen=True, slots=True)
class Us:
    """By what our own notes are known: who wrote them. ``anybody``: no user names are told, or ours is not known."""

    names: frozenset[str]
    anybody: bool = False

    @classmethod
    def of(cls, link: TicketLink, connector: ServiceNow) -> Us:
        """As the connector knows after it has read a journal."""
        names = frozenset(remote.our_names(link.instance, connector))
        return cls(names, not names or connector.journal_readable is False)

    def wrote(self, entry: JournalEntry) -> bool:
        """Whether the integration user wrote it."""
        return self.anybody or entry.created_by.casefold() in self.names


@transaction.atomic
def take_notes(link_id: int, entries: Iterable[JournalEntry], us: Us) -> int:
    """Put the notes that were not seen before on the timeline. Returns how many. Both rows are locked here."""
    incident, link = locked(link_id)
    listed = list(entries)
    seen = set(JournalSeen.objects.filter(link=link, sys_id__in=map(_key, listed)).values_list("sys_id", flat=True))
    taken = 0
    for entry in listed:
        key = _key(entry)
        if key in seen:
            continue
        seen.add(key)
        row = JournalSeen(link=link, sys_id=key, change=_ours(link, entry, us))
        if row.change is None and ProfileRules.of(link.profile).takes("notes"):
            row.entry = _noted(incident, link, entry)
            taken += bool(row.entry)
        row.save()
    return taken


def take_files(link: TicketLink, found: Iterable[Attached], connector: ServiceNow) -> None:
    """Keep the files that were not seen before as evidence; one that is not taken is named on the timeline. Files of
    an incident that has ended stay where they are until it is opened again. Raises ConnectorError."""
    if not ProfileRules.of(link.profile).takes("evidence"):
        return
    known = set(AttachmentSeen.objects.filter(link=link).values_list("sys_id", flat=True))
    for one in found:
        if one.sys_id in known or not _is_open(link):
            continue
        try:
            _file(link, one, connector)
        except ConnectorError as error:
            if not error.permanent:
                raise
            _left(link, one, error.message)


def _key(entry: JournalEntry) -> str:
    if len(entry.sys_id) <= KEY_AT_MOST:
        return entry.sys_id
    return hashlib.sha256(entry.sys_id.encode()).hexdigest()[:KEY_AT_MOST]


def _ours(link: TicketLink, entry: JournalEntry, us: Us) -> TicketChange | None:
    """The row of the outbox that wrote the note: the integration user's name alone tells nothing, nor does the mark."""
    mark = notes.found_mark(entry.value)
    if mark is None or not us.wrote(entry):
        return None
    return TicketChange.objects.filter(link__incident=link.incident_id, kind="note", mark=mark.uuid).first()


def _noted(incident: Incident, link: TicketLink, entry: JournalEntry) -> int:
    text = notes.incoming(entry.value)
    if not text:
        return 0
    data = named(link, element=entry.element, journal=_key(entry), by=entry.created_by)
    written = timeline.record(
        "servicenow.note",
        incident,
        actor_of(entry.created_by),
        text=text,
        data=data,
        occurred_at=remote.our_time(link.instance, entry.created_on),
        touch=True,
    )
    _received(link)
    return int(written.pk)


def _is_open(link: TicketLink) -> bool:
    status = Incident.objects.values_list("status", flat=True).get(pk=link.incident_id)
    return IncidentStatus(status).is_open


def _file(link: TicketLink, one: Attached, connector: ServiceNow) -> None:
    same = Evidence.objects.kept().filter(incident=link.incident_id, sha256=one.sha256).first() if one.sha256 else None
    if same is not None:
        _seen(link, one, same)
        return
    most = min(evidence_store.limit(), FETCHED_AT_MOST)
    if one.size > most:
        _left(link, one, f"It has {one.size} bytes, more than the {most} that are taken.")
        return
    content = connector.download(one, most)
    try:
        piece = evidence.add_bytes(
            actor_of(one.created_by),
            link.incident_id,
            one.name or "attachment",
            content,
            description=f"From {link.number} in ServiceNow",
        )
    except Conflict as error:
        _seen(link, one, None, error.message)
    except CaseError as error:
        _left(link, one, error.message)
    else:
        _seen(link, one, piece)
        _received(link)


def _received(link: TicketLink) -> None:
    link.last_in_at = clock.now()
    TicketLink.objects.filter(pk=link.pk).update(last_in_at=link.last_in_at)


def _seen(link: TicketLink, one: Attached, piece: Evidence | None, reason: str = "") -> bool:
    row = AttachmentSeen(link=link, sys_id=one.sys_id, name=one.name[:300], evidence=piece, reason=reason)
    return bool(AttachmentSeen.objects.bulk_create([row], ignore_conflicts=True))


def _left(link: TicketLink, one: Attached, reason: str) -> None:
    """Not taken: people read why."""
    with transaction.atomic():
        incident, row = locked(link.pk)
        _seen(row, one, None, reason)
        data = named(row, name=one.name[:300], size=one.size, reason=reason[:500])
        timeline.record("servicenow.attachment", incident, actor_of(one.created_by), data=data)
