"""Elastic Security alerts: 8.x and 9.x (``kibana.alert.*``) and 7.x (``signal.*``), as documents or hits.

One document mixes flat dotted keys with nested objects, and the fields API gives lists for single values;
``Flat`` reads them alike. Bodies that a rule's webhook action composed freely are read as the generic kind.
"""

from __future__ import annotations

from typing import Any

from cases.ingest.flat import Flat, objects, plain, string
from cases.ingest.gather import NOISE, Gather
from cases.ingest.normal import NormalAlert
from cases.ingest.severity import mixed_scale, percent_scale, severity_of
from cases.ingest.sources import generic
from cases.ingest.text import words
from cases.ingest.verdicts import is_closed, verdict_of
from cases.ingest.when import parse_time

RULE = ("kibana.alert.rule.name", "signal.rule.name")
STATE = ("kibana.alert.workflowstatus", "signal.status", "kibana.alert.status")
HOST = ("host.name", "host.hostname", "observer.name", "agent.hostname", "agent.name")
THREAT = ("kibana.alert.rule.threat", "kibana.alert.rule.parameters.threat", "signal.rule.threat", "threat")
# The rule's own definition and the shipper's housekeeping are no evidence.
SKIP = NOISE | frozenset(
    plain(name)
    for name in words(
        "kibana.alert.rule.parameters kibana.alert.rule.references kibana.alert.rule.index kibana.alert.rule.query"
        " kibana.alert.rule.note kibana.alert.rule.false_positives kibana.alert.rule.description kibana.alert.uuid"
        " kibana.alert.rule.uuid kibana.alert.rule.rule_id kibana.alert.rule.execution.uuid kibana.alert.url"
        " kibana.alert.ancestors kibana.alert.group.id kibana.alert.rule.threat kibana.alert.rule.author kibana.version"
        " signal.rule ancestors parents rule parameters agent ecs cloud data_stream log kibana.space_ids event.dataset"
        " event.module event.id dataset module service.name kibana.alert.rule.name kibana.alert.rule.license"
        " kibana.alert.original_event.dataset kibana.alert.original_event.id kibana.alert.instance.id matched"
    )
)
NAME_FIELDS = {"host.name": "hostname", "user.name": "user", "process.name": "process", "file.name": "file_name"}
MATCHED = words(
    "matched.atomic indicator.ip indicator.domain indicator.url.full indicator.file.hash.sha256 indicator.file.hash.md5"
)
NAMED = (
    ("ip", "source_ip", "source.ip client.ip"),
    ("ip", "destination_ip", "destination.ip server.ip"),
    ("ip", "host_ip", "host.ip"),
    ("md5", "hash", "file.hash.md5 process.hash.md5 dll.hash.md5"),
    ("sha1", "hash", "file.hash.sha1 process.hash.sha1 dll.hash.sha1"),
    ("sha256", "hash", "file.hash.sha256 process.hash.sha256 dll.hash.sha256 process.parent.hash.sha256"),
    ("file_name", "file", "file.name dll.name"),
    ("file_path", "file", "file.path dll.path"),
    ("file_path", "process", "process.executable"),
    ("process", "process", "process.name"),
    ("domain", "domain", "dns.question.name url.domain destination.domain tls.client.servername"),
    ("url", "url", "url.full url.original"),
    ("registry_key", "registry", "registry.path registry.key"),
    ("email", "sender", "email.from.address email.sender.address"),
    ("email", "recipient", "email.to.address"),
    ("mac", "host_mac", "host.mac source.mac"),
)


def normalise(item: dict[str, Any]) -> NormalAlert:
    """A NormalAlert of an alert document, a search hit around it, or a webhook's own body."""
    document = item["_source"] if isinstance(item.get("_source"), dict) else item
    if document is item and isinstance(item.get("fields"), dict):
        document = item["fields"]
    flat = Flat(document)
    if not flat.text(*RULE, "kibana.alert.uuid", "kibana.alert.reason"):
        return generic.normalise(item)
    return _read(item, document, flat)


