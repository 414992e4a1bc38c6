"""Grafana Alerting's webhook: Alertmanager's shape with links and values of its own; and that of Grafana before 9."""

from __future__ import annotations

from typing import Any

from cases.ingest.flat import Flat, objects, string
from cases.ingest.normal import NormalAlert
from cases.ingest.sources import alertmanager

LINKS = ("generatorurl", "panelurl", "dashboardurl", "annotations.runbookurl", "ruleurl")
OLD_STATES = {"ok": "resolved", "alerting": "firing"}


def split(document: dict[str, Any]) -> list[dict[str, Any]]:
    """One item per alert, with the facts of its group beside; the old webhook tells of one alert."""
    return alertmanager.split(document)


def normalise(item: dict[str, Any]) -> NormalAlert:
    """A NormalAlert of one alert of a group, or of the old webhook."""
    alert = alertmanager.normalise(_modern(item) if "ruleName" in item or "evalMatches" in item else item)
    if not alert.external_link:
        link = Flat(item).text(*LINKS)
        alert.external_link = link if link.startswith(("https://", "http://")) else ""
    return alert


def _modern(item: dict[str, Any]) -> dict[str, Any]:
    """The webhook of old as an alert of today; it has no start, so one rule is one alert that opens again."""
    tags = item.get("tags")
    for match in objects(item.get("evalMatches"))[:1]:
        inner = match.get("tags")
        tags = {**(inner if isinstance(inner, dict) else {}), **(tags if isinstance(tags, dict) else {})}
    state = string(item.get("state"))
    name = string(item.get("ruleName")) or string(item.get("title"))
    return {
        **item,
        "status": OLD_STATES.get(state.lower(), state),
        "labels": {**(tags if isinstance(tags, dict) else {}), "alertname": name},
        "annotations": {"summary": string(item.get("title")) or name, "description": string(item.get("message"))},
        "generatorURL": string(item.get("ruleUrl")),
        "fingerprint": f"{string(item.get('orgId'))}:{string(item.get('ruleId'))}" if item.get("ruleId") else "",
    }
