"""Notes and files on their way to a ticket: each once, also when an answer is lost (servicenow.md 4, 7)."""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction

from cases import evidence_store
from cases.models import AttachmentSeen, Evidence, TicketChange, TicketLink, TimelineEntry
from cases.servicenow import notes
from cases.servicenow.agreeing import locked, seen_ours
from cases.servicenow.mapping import ProfileRules
from cases.servicenow.remote import our_names, remember_us
from cases.timeline_words import plain_sentence
from soar.connectors.errors import ConnectorError
from soar.connectors.servicenow.connector import ServiceNow
from soar.connectors.servicenow.records import Record
from soar.lib import clock

# A row that is older was perhaps told before: the database may have been brought back from a copy.
FRESH = timedelta(minutes=1)
EARLIER = timedelta(minutes=15)  # how far before the row its note is looked for, whatever the clocks say
SPOKEN = ("comment", "handoff", "note.moved", "comment.edited")


def note(link: TicketLink, change: TicketChange, connector: ServiceNow) -> str:
    """Write the entry of a timeline as a note, in parts if it is long. Raises ConnectorError."""
    if not ProfileRules.of(link.profile).sends("notes"):
        return "Not sent: the profile sends no notes."
    entry = TimelineEntry.objects.filter(pk=change.entry).first()
    if entry is None:
        return "Not sent: the entry is not there any more."
    parts = notes.chunks(text_of(entry), change.mark)
    done = _there(link, change, connector) if _maybe_there(change) else set()
    for place, part in enumerate(parts, 1):
        if place not in done:
            record = connector.update(link.table, link.sys_id, {link.profile.note_field: part})
            if not our_names(link.instance, connector):
                remember_us(link.instance, record.updated_by)
            _noted(link, record)
            change.detail = {**change.detail, "parts": place}
            TicketChange.objects.filter(pk=change.pk).update(detail=change.detail)
    return f"Noted in {len(parts)} parts." if len(parts) > 1 else "Noted."


def text_of(entry: TimelineEntry) -> str:
    """What a note says: who wrote it, then what; of other entries the sentence of the timeline."""
    author = str(entry.data.get("author") or entry.actor_name)
    if entry.kind in SPOKEN:
        words = f"Correction: {entry.text}" if entry.kind == "comment.edited" else entry.text
        return notes.heading(author, words)
    return notes.heading(author, f"{plain_sentence(entry)}\n{entry.text}".strip())


def attachment(link: TicketLink, change: TicketChange, connector: ServiceNow) -> str:
    """Hang a piece of evidence on the ticket. Raises ConnectorError."""
    piece = change.evidence
    if not link.profile.send_evidence:
        return "Not sent: the profile sends no evidence."
    if piece is None or piece.is_removed:
        return "Not sent: the evidence was removed."
    if AttachmentSeen.objects.filter(link=link, evidence=piece).exists():
        return "It is there already."
    if _maybe_there(change) and (found := _attached(link, piece, connector)):
        return _kept(link, piece, found)
    file = evidence_store.open_file(piece.sha256, piece.size)
    if file is None:
        raise ConnectorError(f"The file of {piece.name} cannot be read.", permanent=True, status=400)
    with file:
        made = connector.attach(link.table, link.sys_id, piece.name, piece.content_type, file)
    return _kept(link, piece, made.sys_id)


def _maybe_there(change: TicketChange) -> bool:
    return change.attempts > 1 or clock.now() - change.created_at > FRESH


def _there(link: TicketLink, change: TicketChange, connector: ServiceNow) -> set[int]:
    """The parts of the note that stand there already."""
    since = change.created_at + timedelta(seconds=link.instance.skew_seconds) - EARLIER
    names = our_names(link.instance, connector)
    found = set()
    for entry in connector.journal(link.table, [link.sys_id], since):
        mark = notes.found_mark(entry.value)
        # Before any answer has told our name, the mark is known to nobody else either.
        ours = not names or entry.created_by.casefold() in names or connector.journal_readable is False
        if mark is not None and mark.uuid == change.mark and ours:
            found.add(mark.part)
    return found


def _noted(link: TicketLink, record: Record) -> None:
    if 0 <= record.mod_count <= link.seen_mod_count:
        text = f"ServiceNow did not take the note: the integration user may not write {link.profile.note_field}."
        raise ConnectorError(text, permanent=True, status=403)
    with transaction.atomic():
        _incident, row = locked(link.pk)
        seen_ours(row, record)
        row.last_out_at = clock.now()
        row.save(update_fields=["seen_mod_count", "seen_updated_on", "last_out_at"])
    link.seen_mod_count = row.seen_mod_count


def _attached(link: TicketLink, piece: Evidence, connector: ServiceNow) -> str:
    known = set(AttachmentSeen.objects.filter(link=link).values_list("sys_id", flat=True))
    names = our_names(link.instance, connector)
    for one in connector.attachments(link.table, [link.sys_id]):
        same = one.sha256 == piece.sha256 if one.sha256 else one.name == piece.name and one.size == piece.size
        if same and one.created_by.casefold() in names and one.sys_id not in known:
            return one.sys_id
    return ""


def _kept(link: TicketLink, piece: Evidence, sys_id: str) -> str:
    row = AttachmentSeen(link=link, sys_id=sys_id, name=piece.name[:300], evidence=piece)
    AttachmentSeen.objects.bulk_create([row], ignore_conflicts=True)
    TicketLink.objects.filter(pk=link.pk).update(last_out_at=clock.now())
    return "Attached."
