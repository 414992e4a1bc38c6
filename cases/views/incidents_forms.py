"""The forms of an incident's page, each with what it was made from (cases/actions/seen.py)."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _

from cases.actions.mentions import shown_in
from cases.actions.seen import seen_of, sent
from cases.choices import Determination, Findings, IncidentStatus, Pap, Tlp
from cases.models import Incident
from soar.accounts.models import Team, User

TEAMS_SHOWN = 200
IN_DETAILS = ("title", "team", "tlp", "pap", "tags")
Context = dict[str, Any]


def ending(incident: Incident) -> Context:
    """The form that resolves or closes, as the incident is now: ``seen`` says so, the rest are its values."""
    statuses = [one for one in IncidentStatus if not one.is_open]
    return {
        "seen": seen_of(incident, "status", "determination", "findings"),
        "statuses": [(one.word, _(str(one.label))) for one in statuses],
        "status": next(one.word for one in statuses if one != incident.status),
        "determination": Determination(incident.determination).word,
        "findings": incident.findings,
        "reason": "",
        "resolve_alerts": True,
    }


def summary(user: User, incident: Incident) -> Context:
    """What the form of the summary was made from, and who is named in it."""
    return {"seen_summary": seen_of(incident, "summary"), "summary_people": shown_in(incident.summary)}


def details(user: User, incident: Incident, *, whole: bool = False) -> Context:
    """Team, TLP and PAP, findings; ``whole``: with the form that changes them."""
    findings = _(str(Findings(incident.findings).label)) if incident.findings else ""
    return {"team": incident.team, "findings": findings, **(_details_form(incident) if whole else {})}


def _details_form(incident: Incident) -> Context:
    return {
        "tlps": Tlp.choices,
        "paps": Pap.choices,
        "all_teams": Team.objects.all()[:TEAMS_SHOWN],
        "details_form": {name: sent(incident, name) for name in IN_DETAILS},
        "seen_details": seen_of(incident, *IN_DETAILS),
    }
