"""Placing and lifting legal holds, with a reason, on the timeline and in the audit log (access.md 9)."""

from __future__ import annotations

from django.db import transaction
from django.utils.translation import gettext as _

from cases import timeline
from cases.actions.base import save, text_of
from cases.actors import Actor
from cases.errors import Conflict, Forbidden
from cases.holds import hold_of
from cases.merged import refusal
from cases.models import Incident, LegalHold
from cases.permissions import holds as level_held
from cases.permissions import incident_for
from soar.accounts import audit
from soar.accounts.membership import may
from soar.accounts.models import User
from soar.lib import clock

REASON_AT_MOST = 1000


def may_hold(user: User, incident: Incident) -> bool:
    """Whether somebody who sees the incident may place and lift holds: by the level *manage* on it, or by managing
    settings, retention being one."""
    return may(user, "manage_settings") or level_held(user, incident, "manage")


@transaction.atomic
def place(actor: Actor, incident_id: int | str, reason: str) -> LegalHold:
    """Put an incident on hold. Raises Refused without a reason, Conflict if it is on hold already or was merged (what
    it held is in the other one, whose hold keeps it), Missing, Forbidden."""
    incident = _incident(actor, incident_id)
    if incident.merged_at is not None:
        raise refusal(actor, incident)
    why = text_of(reason, "reason", most=REASON_AT_MOST)
    if hold_of(incident) is not None:
        raise Conflict(_("%(number)s is on legal hold already.") % {"number": incident.number}, code="legal_hold")
    made = LegalHold.objects.create(incident=incident, reason=why, placed_by=actor.name[:200], placed_at=clock.now())
    timeline.record("hold.placed", incident, actor, text=why)
    save(incident)
    audit.record(actor.user, "legal_hold.placed", incident.number, reason=why)
    return made


@transaction.atomic
def lift(actor: Actor, incident_id: int | str, reason: str) -> LegalHold:
    """Lift the hold. Raises Refused without a reason, Conflict if there is none, Missing, Forbidden."""
    incident = _incident(actor, incident_id)
    why = text_of(reason, "reason", most=REASON_AT_MOST)
    hold = hold_of(incident)
    if hold is None:
        raise Conflict(_("%(number)s is not on legal hold.") % {"number": incident.number})
    hold.lifted_at, hold.lifted_by, hold.lift_reason = clock.now(), actor.name[:200], why
    hold.save(update_fields=["lifted_at", "lifted_by", "lift_reason"])
    timeline.record("hold.lifted", incident, actor, text=why)
    save(incident)
    audit.record(actor.user, "legal_hold.lifted", incident.number, reason=why, was=hold.reason)
    return hold


def _incident(actor: Actor, incident_id: int | str) -> Incident:
    incident = incident_for(actor, incident_id, lock=True)
    if actor.user is not None and not may_hold(actor.user, incident):
        raise Forbidden(
            _("You may see %(number)s but not put it on legal hold or lift one.") % {"number": incident.number}
        )
    return incident
