"""Tying an incident to a ticket and taking it off again, by a person or a playbook (servicenow.md 3, 9)."""

from __future__ import annotations

import re
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from cases.actions.servicenow_access import link_for
from cases.actors import Actor
from cases.errors import Conflict, Missing, Refused
from cases.models import Incident, LinkState, TicketLink, TicketProfile
from cases.permissions import incident_for
from cases.servicenow import linking

REPLACED = "Replaced by another ticket."
TICKET = re.compile(r"[A-Z][A-Z_]{1,9}[0-9]{3,12}")  # a number as people read it: INC0010234, SIR0010001


def usable_profiles() -> list[TicketProfile]:
    """The profiles by which an incident may get a ticket now, in their order."""
    return list(TicketProfile.objects.filter(enabled=True).select_related("instance__account"))


@transaction.atomic
def create_ticket(actor: Actor, incident: str | int, profile: int) -> TicketLink:
    """Have a ticket made for an incident by a profile, in the background. Raises Refused for a profile that is off,
    Conflict where the incident has a ticket of that instance and table, Missing, Forbidden."""
    found = incident_for(actor, incident, level="edit", lock=True)
    chosen = _profile(profile)
    _free(found, chosen)
    return linking.open_ticket(found, chosen, actor)


@transaction.atomic
def link_ticket(actor: Actor, incident: str | int, profile: int, number: str) -> TicketLink:
    """Tie an incident to a ticket that is there, by its number; it is looked up in the background. Raises as
    ``create_ticket``, and Refused for what is no number."""
    found = incident_for(actor, incident, level="edit", lock=True)
    chosen = _profile(profile)
    ticket = _ticket(number)
    _free(found, chosen)
    return linking.attach_existing(found, chosen, ticket, actor)


@transaction.atomic
def unlink(actor: Actor, link: int) -> TicketLink:
    """Take the tie away: from now on each side goes its own way, and both stay as they are. What waits is let go.
    Twice changes nothing. Raises Missing, Forbidden."""
    incident, row = link_for(actor, link)
    linking.end(incident, row, actor)
    return row


@transaction.atomic
def relink(actor: Actor, link: int, number: str) -> TicketLink:
    """Tie the incident of a broken link to another ticket; it is told everything that the old one was. Raises Conflict
    where the link is not broken, Refused for what is no number, Missing, Forbidden."""
    incident, row = _broken(actor, link)
    ticket = _ticket(number)
    linking.end(incident, row, actor, REPLACED)
    return linking.attach_existing(incident, row.profile, ticket, actor)


@transaction.atomic
def recreate(actor: Actor, link: int) -> TicketLink:
    """Have another ticket made in the place of one that is missing; it is told everything that the old one was. Raises
    Conflict where the link is not broken, Missing, Forbidden."""
    incident, row = _broken(actor, link)
    linking.end(incident, row, actor, REPLACED)
    return linking.open_ticket(incident, row.profile, actor)


def _broken(actor: Actor, pk: int) -> tuple[Incident, TicketLink]:
    incident, row = link_for(actor, pk)
    if row.state == LinkState.ENDED:
        raise Conflict(_("This link was taken away or replaced in the meantime."))
    if row.state != LinkState.BROKEN:
        raise Conflict(_("The link works: there is nothing to mend."))
    return incident, row


def _profile(pk: int) -> TicketProfile:
    chosen = TicketProfile.objects.select_related("instance").filter(pk=pk).first()
    if chosen is None:
        raise Missing(_("There is no such ticket profile."))
    if not chosen.enabled:
        raise Refused(_("The profile %(name)s is off.") % {"name": chosen.name}, field="profile")
    return chosen


def ticket_of(incident: Incident, profile: TicketProfile) -> TicketLink | None:
    """The ticket that stands where the profile would make one: of its instance and table. None if there is none."""
    links = incident.tickets.exclude(state=LinkState.ENDED)
    return links.filter(instance=profile.instance_id, table=profile.table).first()


def _free(incident: Incident, profile: TicketProfile) -> None:
    taken = ticket_of(incident, profile)
    if taken is not None:
        ticket = taken.number or "a ticket that is being made"
        raise Conflict(
            _("%(number)s has %(ticket)s already: one for each instance and table.")
            % {"number": incident.number, "ticket": ticket}
        )


def _ticket(value: Any) -> str:
    text = str(value).strip().upper()
    if not TICKET.fullmatch(text):
        raise Refused(_("The number of the ticket, such as INC0010234."), field="number")
    return text
