"""Events that people put on an incident's timeline by hand: their time is not that of the entry (casework.md 13)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from cases import timeline
from cases.actions import mentions
from cases.actions.base import text_of
from cases.actions.event_links import link_of
from cases.actors import Actor
from cases.errors import Refused
from cases.models import TimelineEntry
from cases.permissions import incident_for
from soar.lib import clock

# Clocks of machines differ; what lies further ahead has not happened.
AHEAD = timedelta(minutes=5)
EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)


@transaction.atomic
def record_event(
    actor: Actor, incident_id: str | int, text: str, *, occurred_at: Any, link: dict[str, Any] | None = None
) -> TimelineEntry:
    """Put an event on the timeline: ``text`` in Markdown, ``occurred_at`` when it happened (a moment, or ISO 8601, in
    the current zone if it names none), ``link`` what it is about (see ``event_links.link_of``).

    Raises Missing, Forbidden (level *comment*), and Refused beside ``text``, ``occurred_at`` (none, or in the future)
    or ``link``."""
    body, moment = text_of(text), happened(occurred_at)
    incident = incident_for(actor, incident_id, level="comment", lock=True)
    about = link_of(incident, link)
    named = mentions.read(actor, incident, body)
    data = {**({"link": about} if about else {}), **named.data}
    entry = timeline.record("event", incident, actor, text=body, data=data, occurred_at=moment, touch=True)
    named.keep(entry)
    return entry


def happened(value: Any) -> datetime:
    """The moment of an event, in UTC. Raises Refused for what is none, or has not come yet."""
    moment = clock.moment_of(value.isoformat() if isinstance(value, datetime) else str(value or "")[:40])
    if moment is None or moment < EARLIEST:
        raise Refused(_("Say when it happened, as 2026-03-12T17:00."), field="occurred_at")
    if moment > clock.now() + AHEAD:
        raise Refused(_("This is in the future. An event has happened already."), field="occurred_at")
    return moment
