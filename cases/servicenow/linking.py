"""Giving an incident its ticket, and taking it away: at most one per instance and table (servicenow.md 3, 9).

Only rows are written here; what is to happen at ServiceNow stands in the outbox then."""

from __future__ import annotations

import uuid
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from cases import timeline
from cases.actors import Actor
from cases.errors import Conflict, Refused
from cases.models import (
    ChangeState,
    Evidence,
    Incident,
    LinkState,
    TicketChange,
    TicketLink,
    TicketProfile,
    TimelineEntry,
)
from cases.servicenow import correlation, outbox
from cases.servicenow.mapping import ProfileRules
from soar.lib import clock

ACTOR_TYPE = "servicenow"
NUMBER_AT_MOST = 40
EARLIER_AT_MOST = 500  # notes that were written before the ticket was made


@transaction.atomic
def open_ticket(incident: Incident, profile: TicketProfile, actor: Actor, cause: uuid.UUID | None = None) -> TicketLink:
    """Have a ticket made by ``profile`` for a locked incident. Notes and files that it has already follow.

    Raises Conflict when there is one on this instance and table."""
    link = _link(incident, profile, actor, created_there=True)
    outbox.add(link, outbox.CREATE, cause=cause or incident.cause)
    _earlier(link, profile)
    outbox.ring(link)
    return link


@transaction.atomic
def attach_existing(
    incident: Incident, profile: TicketProfile, number: str, actor: Actor, cause: uuid.UUID | None = None
) -> TicketLink:
    """Link a locked incident with a ticket that there is already, by its number or sys_id; a worker looks for it.

    Raises Conflict when there is one on this instance and table, Refused for a number that can be none."""
    wanted = number.strip()
    if not wanted.isalnum() or not wanted.isascii() or len(wanted) > NUMBER_AT_MOST:
        raise Refused(_("The number of a ticket, such as INC0010001."), field="number")
    link = _link(incident, profile, actor, created_there=False, number=wanted, ours_correlation=False)
    outbox.add(link, outbox.CREATE, cause=cause or incident.cause)
    _earlier(link, profile)
    outbox.ring(link)
    return link


@transaction.atomic
def end(incident: Incident, link: TicketLink, actor: Actor, reason: str = "", *, told: bool = True) -> None:
    """Take the link away (both are locked): nothing goes in either direction any more. The ticket stays as it is."""
    if link.state == LinkState.ENDED:
        return
    link.state, link.reason = LinkState.ENDED, reason
    link.save(update_fields=["state", "reason"])
    outbox.drop_open(link, "The incident and the ticket are not linked any more.")
    link.conflicts.filter(outcome="").update(outcome="ended", decided_at=clock.now())
    if told:
        timeline.record("servicenow.unlinked", incident, actor, text=reason, data=named(link))


@transaction.atomic
def broken(incident: Incident, link: TicketLink, reason: str) -> None:
    """The ticket is missing or hidden (both rows are locked): nothing is sent until a person decides (9)."""
    if link.state != LinkState.LINKED:
        return
    link.state, link.reason = LinkState.BROKEN, reason
    link.save(update_fields=["state", "reason"])
    sending = link.changes.filter(state=ChangeState.SENDING)
    # Of what differs one row waits at most, and whatever comes after this compares everything anyway.
    sending.filter(kind=outbox.FIELDS).update(state=ChangeState.DONE, said=reason, finished_at=clock.now())
    sending.update(state=ChangeState.WAITING)
    timeline.record("servicenow.broken", incident, Actor.system(), text=reason, data=named(link))


def named(link: TicketLink, **more: Any) -> dict[str, Any]:
    """What entries of the timeline say of a ticket."""
    return {"number": link.number, "table": link.table, "sys_id": link.sys_id, "link": link.pk, **more}


def _link(incident: Incident, profile: TicketProfile, actor: Actor, **fields: Any) -> TicketLink:
    instance = profile.instance
    earlier = TicketLink.objects.filter(incident=incident, instance=instance, table=profile.table).count()
    ident = correlation.correlation_id(instance.installation, incident.pk, incident.created_at, earlier)
    try:
        with transaction.atomic():
            return TicketLink.objects.create(
                incident=incident, instance=instance, profile=profile, table=profile.table,
                correlation_id=ident, created_by=actor.name[:200], **fields,
            )  # fmt: skip
    except IntegrityError:
        there = TicketLink.objects.filter(incident=incident, instance=instance, table=profile.table)
        number = there.exclude(state=LinkState.ENDED).values_list("number", flat=True).first()
        text = (
            _("%(incident)s has a ticket there already: %(ticket)s.")
            if number
            else _("%(incident)s has a ticket there already.")
        )
        text %= {"incident": incident.number, "ticket": number}
        raise Conflict(text, code="ticket_exists") from None


def _earlier(link: TicketLink, profile: TicketProfile) -> None:
    """What the incident has already and a ticket would have been told."""
    rules = ProfileRules.of(profile)
    kinds = profile.note_kinds if rules.sends("notes") else []
    entries = TimelineEntry.objects.filter(incident=link.incident_id, kind__in=kinds).exclude(actor_type=ACTOR_TYPE)
    latest = list(entries.order_by("-pk").values_list("pk", "cause")[:EARLIER_AT_MOST])
    rows = [TicketChange(link=link, kind=outbox.NOTE, entry=pk, cause=cause) for pk, cause in reversed(latest)]
    if profile.send_evidence:
        for piece in Evidence.objects.filter(incident=link.incident_id, removed_at=None).order_by("pk"):
            rows.append(TicketChange(link=link, kind=outbox.ATTACHMENT, evidence=piece))
    outbox.add_all(rows)