def _read(item: dict[str, Any], document: dict[str, Any], flat: Flat) -> NormalAlert:
    gather = Gather()
    alert = NormalAlert(title=flat.text(*RULE, "kibana.alert.reason", "message") or generic.fields_title(flat.fields))
    alert.detection_model = flat.text(*RULE)
    alert.description = _description(flat)
    alert.severity = _severity(flat, alert.notes)
    alert.source_ref = alert.dedup_key = flat.text("kibana.alert.uuid", "signal.id") or string(item.get("_id"))
    alert.tags = flat.texts("kibana.alert.rule.tags", "signal.rule.tags", "tags")
    alert.external_link = flat.text("kibana.alert.url")
    alert.techniques = techniques(flat)
    _times(alert, flat)
    _state(alert, flat)
    _who_and_where(alert, flat, gather)
    for kind, role, names in NAMED:
        gather.add(kind, flat.texts(*names.split()), role)
    _indicators(flat, gather)
    gather.link(alert.external_link)
    gather.payload(document, SKIP)
    return generic.complete(alert, gather)


def _description(flat: Flat) -> str:
    """The reason (this alert) above the rule's description (what it looks for)."""
    parts = [
        flat.text("kibana.alert.reason", "signal.reason"),
        flat.text(
            "kibana.alert.rule.description", "kibana.alert.rule.parameters.description", "signal.rule.description"
        ),
    ]
    return "\n\n".join(part for part in parts if part)


def _severity(flat: Flat, notes: list[str]) -> str | None:
    words = ("kibana.alert.severity", "kibana.alert.rule.severity", "signal.severity", "signal.rule.severity")
    value = flat.first(*words)
    if value is not None:
        return severity_of(value, notes, mixed_scale)
    return severity_of(flat.first("kibana.alert.riskscore", "signal.rule.riskscore"), notes, percent_scale)


def _times(alert: NormalAlert, flat: Flat) -> None:
    alert.occurred_at = parse_time(flat.first("@timestamp", "kibana.alert.start"), alert.notes)
    alert.first_seen = parse_time(flat.first("kibana.alert.originaltime", "signal.originaltime", "kibana.alert.start"))
    alert.last_seen = (
        parse_time(flat.first("kibana.alert.lastdetected", "kibana.alert.originaltime")) or alert.first_seen
    )


def _state(alert: NormalAlert, flat: Flat) -> None:
    alert.source_state = flat.text(*STATE)
    alert.determination = verdict_of(flat.first("kibana.alert.workflowreason", "signal.reasonclosed"))
    alert.closed = bool(alert.determination) and is_closed(alert.source_state)


def _who_and_where(alert: NormalAlert, flat: Flat, gather: Gather) -> None:
    alert.hostname = flat.text(*HOST)
    user, domain = flat.text("user.name", "user.email", "source.user.name", "user.id"), flat.text("user.domain")
    alert.username = f"{domain}\\{user}" if user and domain and "\\" not in user and "@" not in user else user
    alert.source_ip = next((ip for ip in _ips(flat, gather, "source.ip", "client.ip")), "") or next(
        iter(generic.own_addresses(flat)), ""
    )
    gather.name("hostname", alert.hostname, "host")
    gather.name("user", alert.username, "user")
    if alert.hostname:
        system = " ".join(flat.texts("host.os.name", "host.os.version")) or flat.text("host.os.type")
        alert.assets = [generic.asset(alert.hostname, system, generic.own_addresses(flat), flat.text("host.type"))]
    if command := flat.text("process.commandline"):
        name = flat.text("process.name", "process.executable")
        alert.entities.append({"type": "process", "name": name, "command_line": command, "host": alert.hostname})


def _ips(flat: Flat, gather: Gather, *names: str) -> list[str]:
    return [ip for text in flat.texts(*names) if (ip := gather.add("ip", text, "source_ip"))]


def techniques(flat: Flat) -> list[str]:
    """Techniques and sub-techniques of the rule's threat mapping and of the event's ECS fields."""
    gather = Gather()
    for name in THREAT:
        for threat in objects(flat.fields.get(name)):
            for technique in objects(threat.get("technique")):
                gather.technique(technique.get("id"))
                gather.technique(*(sub.get("id") for sub in objects(technique.get("subtechnique"))))
    gather.technique(flat.texts("threat.technique.id", "threat.technique.subtechnique.id"))
    gather.technique(
        flat.texts("kibana.alert.rule.threat.technique.id", "kibana.alert.rule.threat.technique.subtechnique.id")
    )
    return list(gather.techniques)


def _indicators(flat: Flat, gather: Gather) -> None:
    """What an indicator match rule matched; the source points at these itself."""
    for enrichment in objects(flat.fields.get("threat.enrichments")):
        one = Flat(enrichment)
        kind = NAME_FIELDS.get(one.text("matched.field"), "")
        if kind:
            gather.add(kind, one.text("matched.atomic"), "matched", highlighted=True)
        else:
            gather.guess(one.texts(*MATCHED), "matched", highlighted=True)
