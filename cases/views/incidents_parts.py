"""What the regions of an incident's page need, each made by one function (design: Regions and HTMX)."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

from django.conf import settings
from django.urls import NoReverseMatch, reverse

from cases import timeline_read
from cases.actions.seen import seen_of
from cases.choices import Determination, Findings, IncidentStatus, Severity
from cases.merged import told_end
from cases.models import Incident, IncidentMove
from cases.models.incident import OWNERS_AT_MOST
from cases.permissions import holds, owners_for
from cases.timeline_filter import TimelineFilter
from cases.timeline_read import EVERYTHING
from cases.views import (
    asset_parts,
    evidence_parts,
    incident_alert_parts,
    incident_observable_parts,
    incidents_forms,
    sla_parts,
    task_parts,
    ticket_parts,
    timeline_parts,
)
from cases.views.folding import FOLDING
from cases.views.incident_alert_parts import open_alerts, still_open
from soar.accounts.membership import may
from soar.accounts.models import User
from soar.lib import clock
from soar.lib.columns import PERSON, beside

PEOPLE_SHOWN = 200
ENTRIES_FIRST = 20
VERDICTS = (Determination.MALICIOUS, Determination.SUSPICIOUS, Determination.BENIGN)
Context = dict[str, Any]


def base(user: User, incident: Incident) -> Context:
    """What every region needs: the incident and what this person may do with it."""
    return {
        "incident": incident,
        "number": incident.number,
        "can_edit": holds(user, incident, "edit"),
        "can_pin": holds(user, incident, "edit"),
        # Out of a restriction an alert comes by who manages its access (cases.actions.links).
        "can_unlink": holds(user, incident, "manage" if incident.restricted else "edit"),
        "can_comment": holds(user, incident, "comment"),
        "can_close": holds(user, incident, "close"),
        "run_url": _url(settings.ALERTS_RUN_URL) if may(user, "run_playbooks") else "",
        **timeline_parts.addresses("incident", incident.number),
        **({"stream_of": 0} if incident.merged_at is not None else {}),  # nor are its notes corrected on its own page
    }


def head(user: User, incident: Incident) -> Context:
    """Title, badges, the verbs of status and severity."""
    status = IncidentStatus(incident.status)
    return {
        "severity": Severity(incident.severity),
        "status": status,
        "is_open": status.is_open,
        "determination": Determination(incident.determination),
        "statuses": [one for one in IncidentStatus if one.is_open and one is not status],
        "endings": [one for one in IncidentStatus if not one.is_open and one is not status],
        "ending": incidents_forms.ending(incident),
        "seen_status": seen_of(incident, "status"),
        "seen_severity": seen_of(incident, "severity"),
        "severities": [one for one in reversed(Severity) if one != incident.severity],
        "verdicts": VERDICTS,
        "benign_findings": [Findings.FALSE_POSITIVE, Findings.BENIGN_TRUE_POSITIVE],
        "open_alerts": open_alerts(incident),
        "still_open": [] if status.is_open else still_open(incident),
        "runs_url": runs_url(incident),
        "merged": merged(user, incident) if incident.merged_at is not None else None,
        "sla_badge": sla_parts.badge(incident, clock.now()),
    }


def merged(user: User, incident: Incident) -> Context:
    """Where a husk went, as far as the reader may know it, and the merge while it can be taken back."""
    move = IncidentMove.objects.filter(source=incident, undone_at=None, kind="merge").first()
    number = told_end(user, incident)
    return {"number": number, "undo": move.pk if move is not None and number and move.can_undo else 0}


def owners(user: User, incident: Incident, *, whole: bool = False) -> Context:
    """Owners, the lead first; ``whole``: with who could be added."""
    rows = list(beside(incident.owner_rows.all(), user=PERSON))
    taken = {row.user_id for row in rows}
    return {
        "owner_rows": rows,
        "am_owner": user.pk in taken,
        "people": owners_for(incident, user).exclude(pk__in=taken)[:PEOPLE_SHOWN] if whole else None,
        "owners_full": len(rows) >= OWNERS_AT_MOST,
    }


def nothing(user: User, incident: Incident) -> Context:
    """The composer needs nothing but the incident."""
    return {}


def timeline(
    user: User, incident: Incident, chosen: TimelineFilter = EVERYTHING, *, before: int = 0, aim: int = 0
) -> Context:
    """A page of the joined stream, newest first, its filters, pins and cursor. Of the newest the first come with the
    page, more when somebody reads on; further ones when they are asked for."""
    rows, limit = timeline_read.entries_of_incident(incident), timeline_read.PAGE if before else ENTRIES_FIRST
    stream = timeline_parts.stream(rows, chosen, before=before, aim=aim, limit=limit)
    return {**stream, "reads_on": not before}


def filters(incident: Incident, chosen: TimelineFilter) -> Context:
    """The kinds of entries with their figures, and what is pinned."""
    return timeline_parts.filters(timeline_read.entries_of_incident(incident), chosen)


def runs_url(incident: Incident) -> str:
    """The URL of the region that playbooks mount (rulings 23), or nothing when they do not."""
    return _url(settings.INCIDENT_RUNS_URL, incident.pk)


def _url(name: str, *args: Any) -> str:
    try:
        return reverse(name, args=args)
    except NoReverseMatch:
        return ""


def of_region(name: str, user: User, incident: Incident, opened: Collection[str]) -> Context:
    """What one region needs; more of it where it is among the ``opened`` ones."""
    more = {"whole": name in opened} if name in FOLDING else {}
    return REGIONS[name](user, incident, **more)


REGIONS: dict[str, Callable[..., Context]] = {
    "head": head,
    "summary": incidents_forms.summary,
    "alerts": incident_alert_parts.alerts,
    "details": incidents_forms.details,
    "owners": owners,
    "tasks": task_parts.tasks,
    "tickets": ticket_parts.tickets,
    "observables": incident_observable_parts.observables,
    "assets": asset_parts.of_incident,
    "evidence": evidence_parts.of_incident,
    "composer": nothing,
    "blind": nothing,
    "note": nothing,
}
