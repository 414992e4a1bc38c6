"""SentinelOne: threats, and alerts of custom (STAR) rules, one or a page of them.

Threats have no severity; how sure the product is stands for it.
"""

from __future__ import annotations

from typing import Any

from cases.ingest.flat import Flat, objects, string
from cases.ingest.gather import NOISE, Gather
from cases.ingest.normal import NormalAlert
from cases.ingest.severity import HIGH, MEDIUM, mixed_scale, severity_of
from cases.ingest.sources import generic
from cases.ingest.sources.concerned import Concerned, file_of
from cases.ingest.text import words
from cases.ingest.verdicts import is_closed, verdict_of
from cases.ingest.when import parse_time

CONFIDENCE = {"malicious": HIGH, "suspicious": MEDIUM}
THREAT, RULE, ALERT = "threatinfo.", "ruleinfo.", "alertinfo."
ENGINE = ("threatinfo.detectionengines.title", "threatinfo.engines")
HOST = words(
    "agentrealtimeinfo.agentcomputername agentrealtimeinfo.name agentdetectioninfo.name agentcomputername computername"
)
USER = words(
    "threatinfo.processuser sourceprocessinfo.user agentdetectioninfo.agentlastloggedinusername"
    " agentdetectioninfo.agentlastloggedinupn username"
)
OWN_IP = words(
    "agentdetectioninfo.agentipv4 agentdetectioninfo.agentipv6 agentrealtimeinfo.networkinterfaces.inet"
    " agentrealtimeinfo.networkinterfaces.inet6"
)
SYSTEM = words("agentrealtimeinfo.agentosname agentrealtimeinfo.osname agentdetectioninfo.agentosname")
IDENTITY = words("threatinfo.threatid id alertinfo.alertid threatid")
LINKS = words("threatinfo.threaturl threaturl consoleurl link url")
# Where the digests of a threat's file, of a rule's source process and of its target file stand.
FILES = (
    (True, "threatinfo.filepath", "threatinfo.md5", "threatinfo.sha1", "threatinfo.sha256"),
    (True, "sourceprocessinfo.filepath", "sourceprocessinfo.filehashmd5", "sourceprocessinfo.filehashsha1",
     "sourceprocessinfo.filehashsha256"),
    (False, "targetprocessinfo.tgtfilepath", "targetprocessinfo.tgtfilehashmd5", "targetprocessinfo.tgtfilehashsha1",
     "targetprocessinfo.tgtfilehashsha256"),
)  # fmt: skip
SKIP = NOISE | frozenset(
    words(
        "agentrealtimeinfo agentdetectioninfo kubernetesinfo containerinfo indicators detectionengines engines"
        " storyline threatname publishername whiteningoptions mitigationstatus collectionid ruleinfo fileextension"
        " fileverificationtype classification classificationsource processuser originatorprocess certificateid filepath"
    )
)


def split(document: dict[str, Any]) -> list[dict[str, Any]]:
    """The threats of a page (``{"data": [...]}``); any other document is one."""
    page = document.get("data")
    if isinstance(page, list) and "threatInfo" not in document:
        return [one if isinstance(one, dict) else {"message": one} for one in page]
    return [document]


def normalise(item: dict[str, Any]) -> NormalAlert:
    """A NormalAlert of one threat or of one alert of a rule."""
    if isinstance(item.get("data"), dict) and "threatInfo" not in item:
        item = item["data"]
    flat = Flat(item)
    gather = Gather()
    seen = Concerned(gather)
    alert = NormalAlert(title=_title(flat))
    alert.source_ref = alert.dedup_key = flat.text(*IDENTITY)
    alert.detection_model = flat.text("ruleinfo.name", *ENGINE, "threatinfo.classification")
    alert.severity = _severity(flat, alert.notes)
    alert.description = _description(item, flat)
    _times(alert, flat)
    alert.external_link = flat.text(*LINKS)
    alert.tags = list(dict.fromkeys(flat.texts("threatinfo.classification", "agentrealtimeinfo.sitename")))
    _state(alert, flat)
    for one in objects(item.get("indicators")):
        for tactic in objects(one.get("tactics")):
            gather.technique(*(string(each.get("name")) for each in objects(tactic.get("techniques"))))
    gather.technique(flat.texts("ruleinfo.mitretechniques", "ruleinfo.techniques"))
    _who_and_where(item, seen, flat)
    _evidence(seen, flat)
    seen.put(alert)
    gather.link(alert.external_link)
    gather.payload(item, SKIP)
    return generic.complete(alert, gather)


