"""Microsoft Defender: alerts of Defender for Endpoint, incidents of the XDR API, alerts and incidents of Graph.

An incident stays one alert, however many alerts are in it: what they name is gathered in one place. Lists
(``{"value": [...]}``) are pages of several.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

from cases.ingest.flat import Flat, objects, string
from cases.ingest.gather import NOISE, Gather
from cases.ingest.normal import NormalAlert
from cases.ingest.severity import mixed_scale, severity_of
from cases.ingest.sources import generic
from cases.ingest.sources.concerned import Concerned
from cases.ingest.sources.defender_evidence import read_evidence
from cases.ingest.text import words
from cases.ingest.verdicts import is_closed, verdict_of
from cases.ingest.when import parse_time

PORTAL = "https://security.microsoft.com"
PLAIN_ID = re.compile(r"[\w.-]{1,100}", re.ASCII)
CREATED = ("alertCreationTime", "createdDateTime", "createdTime", "creationTime")
FIRST = ("firstEventTime", "firstActivityDateTime", "firstActivity")
LAST = ("lastEventTime", "lastActivityDateTime", "lastActivity")
LINKS = ("alertWebUrl", "incidentWebUrl", "incidentUri", "alertUrl")
MOST_ALERTS = 200
SKIP = NOISE | frozenset(
    words(
        "id incidentid alertid title incidentname displayname severity status classification determination comments"
        " assignedto tenantid aadtenantid machineid detectorid providerid provideralertid recommendedactions evidence"
        " entities devices detectionsource servicesource productname category investigationstate rbacgroupname"
        " lastupdatetime lastupdateddatetime resolvedtime relateduser loggedonusers mitretechniques category"
        " incidenturi customtags systemtags tags actorname threatname threatfamilyname"
    )
)


def split(document: dict[str, Any]) -> list[dict[str, Any]]:
    """The members of a page of a list; anything else, an incident too, is one."""
    page = document.get("value")
    if isinstance(page, list) and "id" not in document and "incidentId" not in document:
        return [one if isinstance(one, dict) else {"message": one} for one in page]
    return [document]


def normalise(item: dict[str, Any]) -> NormalAlert:
    """A NormalAlert of one alert or incident."""
    gather = Gather()
    seen = Concerned(gather)
    alerts = objects(item.get("alerts"))[:MOST_ALERTS]
    alert = NormalAlert(title=_title(item, alerts))
    alert.source_ref = alert.dedup_key = _identity(item)
    alert.detection_model = next((title for one in alerts if (title := string(one.get("title")))), "") or alert.title
    alert.description = _description(item, alerts)
    alert.severity = _severity(item, alert.notes)
    alert.occurred_at = _first(item, CREATED) or _edge(alerts, CREATED, min)
    alert.first_seen = _first(item, FIRST) or _edge(alerts, FIRST, min)
    alert.last_seen = _first(item, LAST) or _edge(alerts, LAST, max)
    alert.external_link = _link(item)
    alert.tags = _tags(item, alerts)
    _state(alert, item)
    for one in (item, *alerts):
        gather.technique(one.get("mitreTechniques"))
        read_evidence(one, seen)
    seen.put(alert)
    gather.link(alert.external_link)
    gather.text(alert.description)
    gather.payload(item, SKIP | {"description", "alerts"})
    return generic.complete(alert, gather)


def _title(item: dict[str, Any], alerts: list[dict[str, Any]]) -> str:
    named = [item.get(key) for key in ("title", "incidentName", "displayName")] + [one.get("title") for one in alerts]
    title = next((text for value in named if (text := string(value))), "")
    return title or generic.title_of(Flat(item), [])


def _identity(item: dict[str, Any]) -> str:
    """An alert's own id before that of the incident it belongs to."""
    return next((text for key in ("id", "alertId", "incidentId") if (text := string(item.get(key)))), "")


def _description(item: dict[str, Any], alerts: list[dict[str, Any]]) -> str:
    """Its own; without one, what its alerts say, each once."""
    own = string(item.get("description"))
    said = [f"{string(one.get('title'))}: {string(one.get('description'))}" for one in alerts if one.get("description")]
    return own or "\n\n".join(dict.fromkeys(said))


def _severity(item: dict[str, Any], notes: list[str]) -> str | None:
    value = item.get("severity")
    if isinstance(value, str) and value.lower() in {"unknown", "unspecified", "unknownfuturevalue"}:
        return None
    return severity_of(value, notes, mixed_scale)


def _first(item: dict[str, Any], names: tuple[str, ...]) -> datetime | None:
    return next((moment for name in names if (moment := parse_time(item.get(name)))), None)


def _edge(alerts: list[dict[str, Any]], names: tuple[str, ...], pick: Any) -> datetime | None:
    moments = [moment for one in alerts if (moment := _first(one, names))]
    return pick(moments) if moments else None


def _link(item: dict[str, Any]) -> str:
    """The address in the portal: as given, else made of the id, as the portal makes it."""
    given = next((text for key in LINKS if (text := string(item.get(key)))), "")
    tenant = string(item.get("aadTenantId")) or string(item.get("tenantId"))
    suffix = f"?tid={tenant}" if tenant else ""
    if given:
        return given
    place = "incidents" if "incidentName" in item else "alerts" if "alertCreationTime" in item else ""
    identity = _identity(item)
    return f"{PORTAL}/{place}/{identity}{suffix}" if place and PLAIN_ID.fullmatch(identity) else ""


def _state(alert: NormalAlert, item: dict[str, Any]) -> None:
    """State and verdict; an incident that went into another one says so."""
    alert.source_state = string(item.get("status"))
    alert.determination = verdict_of(item.get("classification"))
    alert.closed = bool(alert.determination) and is_closed(alert.source_state)
    if other := string(item.get("redirectIncidentId")):
        alert.notes.append(f"at its source this incident went into incident {other}")


def _tags(item: dict[str, Any], alerts: list[dict[str, Any]]) -> list[str]:
    """The people's tags, the product's, and the categories (tactics) and families of threat."""
    lists = [item.get(key) for key in ("tags", "customTags", "systemTags")]
    given = [string(tag) for one in lists if isinstance(one, list) for tag in one]
    told = [string(one.get(key)) for one in (item, *alerts) for key in ("category", "threatFamilyName")]
    return [tag for tag in (*given, *told) if tag]
