"""What the regions of an incident's page need, each made by one function (design: Regions and HTMX)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any

from django.conf import settings
from django.db.models import Exists, OuterRef, QuerySet
from django.db.models.expressions import RawSQL
from django.urls import NoReverseMatch, reverse

from cases import timeline_read
from cases.actions.seen import seen_of
from cases.attack import shown
from cases.choices import (
    OBSERVABLE_TYPES,
    AlertStatus,
    Determination,
    Findings,
    IncidentStatus,
    Risk,
    Severity,
)
from cases.merged import absorbed_entries, told_end
from cases.models import Alert, Incident, IncidentMove, IncidentObservable, Observable
from cases.models.incident import OWNERS_AT_MOST
from cases.permissions import holds, owners_for
from cases.querysets import capped_count
from cases.timeline_filter import TimelineFilter
from cases.timeline_read import EVERYTHING
from cases.views import (
    asset_parts,
    evidence_parts,
    incidents_forms,
    sla_parts,
    task_parts,
    ticket_parts,
    timeline_parts,
)
from cases.views.alerts_rows import incidents_seen
from soar.accounts.membership import may
from soar.accounts.models import User
from soar.lib import clock, parts
from soar.lib.text import defang

ALERTS_SHOWN = 30
OBSERVABLES_SHOWN = 20
OPEN_NAMED = 5
VERDICTS = (Determination.MALICIOUS, Determination.SUSPICIOUS, Determination.BENIGN)
# One list: with OR between two subqueries the planner reads all observables there are.
ITS_OBSERVABLES = """
    SELECT l.observable_id FROM cases_alert a JOIN cases_alertobservable l ON l.alert_id = a.id WHERE a.incident_id = %s
    UNION
    SELECT observable_id FROM cases_incidentobservable WHERE incident_id = %s
