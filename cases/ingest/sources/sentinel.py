"""Microsoft Sentinel's incidents in every spelling (REST with ``properties``, the SDK's snake case, a playbook's
trigger with ``object``, rows of the log tables), and single alerts of its own schema.

All spellings of one incident have the same key: the GUID that is its resource name.
"""

from __future__ import annotations

import json
from typing import Any

from cases.ingest.flat import Flat, objects
from cases.ingest.gather import NOISE, Gather
from cases.ingest.normal import NormalAlert
from cases.ingest.severity import mixed_scale, severity_of
from cases.ingest.sources import generic
from cases.ingest.sources.concerned import Concerned
from cases.ingest.sources.sentinel_entities import read_entities
from cases.ingest.text import words
from cases.ingest.verdicts import is_closed, verdict_of
from cases.ingest.when import parse_time

WRAPPERS = frozenset({"properties", "object", "body", "incident", "data"})
TITLE = words("title alertdisplayname displayname alertname")
IDENTITY = words("name incidentname systemalertid vendororiginalid id")
MODEL = words("alertdisplayname alertname title")
OCCURRED = words("createdtimeutc createdtime timegenerated starttimeutc firstactivitytimeutc")
FIRST_SEEN = words("firstactivitytimeutc firstactivitytime starttimeutc starttime")
LAST_SEEN = words("lastactivitytimeutc lastactivitytime endtimeutc endtime")
TACTICS = words("additionaldata.tactics tactics")
TECHNIQUES = words("additionaldata.techniques additionaldata.subtechniques techniques subtechniques")
ENTITIES = ("relatedEntities", "related_entities", "entities", "Entities")
ALERTS = ("alerts", "Alerts", "relatedAlerts", "related_alerts")
SKIP = NOISE | frozenset(
    words(
        "id name type etag owner relatedanalyticruleids providername providerincidentid incidenturl title systemdata"
        " additionalproperties comments severity status classification classificationcomment classificationreason"
        " productname vendorname workspaceinfo workspaceid firstactivitytimeutc lastactivitytimeutc createdtimeutc"
        " lastmodifiedtimeutc createdby modifiedby sourcesystem tenantid relatedentities entities alerts relatedalerts"
    )
)


def normalise(item: dict[str, Any]) -> NormalAlert:
    """A NormalAlert of one incident or alert."""
    inner = _inner(item)
    flat = Flat(item, WRAPPERS)
    if inner is not item and "title" not in flat.fields:  # more than one envelope around it
        flat.fields = {**flat.fields, **Flat(inner, WRAPPERS).fields}
    gather = Gather()
    seen = Concerned(gather)
    alert = NormalAlert(title=flat.text(*TITLE) or generic.title_of(flat, []))
    alert.source_ref = alert.dedup_key = _identity(flat)
    alert.description = flat.text("description")
    alert.severity = severity_of(flat.first("severity", "alertseverity"), alert.notes, mixed_scale)
    alert.occurred_at = parse_time(flat.first(*OCCURRED), alert.notes)
    alert.first_seen, alert.last_seen = parse_time(flat.first(*FIRST_SEEN)), parse_time(flat.first(*LAST_SEEN))
    alert.external_link = flat.text("incidenturl", "alertlink")
    _state(alert, flat)
    alerts = _alerts(item, inner)
    alert.detection_model = next((name for one in alerts if (name := one.text(*MODEL))), "") or flat.text(*MODEL)
    alert.tags = _tags(inner, flat, alerts)
    for one in (flat, *alerts):
        gather.technique(*(one.fields[name] for name in TECHNIQUES if name in one.fields))
    read_entities(_entities(item, inner), seen)
    for one in alerts:
        read_entities(_parsed(one.fields.get("entities")), seen)
    if not seen.hosts:
        seen.host(flat.text("compromisedentity"))
    seen.put(alert)
    gather.link(alert.external_link)
    gather.payload(item, SKIP)
    return generic.complete(alert, gather)


def _inner(item: dict[str, Any]) -> dict[str, Any]:
    """The incident's own fields, without the envelopes around them."""
    for _ in range(4):
        deeper = next((item[key] for key in WRAPPERS if isinstance(item.get(key), dict)), None)
        if deeper is None:
            return item
        item = deeper
    return item


def _identity(flat: Flat) -> str:
    """The GUID of the incident; of an id that is a whole path, its last part."""
    name = next((text for key in ("object.name", *IDENTITY) if (text := flat.text(key))), "")
    return name.rstrip("/").rpartition("/")[2]


def _state(alert: NormalAlert, flat: Flat) -> None:
    alert.source_state = flat.text("status")
    alert.determination = verdict_of(flat.first("classification")) if flat.text("classification") else None
    alert.closed = bool(alert.determination) and is_closed(alert.source_state)


def _alerts(item: dict[str, Any], inner: dict[str, Any]) -> list[Flat]:
    """The alerts of an incident, where its sender added them."""
    found = [one for part in (inner, item) for key in ALERTS for one in objects(part.get(key))]
    return [Flat(one, WRAPPERS) for one in found[:100]]


def _entities(item: dict[str, Any], inner: dict[str, Any]) -> list[dict[str, Any]]:
    parts = [inner] if inner is item else [inner, item]
    return [one for part in parts for key in ENTITIES for one in _parsed(part.get(key))]


def _parsed(value: Any) -> list[dict[str, Any]]:
    """Entities are a list, or the text of one in rows of the log tables."""
    if isinstance(value, str) and value[:1] == "[":
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return []
    return objects(value)


def _tags(inner: dict[str, Any], flat: Flat, alerts: list[Flat]) -> list[str]:
    """Names of the labels, then tactics."""
    labels = inner.get("labels") if isinstance(inner.get("labels"), list) else inner.get("Labels")
    names = [Flat(one).text("labelname") for one in objects(labels)]
    names += [one for one in labels if isinstance(one, str)] if isinstance(labels, list) else []
    tactics = [text for one in (flat, *alerts) for text in one.texts(*TACTICS)]
    return [*names, *(part.strip() for text in tactics for part in text.split(","))]
