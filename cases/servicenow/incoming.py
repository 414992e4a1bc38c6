"""What changed at a ticket is done to the incident, by the same actions that people use (servicenow.md 5)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from cases.actions import incidents
from cases.actors import Actor
from cases.choices import Determination, IncidentStatus
from cases.errors import CaseError, Refused
from cases.models import Incident, TicketLink
from cases.servicenow.linking import ACTOR_TYPE
from cases.servicenow.mapping import UNMAPPED, is_ended
from soar.accounts.models import Team, User

REASON_AT_MOST = 5000


def actor_of(name: str) -> Actor:
    """Whoever did it there. What this actor does is never sent back."""
    return Actor(ACTOR_TYPE, f"{name or 'Somebody'} (ServiceNow)"[:200])


def apply(incident: Incident, link: TicketLink, actor: Actor, values: dict[str, Any]) -> dict[str, str]:
    """Set the values of ours that the ticket means, on a locked incident. Returns by field why one cannot be set;
    nothing of that field was changed then. How it ended is set with the status, where that is among them."""
    problems = {}
    for name, value in values.items():
        if name == "determination" and "status" in values:
            continue
        try:
            with transaction.atomic():
                _APPLIED[name](actor, incident, value, values)
        except CaseError as error:
            problems[name] = error.message
    if "status" in problems and "determination" in values:
        problems["determination"] = problems["status"]
    return problems


def _title(actor: Actor, incident: Incident, value: str, _all: dict[str, Any]) -> None:
    incidents.update(actor, incident.pk, changes={"title": value})


def _severity(actor: Actor, incident: Incident, value: str, _all: dict[str, Any]) -> None:
    incidents.update(actor, incident.pk, changes={"severity": value})


def _team(actor: Actor, incident: Incident, value: str, _all: dict[str, Any]) -> None:
    team = Team.objects.filter(pk=int(value)).first() if value else None
    if value and team is None:
        raise Refused(_("The team that the assignment group is mapped to is not there any more."))
    incidents.update(actor, incident.pk, changes={"team": team})


def _owner(actor: Actor, incident: Incident, value: str, _all: dict[str, Any]) -> None:
    user = User.objects.filter(username=value).first() if value else None
    if value and user is None:
        raise Refused(_("There is no user %(value)s.") % {"value": value})
    incidents.owners(actor, incident.pk, lead=user)


def _status(actor: Actor, incident: Incident, value: str, values: dict[str, Any]) -> None:
    end = values.get("determination")
    told = end if isinstance(end, dict) else {}
    if is_ended(value) and not told.get("determination") and incident.determination == Determination.UNKNOWN:
        why = "its close code has no counterpart here" if end is UNMAPPED else "its close code says nothing"
        raise Refused(_("The ticket ended, but %(why)s, and the incident has no determination.") % {"why": why})
    incidents.set_status(
        actor,
        incident.pk,
        value,
        determination=told.get("determination") if is_ended(value) else None,
        reason=str(told.get("notes") or "")[:REASON_AT_MOST] if is_ended(value) else "",
    )


def _determination(actor: Actor, incident: Incident, value: dict[str, str], _all: dict[str, Any]) -> None:
    incidents.set_status(
        actor,
        incident.pk,
        IncidentStatus(incident.status),
        determination=value["determination"],
        reason=value["notes"][:REASON_AT_MOST],
    )


_APPLIED: dict[str, Callable[[Actor, Incident, Any, dict[str, Any]], None]] = {
    "title": _title,
    "severity": _severity,
    "team": _team,
    "owner": _owner,
    "status": _status,
    "determination": _determination,
}
