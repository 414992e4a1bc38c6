"""How alerts, incidents, entries and observables read in JSON (contract.md). Plain functions: lists are long.

What a thing says of others is checked too: an incident that the reader may not see is not named (access.md 4)."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db.models import Prefetch, QuerySet
from django.utils.module_loading import import_string

from cases import asset_facts
from cases.attack.stored import catalog
from cases.choices import AlertStatus, Determination, IncidentStatus, Risk, Severity
from cases.first_seen import first_seen
from cases.models import Alert, AlertObservable, Incident, LinkState, Observable, TicketLink, TimelineEntry
from cases.restricted_views import note_rows
from cases.sla.states import due_of, state_of
from cases.ticket_words import ticket_url
from soar.accounts.models import User
from soar.lib import clock
from soar.lib.clock import iso

logger = logging.getLogger(__name__)
EXPANDABLE = ("observables", "assets", "runs", "description", "technique_names")

_SEVERITY = {member.value: member.word for member in Severity}
_STATUS = {member.value: member.word for member in AlertStatus}
_DETERMINATION = {member.value: member.word for member in Determination}
_INCIDENT_STATUS = {member.value: member.word for member in IncidentStatus}
_RISK = {member.value: member.word for member in Risk}


def page_url(number: str) -> str:
    """The address of the page of ``ALR-7`` or ``INC-7``."""
    return f"{settings.SOAR_URL}/{'alerts' if number.startswith('ALR') else 'incidents'}/{number}/"


def with_tickets(incidents: QuerySet[Incident]) -> QuerySet[Incident]:
    """With what rows tell of tickets in ServiceNow: one query however many incidents there are."""
    links = (
        TicketLink.objects.exclude(state=LinkState.ENDED).select_related("instance__account", "profile").order_by("pk")
    )
    shown = links.only(
        "incident", "number", "sys_id", "state", "table", "last_in_at", "last_out_at", "instance__slug",
        "instance__account__settings", "profile__name",
    )  # fmt: skip
    return incidents.prefetch_related(Prefetch("tickets", shown))


def alert_row(alert: Alert, incident: str | None = None) -> dict[str, Any]:
    """An alert as a row of a list: everything but observables, assets, runs and description (rulings 25).

    ``incident`` is the number of its incident as far as the reader may know it. Wants ``with_row_data()``."""
    number = f"ALR-{alert.pk}"
    return {
        "id": alert.pk,
        "number": number,
        "url": page_url(number),
        "source": alert.source.slug,
        "source_ref": alert.source_ref,
        "dedup_key": alert.dedup_key,
        "count": alert.count,
        "title": alert.title,
        "severity": _SEVERITY[alert.severity],
        "status": _STATUS[alert.status],
        "determination": _DETERMINATION[alert.determination],
        "findings": alert.findings,
        "owner": alert.owner.username if alert.owner else None,
        "team": alert.team.name if alert.team else None,
        "detection_model": alert.detection_model,
        "occurred_at": iso(alert.occurred_at),
        "first_seen": iso(alert.first_seen),
        "last_seen": iso(alert.last_seen),
        "received_at": iso(alert.received_at),
        "updated_at": iso(alert.updated_at),
        "resolved_at": iso(alert.resolved_at),
        "hostname": alert.hostname,
        "username": alert.username,
        "source_ip": alert.source_ip,
        "tags": alert.tags,
        "techniques": alert.techniques,
        "tlp": alert.tlp,
        "external_link": alert.external_link,
        "incident": incident,
        "source_state": alert.source_state,
        "suppression": alert.suppression_id,
        "cause": str(alert.cause),
        "version": alert.version,
    }


def alert_dict(
    alert: Alert,
    *,
    user: User | None = None,
    incident: str | None = None,
    observables: list[dict[str, Any]] | None = None,
    runs: list[dict[str, Any]] | None = None,
) -> dict[str, Any]:
    """An alert with all its keys. What is not given is looked up; ``user`` None sees all."""
    return {
        **alert_row(alert, incident or incident_numbers(user, [alert]).get(alert.pk)),
        "description": alert.description,
        "technique_names": technique_names(alert.techniques),
        "resolve_reason": alert.resolve_reason,
        "observables": observables_of([alert.pk])[alert.pk] if observables is None else observables,
        "assets": asset_facts.of_alert(alert.pk, alert.entities),
        "runs": runs_of([alert.pk]).get(alert.pk, []) if runs is None else runs,
        "repairs": alert.repairs,
    }


def alert_rows(user: User | None, alerts: Sequence[Alert], expand: Iterable[str] = ()) -> list[dict[str, Any]]:
    """Rows of a list with what was asked for besides, each kind in one query however many rows there are. What of them
    is restricted is noted as seen by the user."""
    if user is not None:
        note_rows(user, alerts)
    wanted, ids = set(expand), [alert.pk for alert in alerts]
    incidents = incident_numbers(user, alerts)
    observables = observables_of(ids) if "observables" in wanted else {}
    runs = runs_of(ids) if "runs" in wanted else {}
    assets = asset_facts.known_of(ids) if "assets" in wanted else {}
    rows = []
    for alert in alerts:
        row = alert_row(alert, incidents.get(alert.pk))
        if "description" in wanted:
            row["description"] = alert.description
        if "observables" in wanted:
            row["observables"] = observables[alert.pk]
        if "assets" in wanted:
            row["assets"] = asset_facts.told(alert.entities, assets.get(alert.pk, ()))
        if "runs" in wanted:
            row["runs"] = runs.get(alert.pk, [])
        if "technique_names" in wanted:
            row["technique_names"] = technique_names(alert.techniques)
        rows.append(row)
    return rows


def technique_names(ids: Iterable[str]) -> list[dict[str, Any]]:
    """``[{id, name, tactics}]``, in the order of the ids; name and tactics are empty for an id that is not known."""
    known = catalog()
    found = [(id, known.get(id)) for id in ids]
    return [
        {"id": id, "name": one.full if one else "", "tactics": known.tactic_names(one) if one else []}
        for id, one in found
    ]


def incident_numbers(user: User | None, alerts: Iterable[Alert]) -> dict[int, str]:
    """The incident's number by the alert's id, for incidents that the user may see."""
    wanted = {alert.pk: alert.incident_id for alert in alerts if alert.incident_id}
    if not wanted:
        return {}
    seen = set(wanted.values())
    if user is not None:
        rows = Incident.objects.filter(pk__in=seen).visible_to(user)
        seen = set(rows.order_by().values_list("pk", flat=True))
    return {pk: f"INC-{incident}" for pk, incident in wanted.items() if incident in seen}


def observables_of(alert_ids: Sequence[int]) -> dict[int, list[dict[str, Any]]]:
    """``[{id, type, value, risk, role}]`` by alert, in one query."""
    found: dict[int, list[dict[str, Any]]] = defaultdict(list)
    links = AlertObservable.objects.filter(alert__in=alert_ids).order_by("id")
    columns = ("alert_id", "observable_id", "observable__type", "observable__value", "observable__risk", "role")
    for alert, pk, type_, value, risk, role in links.values_list(*columns):
        found[alert].append({"id": pk, "type": type_, "value": value, "risk": _RISK[risk], "role": role})
    return found


def runs_of(alert_ids: list[int]) -> dict[int, list[dict[str, Any]]]:
    """``[{id, playbook, status}]`` by alert, from the function that settings name (rulings 23)."""
    if not alert_ids:
        return {}
    try:
        provider = import_string(settings.ALERT_RUNS_PROVIDER)
    except ImportError:
        logger.debug("No runs: %s is not there", settings.ALERT_RUNS_PROVIDER)
        return {}
    found: dict[int, list[dict[str, Any]]] = provider(alert_ids)
    return found


def incident_row(incident: Incident) -> dict[str, Any]:
    """An incident as a row of a list: everything but its summary. Wants ``with_row_data()``
    and ``with_tickets``."""
    number = f"INC-{incident.pk}"
    return {
        "id": incident.pk,
        "number": number,
        "url": page_url(number),
        "title": incident.title,
        "severity": _SEVERITY[incident.severity],
        "status": _INCIDENT_STATUS[incident.status],
        "determination": _DETERMINATION[incident.determination],
        "findings": incident.findings,
        "owners": [{"username": row.user.username, "lead": row.lead} for row in incident.owner_rows.all()],
        "team": incident.team.name if incident.team else None,
        "restricted": incident.restricted,
        "tlp": incident.tlp,
        "pap": incident.pap,
        "tags": incident.tags,
        "techniques": incident.techniques,
        "custom_fields": incident.custom_fields,
        "alert_count": incident.alert_count,
        "template": incident.template.name if incident.template else None,
        "servicenow": [_ticket(link) for link in incident.tickets.all()],
        "opened_by": incident.opened_by,
        "created_at": iso(incident.created_at),
        "updated_at": iso(incident.updated_at),
        "contained_at": iso(incident.contained_at),
        "resolved_at": iso(incident.resolved_at),
        "closed_at": iso(incident.closed_at),
        "merged_at": iso(incident.merged_at),
        "sla": sla_dict(incident),
        "cause": str(incident.cause),
        "version": incident.version,
    }


def sla_dict(incident: Incident) -> dict[str, Any]:
    """How an incident stands to its targets at this moment."""
    return {
        "state": state_of(incident, clock.now()),
        "due_at": iso(due_of(incident)),
        "paused_at": iso(incident.sla_paused_at),
        "missed": incident.sla_missed,
    }


def _ticket(link: TicketLink) -> dict[str, Any]:
    """A ticket of an incident, as far as the incident tells of it."""
    return {
        "number": link.number,
        "url": ticket_url(link),
        "state": link.state,
        "table": link.table,
        "instance": link.instance.slug,
        "profile": link.profile.name,
        "last_sync": iso(max((at for at in (link.last_in_at, link.last_out_at) if at), default=None)),
    }


def incident_dict(incident: Incident) -> dict[str, Any]:
    """An incident with all its keys. Owners are read anew: an action may have changed them."""
    rows = with_tickets(Incident.objects.select_related("team", "template").prefetch_related("owner_rows__user"))
    fresh = rows.get(pk=incident.pk)
    return {
        **incident_row(fresh),
        "summary": fresh.summary,
        "technique_names": technique_names(fresh.techniques),
        "resolve_reason": fresh.resolve_reason,
    }


def entry_dict(entry: TimelineEntry) -> dict[str, Any]:
    """An entry of a timeline, as it was written."""
    return {
        "id": entry.pk,
        "subject": f"ALR-{entry.alert_id}" if entry.alert_id else f"INC-{entry.incident_id}",
        "kind": entry.kind,
        "actor": {"type": entry.actor_type, "name": entry.actor_name},
        "text": entry.text,
        "data": entry.data,
        "occurred_at": iso(entry.occurred_at),
        "recorded_at": iso(entry.recorded_at),
        "hash": bytes(entry.hash).hex(),
    }


def observable_dicts(user: User, rows: Sequence[Observable]) -> list[dict[str, Any]]:
    """Observables with their ratings, without sightings. ``created_at`` is when the reader could first see each."""
    since = first_seen(user, [row.pk for row in rows])
    return [_observable(row, since.get(row.pk)) for row in rows]


def observable_dict(user: User, observable: Observable) -> dict[str, Any]:
    """The same for one."""
    return observable_dicts(user, [observable])[0]


def _observable(observable: Observable, since: datetime | None) -> dict[str, Any]:
    return {
        "id": observable.pk,
        "url": f"{settings.SOAR_URL}/observables/{observable.pk}/",
        "type": observable.type,
        "value": observable.value,
        "risk": _RISK[observable.risk],
        "rating": observable.rating,
        "rated_at": iso(observable.rated_at),
        "created_at": iso(since),
    }
