"""The ticket of an incident for programs and playbooks: asked for twice, it is the same one (servicenow.md 3, 10)."""

from __future__ import annotations

from django.db import transaction
from django.utils.translation import gettext as _

from cases.actions.servicenow_access import link_for
from cases.actions.servicenow_links import create_ticket, link_ticket
from cases.actors import Actor
from cases.errors import Conflict, Refused
from cases.models import LinkState, TicketLink, TicketProfile
from cases.permissions import incident_for
from cases.servicenow import outbox

LONGEST_ID = 18  # digits


@transaction.atomic
def ticket_of(actor: Actor, incident: str | int, profile: str | int, number: str = "") -> tuple[TicketLink, bool]:
    """Have a ticket made by a profile (its name or id), or link the one with ``number`` (or sys_id). Returns the link,
    and whether it is new: an incident that has a ticket of that instance and table keeps it.

    Raises Refused for a profile that is not there or off and for what is no number, Conflict where it has another
    ticket than the one asked for, Missing, Forbidden."""
    chosen = profile_of(profile)
    found = incident_for(actor, incident, level="edit", lock=True)
    rows = TicketLink.objects.select_related("instance__account", "profile").exclude(state=LinkState.ENDED)
    there = rows.filter(incident=found, instance=chosen.instance_id, table=chosen.table).first()
    if there is not None:
        if number and number.strip().lower() not in (there.number.lower(), there.sys_id):
            raise Conflict(
                _("%(number)s has a ticket there already: %(there)s.")
                % {"number": found.number, "there": there.number or _("one that is being made")}
            )
        return there, False
    made = link_ticket(actor, found.pk, chosen.pk, number) if number else create_ticket(actor, found.pk, chosen.pk)
    return rows.get(pk=made.pk), True


def profile_of(wanted: str | int) -> TicketProfile:
    """The profile by its name, whatever its upper and lower case, or by its id. Raises Refused."""
    rows, text = TicketProfile.objects.all(), str(wanted).strip()
    chosen = rows.filter(name__iexact=text).first()
    if chosen is None and text.isascii() and text.isdecimal() and len(text) <= LONGEST_ID:
        chosen = rows.filter(pk=int(text)).first()
    if chosen is None:
        raise Refused(_("There is no ticket profile %(text)s.") % {"text": f"{text:.100}"}, field="profile")
    return chosen


@transaction.atomic
def sync_link(actor: Actor, link: int) -> TicketLink:
    """Compare both sides now, in the background. Raises Missing, Forbidden, Conflict for one that is broken, ended."""
    _incident, row = link_for(actor, link)
    if row.state == LinkState.ENDED:
        raise Conflict(_("The incident and this ticket are not linked any more."))
    if row.state == LinkState.BROKEN:
        raise Conflict(_("The link is broken. Link another ticket or create it again first."))
    outbox.ring(row)
    return row
