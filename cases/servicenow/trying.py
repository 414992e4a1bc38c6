"""A dry run of a ticket profile: the exact request that would make an incident's ticket (servicenow.md 2)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from cases.actions.servicenow_instances import may_set_up
from cases.actions.servicenow_profiles import profile_for
from cases.actors import Actor
from cases.models import Incident, LinkState, TicketLink
from cases.permissions import incident_for
from cases.servicenow import sending
from cases.servicenow.case import state_of
from cases.servicenow.mapping import ProfileRules, missing_out


@dataclass(frozen=True, slots=True)
class Tried:
    """``request``: method, url, headers and body, without what signs in; ``left_out``: values without a counterpart, in
    words; ``ticket``: the link that the incident has there already, so that no other would be made."""

    incident: Incident
    request: dict[str, Any]
    left_out: list[str]
    ticket: TicketLink | None


def dry_run(actor: Actor, profile_id: int, incident: str) -> Tried:
    """Nothing is sent or written; people are looked up in ServiceNow. Raises ConnectorError where it does not answer,
    Missing for an incident that the person does not see, Forbidden."""
    may_set_up(actor)
    profile = profile_for(profile_id)
    found = incident_for(actor, incident[:40])
    planned: dict[str, Any] = sending.preview(found, profile)["request"]
    gaps = missing_out(ProfileRules.of(profile), state_of(found))
    # Somebody of ours who is known there by their mail address has a counterpart after all.
    known = "assigned_to" in planned["body"]
    left_out = [one.text for name, one in gaps.items() if not (name == "owner" and known)]
    live = found.tickets.filter(instance=profile.instance, table=profile.table).exclude(state=LinkState.ENDED)
    return Tried(found, planned, left_out, live.first())
