"""Correcting a note or an event: what stood first stays, the correction is an entry of its own (casework.md 13)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from cases import timeline
from cases.actions import mentions
from cases.actions.base import text_of
from cases.actions.events import happened
from cases.actors import Actor
from cases.errors import Forbidden, Missing, Refused, missing_as
from cases.models import TimelineEntry
from cases.permissions import alert_for, incident_for
from cases.timeline_kinds import CORRECTABLE
from cases.timeline_times import moved
from soar.lib import clock


@transaction.atomic
def edit_comment(actor: Actor, entry_id: int, text: str | None = None, *, occurred_at: Any = None) -> TimelineEntry:
    """Correct one's own words on an alert or incident, and of an event when it happened (a moment, or as for
    ``events.record_event``); None leaves either as it is. Returns the entry of the correction.

    Raises Missing if there is no such note to be seen, Forbidden for somebody else's, Refused if nothing
    changes, and beside ``occurred_at`` for what is no event or no moment of the past."""
    body = None if text is None else text_of(text)
    moment = None if occurred_at is None else happened(occurred_at)
    entry = TimelineEntry.objects.filter(pk=entry_id, kind__in=CORRECTABLE).first()
    with missing_as(_("There is no such note.")):
        if entry is None:
            raise Missing("")
        subject = (
            alert_for(actor, entry.alert_id, work=True, lock=True)
            if entry.alert_id
            else incident_for(actor, entry.incident_id or 0, level="comment", lock=True)
        )
    if (entry.actor_type, entry.actor_id) != (actor.type, actor.id):
        raise Forbidden(_("Only the writer of a note can correct it."))
    if moment is not None and entry.kind != "event":
        raise Refused(_("A note has no time of its own. Only that of an event can be corrected."), field="occurred_at")
    states = _states(entry)
    wordings, (old, before) = [words for words, _at in states], states[-1]
    body, moment = old if body is None else body, before if moment is None else moment
    if body == old and moment == before:
        same = "text is" if occurred_at is None else "text and time are"
        raise Refused(_("The %(same)s the same as before.") % {"same": same}, field="text")
    told = {} if moment == before else {"occurred_at": {"old": clock.iso(before), "new": clock.iso(moment)}}
    named = mentions.read(actor, subject, body, before="\n\n".join(wordings))
    data, at = {"of": entry.pk, **told, **named.data}, moment if told else None
    made = timeline.record("comment.edited", subject, actor, text=body, data=data, occurred_at=at)
    named.keep(made)
    return made


def _states(entry: TimelineEntry) -> list[tuple[str, datetime]]:
    """All wordings with the time that held then, the oldest first."""
    edits = TimelineEntry.objects.filter(
        alert=entry.alert_id, incident=entry.incident_id, kind="comment.edited", data__of=entry.pk
    )
    states = [(entry.text, entry.occurred_at)]
    for edit in edits.order_by("pk"):
        states.append((edit.text, edit.occurred_at if moved(edit.kind, edit.data) else states[-1][1]))
    return states
