"""CrowdStrike Falcon: events of the event stream (``metadata`` and ``event``), and the same detections as the alerts
API and workflows spell them.

The scale of ``Severity`` depends on the type of event: 1 to 5 in those of old, 0 to 100 in those of today.
"""

from __future__ import annotations

from typing import Any

from cases.ingest.attack_names import technique_named
from cases.ingest.flat import Flat, objects, string
from cases.ingest.gather import NOISE, Gather
from cases.ingest.normal import NormalAlert
from cases.ingest.severity import CRITICAL, HIGH, INFORMATIONAL, LOW, MEDIUM, WORDS, severity_of
from cases.ingest.sources import generic
from cases.ingest.sources.concerned import Concerned, file_of
from cases.ingest.text import words
from cases.ingest.verdicts import is_closed, verdict_of
from cases.ingest.when import parse_time

WRAPPERS = frozenset({"event", "data", "resource", "detection", "device"})
TITLE = words("displayname detectname name incidentname detectdescription description objective")
IDENTITY = words("compositeid detectid detectionid incidentid aggregateid _id id")
OCCURRED = words("metadata.eventcreationtime createdtimestamp eventcreationtime timestamp contexttimestamp starttime")
FIRST_SEEN = words("starttime incidentstarttime contexttimestamp processstarttime firstbehavior")
LAST_SEEN = words("endtime incidentendtime processendtime lastbehavior mostrecentactivitytimestamp contexttimestamp")
HOST = words("hostname computername sourceendpointhostname endpointhostname targetendpointhostname devicename")
USER = words("username sourceaccountname accountname sourceaccountupn user userid")
DOMAIN = words("logondomain sourceaccountdomain accountdomain domain")
OWN_IP = words("localip localipv6 lastlocalip")
SOURCE_IP = words("sourceendpointipaddress sourceendpointaddressip4 sourceip remoteaddress clientip")
LINK = words("falconhostlink link url")
HASHES = (("sha256", "sha256string sha256"), ("md5", "md5string md5"), ("sha1", "sha1string sha1"))
OF_CHILDREN = (
    ("dnsrequests", "domain", "domainname", "dns"),
    ("networkaccesses", "ip", "remoteaddress", "remote_ip"),
)
SKIP = NOISE | frozenset(
    words(
        "metadata hostgroups name displayname detectname falconhostlink username hostname computername logondomain"
        " patternid aggregateid compositeid detectid agentid customeridstring severityname tactic technique objective"
        " sourcevendors sourceproducts datadomains type machinedomain sourceaccountdomain sourceaccountname"
        " sourceaccountobjectsid cid patterndispositionflags patterndispositiondescription filename filepath"
    )
)


def normalise(item: dict[str, Any]) -> NormalAlert:
    """A NormalAlert of one event or detection."""
    flat = Flat(item, WRAPPERS)
    gather = Gather()
    seen = Concerned(gather)
    kind = flat.text("metadata.eventtype", "eventtype")
    alert = NormalAlert(title=flat.text(*TITLE) or _event_title(flat, kind), source_ref=flat.text(*IDENTITY))
    alert.dedup_key = alert.source_ref or _offset(flat, kind)
    alert.detection_model = flat.text("displayname", "detectname", "name") or kind
    alert.description = flat.text("detectdescription", "description")
    alert.severity = _severity(flat, kind, alert.notes)
    alert.occurred_at = parse_time(flat.first(*OCCURRED), alert.notes)
    moments = [
        [moment for name in names if (moment := parse_time(flat.first(name)))] for names in (FIRST_SEEN, LAST_SEEN)
    ]
    alert.first_seen, alert.last_seen = (found[0] if found else None for found in moments)
    alert.external_link = flat.text(*LINK)
    alert.tags = list(dict.fromkeys(flat.texts("tactic", "technique", "tags")))
    _state(alert, flat)
    _techniques(item, flat, gather)
    _who_and_where(seen, flat)
    _evidence(flat, gather)
    seen.put(alert)
    gather.link(alert.external_link)
    gather.payload(item, SKIP)
    return generic.complete(alert, gather)