"""
Context = dict[str, Any]


def base(user: User, incident: Incident) -> Context:
    """What every region needs: the incident and what this person may do with it."""
    return {
        "incident": incident,
        "number": incident.number,
        "can_edit": holds(user, incident, "edit"),
        "can_pin": holds(user, incident, "edit"),
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


def shown_alerts(incident: Incident) -> list[Alert]:
    """The linked alerts that the page shows, worst first, read once."""
    if "shown_alerts" not in incident.__dict__:
        rows = Alert.objects.filter(incident=incident).order_by("-severity", "-id").with_line_data()
        incident.__dict__["shown_alerts"] = list(rows[:ALERTS_SHOWN])
    found: list[Alert] = incident.__dict__["shown_alerts"]
    return found


def stream_counts(incident: Incident) -> str:
    """As ``timeline_read.cursor_of_incident``, from the alerts that the page reads anyhow where these are all."""
    shown = shown_alerts(incident)
    if len(shown) >= ALERTS_SHOWN:
        return timeline_read.cursor_of_incident(incident)
    own = incident.timeline_count + absorbed_entries(incident)
    return f"{own}-{sum(alert.timeline_count for alert in shown)}"


def still_open(incident: Incident) -> list[str]:
    """Numbers of open alerts of an incident that ended: left open, or reopened by a repeat, which leaves the incident
    as it is (rulings 16)."""
    rows = [alert for alert in shown_alerts(incident) if AlertStatus(alert.status).is_open]
    return [alert.number for alert in rows[:OPEN_NAMED]]


def open_alerts(incident: Incident) -> int:
    """How many linked alerts are open, counted among those shown if that is all of them."""
    shown = shown_alerts(incident)
    if len(shown) < ALERTS_SHOWN:
        return sum(AlertStatus(alert.status).is_open for alert in shown)
    return Alert.objects.filter(incident=incident).open().count()


def alerts(user: User, incident: Incident) -> Context:
    """The linked alerts, worst first. Whoever sees the incident sees them here (rulings 21)."""
    return {
        "alerts": [alert_row(alert, {incident.pk}) for alert in shown_alerts(incident)],
        "alerts_more": max(incident.alert_count - ALERTS_SHOWN, 0),
        "queue_url": f"{_url('alert-list') or '/alerts/'}?incident={incident.number}&status=any",
    }


def alert_rows(user: User, found: Sequence[tuple[Alert, str]]) -> list[Context]:
    """Alerts as lines of a list for this reader, each with why it is there ("" for none)."""
    seen = incidents_seen(user, [alert for alert, _why in found])
    return [alert_row(alert, seen, why) for alert, why in found]


def alert_row(alert: Alert, seen: Collection[int], why: str = "") -> Context:
    """An alert as a line of a list. ``seen`` are the incidents that the reader may know of (access.md 4)."""
    return {
        "pk": alert.pk,
        "number": alert.number,
        "title": alert.title,
        "url": f"/alerts/{alert.number}/",
        "severity": parts.sev(Severity(alert.severity).word, hidden=True),
        "resolved": not AlertStatus(alert.status).is_open,
        "about": alert.hostname or alert.username or alert.source_ip,
        "age": parts.ago(alert.received_at),
        "incident": f"INC-{alert.incident_id}" if alert.incident_id in seen else "",
        "linked": alert.incident_id is not None,
        "why": why,
    }


def owners(user: User, incident: Incident) -> Context:
    """Owners, the lead first, and who could be added."""
    rows = list(incident.owner_rows.select_related("user"))
    taken = {row.user_id for row in rows}
    people = owners_for(incident, user).exclude(pk__in=taken)
    return {
        "owner_rows": rows,
        "am_owner": user.pk in taken,
        "people": people[:200] if len(rows) < OWNERS_AT_MOST else [],
        "owners_full": len(rows) >= OWNERS_AT_MOST,
    }


def observables(user: User, incident: Incident) -> Context:
    """Observables of the incident and of its alerts, the riskiest first."""
    rows = observables_of(incident)
    own = Exists(IncidentObservable.objects.filter(incident=incident, observable=OuterRef("pk")))
    found = list(rows.annotate(own=own).order_by("-risk", "type", "id")[: OBSERVABLES_SHOWN + 1])
    shown = found[:OBSERVABLES_SHOWN]
    total, capped = capped_count(rows) if len(found) > len(shown) else (len(found), False)
    return {
        "observables": [_observable(one, one.own) for one in shown],
        "observables_total": f"{total}+" if capped else str(total),
        "observables_more": max(total - OBSERVABLES_SHOWN, 0),
        "observable_types": OBSERVABLE_TYPES,
    }


def observables_of(incident: Incident) -> QuerySet[Observable]:
    """Those of the incident itself and of its alerts."""
    return Observable.objects.filter(pk__in=RawSQL(ITS_OBSERVABLES, [incident.pk, incident.pk]))  # noqa: S611  a constant


def _observable(one: Observable, own: bool) -> Context:
    return {
        "pk": one.pk,
        "type": one.type,
        "value": defang(one.value, one.type),
        "link": shown.observable(one.value, reverse("observable-detail", args=[one.pk]), one.type),
        "risk": parts.risk(Risk(one.risk).word, hidden=True),
        "own": own,
    }


def nothing(user: User, incident: Incident) -> Context:
    """The composer needs nothing but the incident."""
    return {}


def timeline(
    user: User, incident: Incident, chosen: TimelineFilter = EVERYTHING, *, before: int = 0, aim: int = 0
) -> Context:
    """A page of the joined stream, newest first, its filters, pins and cursor."""
    return timeline_parts.stream(timeline_read.entries_of_incident(incident), chosen, before=before, aim=aim)


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


REGIONS: dict[str, Callable[[User, Incident], Context]] = {
    "head": head,
    "summary": incidents_forms.summary,
    "alerts": alerts,
    "details": incidents_forms.details,
    "owners": owners,
    "tasks": task_parts.tasks,
    "tickets": ticket_parts.tickets,
    "observables": observables,
    "assets": asset_parts.of_incident,
    "evidence": evidence_parts.of_incident,
    "composer": nothing,
    "blind": nothing,
    "note": nothing,
}
