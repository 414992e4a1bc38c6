"""What a result ticket holds: the profile's settings, what the playbook overrides, the report
(response-playbooks.md 23)."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from typing import Any

from django.conf import settings

from cases.choices import AlertStatus, Determination, IncidentStatus, Severity
from cases.models import Alert, Incident, TicketProfile
from cases.servicenow.templates import render
from soar.connectors.base import ConnectorError
from soar.connectors.servicenow.connector import ServiceNow

SHORT_AT_MOST, DESCRIPTION_AT_MOST = 160, 3900  # characters; ServiceNow's fields take 160 and 4000
LISTED = 20
SYS_ID = re.compile(r"[0-9a-f]{32}")
SUGGESTED = re.compile(r".*\(([^()]+)\)\s*")  # a person as ServiceNow's people are suggested: name (user name)
Values = dict[str, str]


def correlation_of(key: uuid.UUID) -> str:
    """What the ticket of a task is known by. It begins otherwise than that of an incident's ticket, which is synced."""
    return f"soar-result:{key}"


def values_of(
    profile: TicketProfile, params: Mapping[str, Any], words: Mapping[str, str], severity: str, url: str
) -> Values:
    """The ticket's fields by name, without references that must be looked up first. ``words``: what the profile's
    templates may name; ``severity``: our word; ``url``: where the whole report is. Raises ConnectorError for a template
    that names what there is not."""
    short = str(params.get("short_description") or "") or profile.short_description
    try:
        made = {name: render(text, words) for name, text in profile.extra.items()}
        made["short_description"] = " ".join(render(short, words).split())[:SHORT_AT_MOST]
        made["description"] = _description(profile.description, words, url)
    except ValueError as error:
        raise ConnectorError(f"A template of the ticket cannot be used: {error}", permanent=True) from None
    made |= {"caller_id": _value(profile.caller), "category": profile.category, **_urgency(profile, severity)}
    made |= {"assignment_group": _value(profile.assignment_group), "assigned_to": _value(profile.assigned_to)}
    return {name: value for name, value in made.items() if value} | {"correlation_display": "Soar"}


def overridden(connector: ServiceNow, profile: TicketProfile, params: Mapping[str, Any]) -> Values:
    """The sys_ids of the group and the person whom the playbook names instead of the profile's. Asks ServiceNow where
    only their names are known. Raises ConnectorError if there is no such one."""
    finds = {
        "assignment_group": (profile.assignment_group, connector.group, "group"),
        "assigned_to": (profile.assigned_to, connector.user, "user"),
    }
    found = {}
    for name, (own, find, what) in finds.items():
        wanted = str(params.get(name) or "").strip()
        if not wanted or wanted in (own.get("label"), own.get("value")):
            continue
        login = SUGGESTED.fullmatch(wanted) if what == "user" else None
        choice = None if SYS_ID.fullmatch(wanted) else find(login[1] if login else wanted)
        if choice is None and not SYS_ID.fullmatch(wanted):
            raise ConnectorError(f"ServiceNow has no active {what} {wanted:.100}, or several.", permanent=True)
        found[name] = choice.value if choice else wanted
    return found


def words_of(alert: Alert | None, incident: Incident | None, report: str) -> dict[str, str]:
    """What the templates may name: of the incident if there is one, else of the alert; ``summary`` is the report."""
    words = {"summary": report, "observables": _observables(alert)}
    if incident is not None:
        lead = incident.owner_rows.filter(lead=True).select_related("user").first()
        return words | {
            "number": incident.number,
            "title": incident.title,
            "severity": Severity(incident.severity).label,
            "status": IncidentStatus(incident.status).label,
            "determination": Determination(incident.determination).label,
            "owner": lead.user.display_name() if lead else "",
            "team": incident.team.name if incident.team else "",
            "url": f"{settings.SOAR_URL}/incidents/{incident.number}/",
            "alerts": alert.number if alert else "",
        }
    if alert is None:
        return words
    return words | {
        "number": alert.number,
        "title": alert.title,
        "severity": Severity(alert.severity).label,
        "status": AlertStatus(alert.status).label,
        "determination": Determination(alert.determination).label,
        "owner": alert.owner.display_name() if alert.owner else "",
        "team": alert.team.name if alert.team else "",
        "url": f"{settings.SOAR_URL}/alerts/{alert.number}/",
        "alerts": alert.number,
    }


def _observables(alert: Alert | None) -> str:
    if alert is None:
        return ""
    links = alert.observable_links.order_by("pk").values_list("observable__type", "observable__value")[:LISTED]
    return "\n".join(f"{type}: {value}" for type, value in links)


def _description(template: str, words: Mapping[str, str], url: str) -> str:
    """The profile's description; the report stands in it whether the profile names it or not."""
    report = words.get("summary", "")
    text = render(template, words)
    if report not in text:
        text = f"{text}\n\n{report}".strip()
    if len(text) <= DESCRIPTION_AT_MOST:
        return text
    more = f"\n… (cut; the whole report: {url})"
    return text[: DESCRIPTION_AT_MOST - len(more)] + more


def _urgency(profile: TicketProfile, severity: str) -> Values:
    impact, _, urgency = str((profile.maps.get("severity") or {}).get(severity, "")).partition(",")
    return {"impact": impact.strip(), "urgency": urgency.strip()} if urgency else {}


def _value(reference: Mapping[str, str]) -> str:
    return str(reference.get("value") or "")
