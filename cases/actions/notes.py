"""Correcting a note or an event: the first text stays, the correction is an entry of its own (casework.md 13)."""

from __future__ import annotations

from django.db import transaction

from cases import timeline
from cases.actions import mentions
from cases.actions.base import text_of
from cases.actors import Actor
from cases.errors import Forbidden, Missing, Refused, missing_as
from cases.models import TimelineEntry
from cases.permissions import alert_for, incident_for
from cases.timeline_kinds import CORRECTABLE


@transaction.atomic
def edit_comment(actor: Actor, entry_id: int, text: str) -> TimelineEntry:
    """Correct one's own words on an alert or incident. Returns the entry of the correction.

    Raises Missing if there is no such note to be seen, Forbidden for somebody else's, Refused if nothing
    changes."""
    body = text_of(text)
    entry = TimelineEntry.objects.filter(pk=entry_id, kind__in=CORRECTABLE).first()
    with missing_as("There is no such note."):
        if entry is None:
            raise Missing("")
        subject = (
            alert_for(actor, entry.alert_id, work=True, lock=True)
            if entry.alert_id
            else incident_for(actor, entry.incident_id or 0, level="comment", lock=True)
        )
    if (entry.actor_type, entry.actor_id) != (actor.type, actor.id):
        raise Forbidden("Only the writer of a note can correct it.")
    wordings = _wordings(entry)
    if body == wordings[-1]:
        raise Refused("The text is the same as before.", field="text")
    named = mentions.read(actor, subject, body, before="\n\n".join(wordings))
    made = timeline.record("comment.edited", subject, actor, text=body, data={"of": entry.pk, **named.data})
    named.keep(made)
    return made


def _wordings(entry: TimelineEntry) -> list[str]:
    """All of them, the oldest first."""
    edits = TimelineEntry.objects.filter(
        alert=entry.alert_id, incident=entry.incident_id, kind="comment.edited", data__of=entry.pk
    )
    return [entry.text, *edits.order_by("pk").values_list("text", flat=True)]
