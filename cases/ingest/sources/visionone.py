"""Trend Vision One Workbench alerts, API v3.0 (schema 1.x): one alert, or a page of them.

Its *indicators* are the highlighted objects of ruling 2; its *entities* are the endpoints, accounts,
mailboxes, containers and cloud identities concerned. Both name each other, and those relations are kept with
the entities (``observables``), because an entity takes the risk of the objects that belong to it.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from cases.ingest.flat import objects, string
from cases.ingest.gather import Gather
from cases.ingest.normal import NormalAlert
from cases.ingest.severity import mixed_scale, percent_scale, severity_of
from cases.ingest.sources import generic
from cases.ingest.sources.visionone_messages import messages_of
from cases.ingest.sources.visionone_parts import Entities, Indicators
from cases.ingest.text import as_text
from cases.ingest.verdicts import is_closed, verdict_of
from cases.ingest.when import parse_time


def split(document: dict[str, Any]) -> list[dict[str, Any]]:
    """The alerts of a list page; any other document is one alert."""
    items = document.get("items")
    if isinstance(items, list) and "id" not in document:
        return [item if isinstance(item, dict) else {"message": item} for item in items]
    return [document]


def normalise(item: dict[str, Any]) -> NormalAlert:
    """A NormalAlert of one Workbench alert (of the detection or the threat intelligence kind)."""
    gather = Gather()
    alert = NormalAlert(title=_title(item), source_ref=string(item.get("id")))
    alert.dedup_key = alert.source_ref
    alert.detection_model = string(item.get("model"))
    alert.severity = _severity(item, alert.notes)
    alert.description = _text(item, "description", alert.notes)
    alert.occurred_at = parse_time(item.get("createdDateTime"), alert.notes)
    _event_times(alert, item)
    alert.external_link = string(item.get("workbenchLink")) or string(item.get("reportLink"))
    alert.tags = _tags(item)
    _state(alert, item)
    gather.technique(*(one.get("mitreTechniqueIds") for one in _filters(item)))
    _objects(alert, item, gather)
    return generic.complete(alert, gather)


def _title(item: dict[str, Any]) -> str:
    """The model's name; threat intelligence alerts are named by campaign or report."""
    for key in ("model", "campaign", "reportName", "name"):
        if title := string(item.get(key)):
            return title
    rules = [string(rule.get("name")) for rule in objects(item.get("matchedRules"))]
    story = string(item.get("description"))
    if rules and rules[0]:
        return rules[0]
    if story:
        return story.splitlines()[0]
    known = {key: value for key, value in item.items() if string(value)}
    return generic.fields_title(known or item, "Workbench alert")


def _severity(item: dict[str, Any], notes: list[str]) -> str | None:
    if item.get("severity") not in (None, ""):
        return severity_of(item.get("severity"), notes, mixed_scale)
    return severity_of(item.get("score"), notes, percent_scale)


def _text(item: dict[str, Any], key: str, notes: list[str]) -> str:
    value = item.get(key)
    if isinstance(value, dict | list) and value:
        notes.append(f"the {key} was no text; it is kept as JSON")
    return as_text(value) if value else ""


def _filters(item: dict[str, Any]) -> list[dict[str, Any]]:
    return [one for rule in objects(item.get("matchedRules")) for one in objects(rule.get("matchedFilters"))]


def _event_times(alert: NormalAlert, item: dict[str, Any]) -> None:
    """The earliest and the latest of the matched events; TI indicators carry times of their own."""
    moments: list[datetime] = []
    for one in [*_filters(item), *(event for f in _filters(item) for event in objects(f.get("matchedEvents")))]:
        moments += [moment] if (moment := parse_time(one.get("matchedDateTime"))) else []
    for one in objects(item.get("indicators")):
        for key in ("firstSeenDateTimes", "lastSeenDateTimes"):
            values = one.get(key)
            for value in values if isinstance(values, list) else []:
                moments += [moment] if (moment := parse_time(value)) else []
    if moments:
        alert.first_seen, alert.last_seen = min(moments), max(moments)


def _tags(item: dict[str, Any]) -> list[str]:
    """Names of found malware, the provider's campaign, and the case and incident at the source."""
    found = [
        string(one.get("value"))
        for one in objects(item.get("indicators"))
        if one.get("type") == "detection_name" and string(one.get("value"))
    ]
    return found + [string(item[key]) for key in ("campaign", "incidentId", "caseId") if string(item.get(key))]


def _state(alert: NormalAlert, item: dict[str, Any]) -> None:
    """The state, and the finding as a verdict; before schema 1.12 ``investigationStatus`` carried both."""
    old = string(item.get("investigationStatus"))
    alert.source_state = string(item.get("status")) or old
    alert.determination = verdict_of(item.get("investigationResult")) or verdict_of(old)
    closed = is_closed(string(item.get("status"))) if item.get("status") else is_closed(old) or bool(verdict_of(old))
    alert.closed = bool(alert.determination) and closed


def _objects(alert: NormalAlert, item: dict[str, Any], gather: Gather) -> None:
    """Indicators and entities, and from them the host, account and address that the alert is about."""
    indicators = Indicators(item.get("indicators"), gather)
    scope = item.get("impactScope")
    concerned = scope.get("entities") if isinstance(scope, dict) else None
    entities = Entities(concerned, indicators, gather)
    alert.assets, alert.entities = entities.assets, entities.others
    alert.hostname = entities.main_host or indicators.host
    alert.username = entities.main_account or indicators.account
    alert.source_ip = indicators.source_ip or entities.main_address
    alert.entities += indicators.processes
    alert.entities += messages_of(item.get("indicators"), concerned, indicators.by_id)
    gather.name("hostname", alert.hostname, "host")
    gather.name("user", alert.username, "user")
    gather.text(indicators.free_text, "indicator_text")
    gather.text(alert.description, "text")
