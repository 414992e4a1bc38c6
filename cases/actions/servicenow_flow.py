"""Hurrying, holding back and letting go on: of an incident's ticket, or of an instance in one direction."""

from __future__ import annotations

from django.db import transaction
from django.utils.translation import gettext as _

from cases.actors import Actor
from cases.errors import Conflict, Forbidden, Missing, Refused
from cases.models import ChangeState, LinkState, ServiceNowInstance, TicketChange
from cases.permissions import incident_for
from cases.servicenow import outbox
from soar.accounts import audit
from soar.accounts.models import User
from soar.connectors.selectors import managed_by
from soar.lib import clock
from soar.lib.queue import enqueue

POLL = "cases.tasks.servicenow_poll"
DIRECTIONS = ("out", "in")


def may_run(user: User, instance: ServiceNowInstance) -> bool:
    """Whether the person may pause and hurry this instance: who may manage its connector."""
    return managed_by(user).filter(pk=instance.account_id).exists()


@transaction.atomic
def sync_incident(actor: Actor, incident: str | int) -> int:
    """Compare the incident's tickets with it now, in the background. Returns how many. Raises Missing, Forbidden, and
    Conflict where it has none or its link is broken."""
    found = incident_for(actor, incident, level="edit")
    links = list(found.tickets.exclude(state=LinkState.ENDED))
    if not links:
        raise Conflict(_("%(number)s has no ticket.") % {"number": found.number})
    working = [link for link in links if link.state != LinkState.BROKEN]
    if not working:
        raise Conflict(_("The link is broken. Link another ticket or create it again first."))
    for link in working:
        outbox.ring(link)
    return len(working)


@transaction.atomic
def sync_instance(actor: Actor, slug: str) -> ServiceNowInstance:
    """Send what waits and read what changed there, now. Raises Missing, Forbidden, Conflict if both are paused."""
    row = _locked(actor, slug)
    if row.out_paused and row.in_paused:
        raise Conflict(_("Both directions are paused."))
    _hurry_out(row)
    _hurry_in(row)
    return row


@transaction.atomic
def pause(actor: Actor, slug: str, direction: str) -> ServiceNowInstance:
    """Hold one direction back until somebody resumes it; what is to be sent waits, in order. Twice changes nothing."""
    return _set_paused(actor, slug, direction, paused=True)


@transaction.atomic
def resume(actor: Actor, slug: str, direction: str) -> ServiceNowInstance:
    """Let a direction go on where it was held back. Twice changes nothing."""
    row = _set_paused(actor, slug, direction, paused=False)
    (_hurry_out if direction == "out" else _hurry_in)(row)
    return row


@transaction.atomic
def try_now(actor: Actor, slug: str, direction: str) -> ServiceNowInstance:
    """Do not wait for the next attempt after an outage or too many requests. Raises Missing, Forbidden, Refused, and
    Conflict while it is paused."""
    row = _locked(actor, slug)
    if getattr(row, _paused_field(direction)):
        raise Conflict(_("This direction is paused. Resume it first."))
    (_hurry_out if direction == "out" else _hurry_in)(row)
    return row


def _set_paused(actor: Actor, slug: str, direction: str, *, paused: bool) -> ServiceNowInstance:
    row = _locked(actor, slug)
    field = _paused_field(direction)
    if getattr(row, field) != paused:
        setattr(row, field, paused)
        row.save(update_fields=[field])
        audit.record(actor.user, f"servicenow.{'paused' if paused else 'resumed'}", row.slug, direction=direction)
    return row


def _paused_field(direction: str) -> str:
    if direction not in DIRECTIONS:
        raise Refused(_("Must be one of: %(directions)s.") % {"directions": ", ".join(DIRECTIONS)}, field="direction")
    return f"{direction}_paused"


def _hurry_out(row: ServiceNowInstance) -> None:
    if row.out_paused:
        return
    now = clock.now()
    row.out_resume_at = None
    row.save(update_fields=["out_resume_at"])
    waits = TicketChange.objects.filter(link__instance=row, state=ChangeState.WAITING, due_at__gt=now)
    waits.update(due_at=now)
    outbox.ring_instance(row)


def _hurry_in(row: ServiceNowInstance) -> None:
    if row.in_paused:
        return
    row.due_at = clock.now()
    row.save(update_fields=["due_at"])
    enqueue(POLL, row.pk)


def _locked(actor: Actor, slug: str) -> ServiceNowInstance:
    row = ServiceNowInstance.objects.select_for_update(of=("self",)).filter(slug=slug).first()
    if row is None:
        raise Missing(_("There is no ServiceNow instance %(slug)s.") % {"slug": f"{slug!s:.60}"})
    if actor.user is not None and not may_run(actor.user, row):
        raise Forbidden(_("The permission to manage this connector is missing."))
    return row
