"""Wazuh alerts: as the integrator daemon hands them over, as index hits, and in Shuffle's and active
response's envelopes."""

from __future__ import annotations

from typing import Any

from cases.ingest.flat import Flat, plain
from cases.ingest.gather import NOISE, Gather
from cases.ingest.normal import NormalAlert
from cases.ingest.severity import severity_of, wazuh_scale
from cases.ingest.shapes import as_ip
from cases.ingest.sources import generic
from cases.ingest.text import words
from cases.ingest.when import parse_time

ENVELOPES = (("_source",), ("all_fields",), ("parameters", "alert"), ("alert",))
EVENT = "data.win.eventdata."
USER = (
    "data.dstuser", "data.srcuser", EVENT + "targetusername", EVENT + "user", EVENT + "subjectusername", "data.user",
    "data.audit.auid.name", "data.aws.useridentity.username", "data.office365.userid", "data.username", "data.uid",
    "syscheck.audit.user.name", "syscheck.unameafter",
)  # fmt: skip
SOURCE_IP = (
    "data.srcip", "data.srcip6", EVENT + "ipaddress", EVENT + "sourceip", "data.aws.sourceipaddress",
    "data.office365.clientip", "data.ip", "data.clientip",
)  # fmt: skip
DEST_IP = ("data.dstip", EVENT + "destinationip")
NAMED = (
    ("file_path", "file", "syscheck.path data.virustotal.source.file data.audit.file.name " + EVENT + "targetfilename"),
    ("md5", "hash", "syscheck.md5after data.virustotal.source.md5"),
    ("sha1", "hash", "syscheck.sha1after data.virustotal.source.sha1"),
    ("sha256", "hash", "syscheck.sha256after"),
    ("file_path", "process", f"{EVENT}image {EVENT}newprocessname {EVENT}parentimage data.audit.exe"),
    ("registry_key", "registry", f"{EVENT}targetobject"),
    ("domain", "domain", f"{EVENT}queryname data.hostname data.dns.question.name"),
    ("url", "url", "data.url data.virustotal.permalink"),
    ("cve", "cve", "data.vulnerability.cve"),
    ("user", "user", f"data.srcuser data.dstuser {EVENT}targetusername {EVENT}subjectusername"),
    ("mac", "mac", "data.srcmac data.dstmac"),
)
SKIP = NOISE | frozenset(
    plain(name)
    for name in words(
        "rule manager agent location decoder predecoder input full_log_hash cluster references permalink hashes"
        " providerguid providername system previous_log processguid parentprocessguid logonguid inode_after"
    )
)
NOBODY = frozenset({"-", "(null)", "unset"})


def normalise(item: dict[str, Any]) -> NormalAlert:
    """A NormalAlert of one Wazuh alert, whatever envelope it came in."""
    document = _unwrap(item)
    flat = Flat(document)
    gather = Gather()
    alert = NormalAlert(title=flat.text("rule.description") or _other_title(flat, item))
    alert.severity = severity_of(flat.first("rule.level"), alert.notes, wazuh_scale)
    alert.source_ref = alert.dedup_key = flat.text("id") or (Flat(item).text("_id") if document is not item else "")
    alert.description = flat.text("fulllog", "data.win.system.message", "previousoutput", "data.message")
    alert.occurred_at = parse_time(flat.first("timestamp", "@timestamp"), alert.notes)
    alert.first_seen = alert.last_seen = parse_time(flat.first("data.win.system.systemtime", "data.timestamp"))
    alert.tags = flat.texts("rule.groups")
    alert.techniques = flat.texts("rule.mitre.id", "rule.mitre.ids")
    _who_and_where(alert, flat, gather)
    alert.detection_model = _model(alert, flat)
    for kind, role, names in NAMED:
        gather.add(kind, [text for text in flat.texts(*names.split()) if text not in NOBODY], role)
    _hashes(flat, gather)
    gather.link(alert.external_link)
    gather.payload(document, SKIP)
    techniques, alert.techniques = alert.techniques, []
    gather.technique(techniques)
    return generic.complete(alert, gather)


def _unwrap(item: dict[str, Any]) -> dict[str, Any]:
    for path in ENVELOPES:
        inner: Any = item
        for key in path:
            inner = inner.get(key) if isinstance(inner, dict) else None
        if isinstance(inner, dict) and "rule" in inner:
            return inner
    return item


def _other_title(flat: Flat, item: dict[str, Any]) -> str:
    rule = flat.text("rule.id")
    return flat.text("title", "fulllog") or (f"Wazuh rule {rule}" if rule else generic.title_of(Flat(item), []))


def _model(alert: NormalAlert, flat: Flat) -> str:
    """The rule's description; where it holds words of this very alert, the rule's number instead."""
    rule = flat.text("rule.id")
    own = [alert.username, alert.source_ip, alert.hostname, flat.text("syscheck.path")]
    if rule and any(len(word) > 2 and word in alert.title for word in own):
        return f"Wazuh rule {rule}"
    return flat.text("rule.description") or (f"Wazuh rule {rule}" if rule else "")


def _who_and_where(alert: NormalAlert, flat: Flat, gather: Gather) -> None:
    alert.hostname = flat.text("agent.name", EVENT + "computer", "data.win.system.computer", "predecoder.hostname",
                               "manager.name")  # fmt: skip
    user = next((name for key in USER if (name := flat.text(key)) and name not in NOBODY), "")
    alert.username = user.replace("\\\\", "\\")
    alert.source_ip = generic.address(flat, gather, "source_ip", SOURCE_IP)
    generic.address(flat, gather, "destination_ip", DEST_IP)
    own = as_ip(flat.text("agent.ip"))
    gather.add("ip", own, "host_ip")
    alert.source_ip = alert.source_ip or own
    gather.name("hostname", alert.hostname, "host")
    gather.name("user", alert.username, "user")
    if alert.hostname:
        alert.assets = [
            generic.asset(alert.hostname, flat.text("agent.labels.os", "agent.os.name"), [own] if own else [])
        ]
    if command := flat.text(EVENT + "commandline", "data.audit.command"):
        name = flat.text(EVENT + "image", EVENT + "newprocessname", "data.audit.exe")
        alert.entities.append({"type": "process", "name": name, "command_line": command, "host": alert.hostname})


def _hashes(flat: Flat, gather: Gather) -> None:
    """Sysmon's ``SHA1=...,MD5=...,SHA256=...,IMPHASH=...``; an import hash is no digest of the file."""
    for part in flat.text(EVENT + "hashes").split(","):
        name, _, digest = part.partition("=")
        if name.strip().lower() in {"md5", "sha1", "sha256"}:
            gather.add(name.strip().lower(), digest, "hash")