def _event_title(flat: Flat, kind: str) -> str:
    """Events without a name are called by their type: ``Incident summary on HOST``."""
    plain = "".join(f" {sign}" if sign.isupper() else sign for sign in kind.removesuffix("Event")).strip()
    host = flat.text(*HOST)
    return f"{plain.capitalize()} on {host}" if plain and host else plain.capitalize() or generic.title_of(flat, [])


def _offset(flat: Flat, kind: str) -> str:
    """An event's place in its customer's stream: the same however often it is delivered."""
    offset = flat.text("metadata.offset")
    return f"{flat.text('metadata.customeridstring')}:{kind}:{offset}" if offset else ""


def _severity(flat: Flat, kind: str, notes: list[str]) -> str | None:
    name = flat.text("severityname").lower()
    if name in WORDS:
        return WORDS[name]
    value = flat.first("severity")
    old = kind in {"DetectionSummaryEvent", "IdpDetectionSummaryEvent", ""}
    return severity_of(value, notes, _mixed if old else _hundred) if value is not None else None


def _mixed(number: float) -> str | None:
    """1 informational to 5 critical; larger numbers can only be of today's scale."""
    steps = (INFORMATIONAL, INFORMATIONAL, LOW, MEDIUM, HIGH, CRITICAL)
    return steps[int(number)] if number <= 5 else _hundred(number)


def _hundred(number: float) -> str | None:
    """0 to 100 in steps of twenty, as the Falcon console names them."""
    steps = (INFORMATIONAL, LOW, MEDIUM, HIGH, CRITICAL)
    return steps[min(int(number) // 20, 4)]


def _state(alert: NormalAlert, flat: Flat) -> None:
    alert.source_state = flat.text("status")
    verdict = flat.text("resolution") or (alert.source_state if "_positive" in alert.source_state.lower() else "")
    alert.determination = verdict_of(verdict)
    alert.closed = bool(alert.determination) and (is_closed(alert.source_state) or verdict == alert.source_state)


def _techniques(item: dict[str, Any], flat: Flat, gather: Gather) -> None:
    """By number where the event has it, else by name."""
    gather.technique(flat.texts("techniqueid", "mitreattack.techniqueid"))
    for key in ("mitreattack", "behaviors"):
        for one in objects(flat.fields.get(key)):
            gather.technique(*(string(one.get(name)) for name in ("TechniqueID", "technique_id")))
    if not gather.techniques:
        gather.technique(*(technique_named(name) for name in flat.texts("technique")))


def _who_and_where(seen: Concerned, flat: Flat) -> None:
    addresses = flat.texts(*OWN_IP)
    sensor = flat.text("agentid", "deviceid", "sensorid", "aid")
    seen.host(flat.text(*HOST), flat.text("osversion", "platformname"), addresses, sensor)
    user, domain = flat.text(*USER), flat.text(*DOMAIN)
    seen.account(user, domain)
    seen.address(generic.address(flat, seen.gather, "source_ip", SOURCE_IP), True)
    seen.gather.add("ip", flat.text("externalip"), "external_ip")
    seen.gather.add("mac", flat.texts("macaddress"), "host_mac")
    for command in ("commandline", "cmdline"):
        seen.process(flat.text(command), flat.text("filename"), flat.text(*HOST))


def _evidence(flat: Flat, gather: Gather) -> None:
    """The file of the detection, what the indicator was (highlighted), and what else the process touched."""
    gather.guess(flat.text("iocvalue"), "ioc", True)
    hashes = {kind: flat.text(*names.split()) for kind, names in HASHES}
    file_of(gather, flat.text("filename"), flat.text("filepath"), hashes)
    for name in ("associatedfile", "parentimagefilepath", "grandparentimagefilepath"):
        gather.add("file_path", flat.text(name), "process")
    for field, kind, name, role in OF_CHILDREN:
        for one in objects(flat.fields.get(field)):
            gather.add(kind, Flat(one).text(name), role)
    for field in ("executableswritten", "quarantinefiles", "documentsaccessed"):
        for one in objects(flat.fields.get(field)):
            each = Flat(one)
            file_of(
                gather,
                each.text("filename", "imagefilename"),
                each.text("filepath"),
                {"sha256": each.text("sha256hashdata")},
            )
