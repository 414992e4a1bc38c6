"""Stopping the clocks of an incident for a while, with a reason, and letting them run again (casework.md 11)."""

from __future__ import annotations

from django.db import transaction
from django.utils.translation import gettext as _

from cases import timeline
from cases.actions.base import save, text_of
from cases.actions.seen import Expected, check_version
from cases.actors import Actor
from cases.choices import IncidentStatus
from cases.errors import Conflict
from cases.models import Incident, IncidentPause
from cases.permissions import incident_for
from cases.sla import clocks, current

REASON_AT_MOST = 1000


@transaction.atomic
def pause(actor: Actor, incident_id: int | str, reason: str, *, expected_version: Expected = None) -> Incident:
    """Let the clocks stand still from now on: what is due moves by as long as it lasts. Raises Refused without a
    reason, Conflict for an incident that is paused already, has ended or was imported, Missing, Forbidden."""
    incident = incident_for(actor, incident_id, level="edit", lock=True)
    check_version(incident, expected_version)
    why = text_of(reason, "reason", most=REASON_AT_MOST)
    if not IncidentStatus(incident.status).is_open:
        raise Conflict(_("%(number)s has ended: its clocks do not run.") % {"number": incident.number})
    if incident.sla_version == clocks.WITHOUT:
        raise Conflict(_("%(number)s was imported: it has no clocks.") % {"number": incident.number})
    if incident.sla_paused_at is not None:
        raise Conflict(_("%(number)s is paused already.") % {"number": incident.number})
    _policy, now = current.policy_and_time()
    IncidentPause.objects.create(incident=incident, started_at=now, reason=why, paused_by=actor.name[:200])
    timeline.record("sla.paused", incident, actor, text=why)
    save(incident)
    clocks.follow(incident)
    return incident


@transaction.atomic
def resume(actor: Actor, incident_id: int | str, reason: str = "", *, expected_version: Expected = None) -> Incident:
    """Let the clocks run again. Raises Conflict for an incident that is not paused, Missing, Forbidden."""
    incident = incident_for(actor, incident_id, level="edit", lock=True)
    check_version(incident, expected_version)
    why = text_of(reason or "", "reason", most=REASON_AT_MOST, required=False)
    lasting = IncidentPause.objects.filter(incident=incident, ended_at=None).first()
    if lasting is None:
        raise Conflict(_("%(number)s is not paused.") % {"number": incident.number})
    _policy, now = current.policy_and_time()
    lasting.ended_at, lasting.resumed_by = max(now, lasting.started_at), actor.name[:200]
    lasting.save(update_fields=["ended_at", "resumed_by"])
    length = round((lasting.ended_at - lasting.started_at).total_seconds())
    timeline.record("sla.resumed", incident, actor, text=why, data={"seconds": length})
    save(incident)
    clocks.follow(incident)
    return incident