def _title(flat: Flat) -> str:
    """``Malware: name of the threat``; a rule's alert is called by its rule."""
    name, kind = flat.text("threatinfo.threatname", "threatname"), flat.text("threatinfo.classification")
    if name:
        return f"{kind}: {name}" if kind else name
    return flat.text("ruleinfo.name") or generic.title_of(flat, [])


def _severity(flat: Flat, notes: list[str]) -> str | None:
    if value := flat.first("ruleinfo.severity", "threatinfo.severity", "severity"):
        return severity_of(value, notes, mixed_scale)
    return CONFIDENCE.get(flat.text("threatinfo.confidencelevel", "confidencelevel").lower())


def _description(item: dict[str, Any], flat: Flat) -> str:
    """What the product saw in the file, or what the rule looks for."""
    seen = [string(one.get("description")) for one in objects(item.get("indicators"))]
    parts = [flat.text("ruleinfo.description"), flat.text("threatinfo.mitigationstatusdescription"), *seen]
    return "\n".join(part for part in dict.fromkeys(parts) if part)


def _times(alert: NormalAlert, flat: Flat) -> None:
    alert.occurred_at = parse_time(flat.first("threatinfo.createdat", "alertinfo.createdat", "createdat"), alert.notes)
    alert.first_seen = parse_time(flat.first("threatinfo.identifiedat", "alertinfo.reportedat", "alertinfo.createdat"))
    alert.last_seen = alert.first_seen


def _state(alert: NormalAlert, flat: Flat) -> None:
    alert.source_state = flat.text("threatinfo.incidentstatus", "alertinfo.incidentstatus")
    verdict = flat.text("threatinfo.analystverdict", "alertinfo.analystverdict")
    alert.determination = verdict_of(verdict)
    alert.closed = bool(alert.determination) and is_closed(alert.source_state)


def _who_and_where(item: dict[str, Any], seen: Concerned, flat: Flat) -> None:
    host = flat.text(*HOST)
    kind = flat.text("agentrealtimeinfo.agentmachinetype", "agentdetectioninfo.machinetype") or "endpoint"
    guid = flat.text("agentrealtimeinfo.agentid", "agentdetectioninfo.uuid", "agentrealtimeinfo.id")
    seen.host(host, flat.text(*SYSTEM), flat.texts(*OWN_IP), guid, kind)
    seen.account(flat.text(*USER))
    realtime = item.get("agentRealtimeInfo")
    for one in objects(realtime.get("networkInterfaces")) if isinstance(realtime, dict) else []:
        seen.gather.add("mac", one.get("physical"), "host_mac")
    seen.gather.add("ip", flat.text("agentdetectioninfo.externalip"), "external_ip")
    command = flat.text("threatinfo.maliciousprocessarguments", "sourceprocessinfo.commandline")
    process = flat.text("threatinfo.originatorprocess", "sourceprocessinfo.name")
    seen.process(command, process, host)
    seen.gather.add("process", process, "process")


def _evidence(seen: Concerned, flat: Flat) -> None:
    for marked, path, *digests in FILES:
        kinds = zip(("md5", "sha1", "sha256"), digests, strict=True)
        hashes = {kind: flat.text(name) for kind, name in kinds}
        file_of(seen.gather, "", flat.text(path), hashes, marked)
    gather = seen.gather
    gather.add("domain", flat.text("alertinfo.dnsrequest"), "dns", True)
    gather.add("ip", flat.text("alertinfo.dstip"), "destination_ip", True)
    seen.address(gather.add("ip", flat.text("alertinfo.srcip"), "source_ip"), True)
    gather.add("registry_key", flat.text("alertinfo.registrykeypath"), "registry", True)
