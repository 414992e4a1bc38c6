"""Keep's alert events. Keep knows an alert by its fingerprint; ``resolved`` tells the state of one that is there.

Without a fingerprint Keep takes the name; here name, service and labels together, which one alert keeps through its
life while the ids of its events may change.
"""

from __future__ import annotations

from typing import Any

from cases.ingest.flat import Flat, string
from cases.ingest.gather import NOISE, Gather
from cases.ingest.normal import NormalAlert, canonical_key
from cases.ingest.severity import mixed_scale, severity_of
from cases.ingest.sources import generic, known
from cases.ingest.sources.concerned import Concerned
from cases.ingest.text import words
from cases.ingest.when import parse_time

OCCURRED = words("startedat firingstarttime starttime createdat lastreceived timestamp")
PLACE = words("labels.host labels.hostname labels.instance labels.node labels.pod labels.container labels.device")
SERVICE = words("service labels.service")
UNTAGGED = frozenset({"alertname", "severity"})
SKIP = NOISE | frozenset(
    words("name status source environment url imageurl ticketurl assignee lastreceived duplicatereason")
)


def normalise(item: dict[str, Any]) -> NormalAlert:
    """A NormalAlert of one event of ``POST /alerts/event``."""
    flat = Flat(item)
    gather = Gather()
    seen = Concerned(gather)
    alert = NormalAlert(title=flat.text("name", "message") or generic.title_of(flat, []))
    alert.source_ref = flat.text("id", "fingerprint")
    alert.dedup_key = flat.text("fingerprint") or flat.text("id") or _named_key(item)
    alert.detection_model = flat.text("labels.alertname", "rulename", "name")
    alert.description = _description(flat, alert.title)
    alert.severity = severity_of(flat.first("severity", "labels.severity"), alert.notes, mixed_scale)
    alert.occurred_at = alert.first_seen = parse_time(flat.first(*OCCURRED), alert.notes)
    alert.last_seen = parse_time(flat.first("lastreceived"))
    alert.source_state = flat.text("status")
    alert.only_state = alert.source_state.lower() == "resolved"
    alert.external_link = flat.text("url", "generatorurl")
    alert.tags = _tags(item, flat)
    _who_and_where(seen, flat)
    gather.technique(*(flat.fields[name] for name in known.TECHNIQUES if name in flat.fields))
    seen.put(alert)
    gather.link(alert.external_link)
    generic.named(Flat({key: value for key, value in item.items() if key != "url"}), gather)
    gather.payload(item, SKIP)
    return generic.complete(alert, gather)


def _named_key(item: dict[str, Any]) -> str:
    name = string(item.get("name"))
    return canonical_key([name, item.get("service"), item.get("labels")]) if name else ""


def _description(flat: Flat, title: str) -> str:
    parts = [flat.text(name) for name in ("description", "message")]
    return "\n\n".join(part for part in dict.fromkeys(parts) if part and part != title)


def _tags(item: dict[str, Any], flat: Flat) -> list[str]:
    """Labels, the environment and the service as pairs, then the event's own tags."""
    labels = item.get("labels")
    pairs = list(labels.items()) if isinstance(labels, dict) else []
    pairs += [(name, flat.text(name)) for name in ("environment", "service")]
    told = [f"{key}:{string(value)}" for key, value in pairs if string(value) and key not in UNTAGGED]
    return [*told, *generic.tags(Flat({"tags": item.get("tags")}))]


def _who_and_where(seen: Concerned, flat: Flat) -> None:
    """The host by its own name, else the thing that the labels name, else the service."""
    name = generic.host_name(flat) or flat.text(*PLACE) or flat.text(*SERVICE)
    seen.host(name, flat.text("host.os.name", "os"), generic.own_addresses(flat))
    seen.account(flat.text(*known.USER, "labels.user", "labels.username"))
    seen.address(generic.address(flat, seen.gather, "source_ip", SOURCE_IP), True)
    generic.address(flat, seen.gather, "destination_ip", known.DEST_IP)


SOURCE_IP = (*(name for name in known.SOURCE_IP if name != "source"), "labels.sourceip", "labels.srcip", "labels.ip")
