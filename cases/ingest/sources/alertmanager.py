"""Prometheus Alertmanager's webhook, version 4: several alerts a POST, each an item of its own.

``resolved`` never creates an alert: it tells the state of the one with the same fingerprint and start.
"""

from __future__ import annotations

from typing import Any

from cases.ingest.flat import Flat, string
from cases.ingest.gather import NOISE, Gather
from cases.ingest.normal import NormalAlert, canonical_key
from cases.ingest.severity import peer_scale, severity_of
from cases.ingest.shapes import as_ip, as_url
from cases.ingest.sources import generic
from cases.ingest.when import parse_time

GROUP = "groupcontext"  # the key under which an item carries what its POST said of all alerts
SHARED = ("receiver", "externalURL", "groupKey", "groupLabels", "commonLabels", "commonAnnotations", "version")
SEVERITY = ("labels.severity", "labels.level", "labels.priority", "labels.criticality", "annotations.severity")
HOST = ("labels.host", "labels.hostname", "labels.node", "labels.nodename", "labels.instance", "labels.device",
        "labels.target", "labels.pod", "labels.container")  # fmt: skip
UNTAGGED = frozenset({"alertname", "severity", "instance"})
SKIP = NOISE | frozenset({GROUP, "runbookurl", "runbook", "dashboard", "status", "alertname"})


def split(document: dict[str, Any]) -> list[dict[str, Any]]:
    """One item per alert, with the facts of its group beside; a document without alerts is its own item."""
    alerts = document.get("alerts")
    if not isinstance(alerts, list) or not alerts:
        return [document]
    group = {key: document[key] for key in SHARED if key in document}
    return [
        {**alert, GROUP: group} if isinstance(alert, dict) else {"message": alert, GROUP: group} for alert in alerts
    ]


def normalise(item: dict[str, Any]) -> NormalAlert:
    """A NormalAlert of one alert of a group."""
    item = _with_common(item)
    flat = Flat(item)
    gather = Gather()
    alert = NormalAlert(title=_title(flat))
    alert.detection_model = flat.text("labels.alertname")
    alert.severity = severity_of(flat.first(*SEVERITY), alert.notes, peer_scale)
    alert.description = flat.text("annotations.description", "annotations.message", "annotations.summary")
    alert.occurred_at = alert.first_seen = parse_time(flat.first("startsat"), alert.notes)
    alert.source_state = flat.text("status", "status.state").replace("active", "firing")
    alert.only_state = alert.source_state == "resolved"
    alert.last_seen = parse_time(flat.first("endsat")) if alert.only_state else parse_time(flat.first("updatedat"))
    alert.external_link = flat.text("generatorurl", "annotations.runbookurl").replace("\\u0026", "&")
    alert.source_ref = flat.text("fingerprint")
    alert.dedup_key = _key(alert.source_ref, flat, item)
    alert.tags = _tags(item)
    _who_and_where(alert, flat, gather)
    gather.link(alert.external_link)
    gather.payload(item, SKIP)
    return generic.complete(alert, gather)


def _with_common(item: dict[str, Any]) -> dict[str, Any]:
    """Labels and annotations of the group fill in where the alert has none of its own."""
    group = item.get(GROUP)
    out = dict(item)
    for name, common in (("labels", "commonLabels"), ("annotations", "commonAnnotations")):
        shared = group.get(common) if isinstance(group, dict) else None
        own = item.get(name)
        if isinstance(shared, dict):
            out[name] = {**shared, **(own if isinstance(own, dict) else {})}
    return out


def _title(flat: Flat) -> str:
    """The summary, else the alert's name with where it fired."""
    title = flat.text("annotations.summary", "annotations.title", "annotations.message")
    name, place = flat.text("labels.alertname"), flat.text(*HOST)
    return title or (f"{name} on {place}" if name and place else name) or generic.title_of(flat, [])


def _key(fingerprint: str, flat: Flat, item: dict[str, Any]) -> str:
    """Fingerprint (of the labels) and start: a later firing is another alert, its resolution the same one."""
    labels = item.get("labels")
    identity = fingerprint or (canonical_key(labels) if isinstance(labels, dict) and labels else "")
    start = flat.text("startsat")
    return f"{identity}:{start}" if identity and start else identity


def _tags(item: dict[str, Any]) -> list[str]:
    labels = item.get("labels")
    pairs = labels.items() if isinstance(labels, dict) else []
    return [f"{key}:{string(value)}" for key, value in pairs if string(value) and key not in UNTAGGED]


def _who_and_where(alert: NormalAlert, flat: Flat, gather: Gather) -> None:
    place = flat.text(*HOST)
    host = _host_of(place)
    if as_url(place):
        gather.add("url", place, "instance")
    address = as_ip(host)
    if address:
        alert.source_ip = gather.add("ip", address, "instance")
    alert.hostname = host
    alert.username = flat.text("labels.user", "labels.username", "labels.account")
    if not address:
        gather.name("hostname", host, "host")
    gather.name("user", alert.username, "user")
    if host:
        alert.assets = [generic.asset(host, "", [address] if address else [])]


def _host_of(place: str) -> str:
    """The host in ``https://server:9090/metrics``, ``server:9100`` or ``[2001:db8::1]:9100``."""
    rest = place.partition("://")[2] or place
    rest = rest.split("/")[0].rpartition("@")[2]
    if rest.startswith("["):
        return rest[1:].partition("]")[0]
    head, _, port = rest.rpartition(":")
    return head if head and port.isdecimal() and ":" not in head else rest
