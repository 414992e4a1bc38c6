"""What reading costs for each kind of source: the same facts, the same four observables and the same number of bytes in
every product's own shape, measured in the CPU time of one process, in turns with the generic kind."""

from __future__ import annotations

import json
import os
import statistics
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

from benchmarks.report import Row

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "soar.settings")
SIZE = 2_600  # bytes of every document
ROUNDS, EACH = 15, 150
PAD = "The process was started by an interactive session and matched the rule of the week. "
AT = "2026-01-01T09:00:00Z"
Document = dict[str, Any]


class Facts:
    """What one alert says, whatever the product."""

    def __init__(self, number: int, text: str) -> None:
        self.number, self.text = number, text
        self.ip = f"203.0.{number // 250 % 250}.{number % 250 + 1}"
        self.url = f"https://host{number}.bench-site.com/login"
        self.digest = f"{number:x}".rjust(8, "a") + "0123456789abcdef" * 3 + "01234567"
        self.mail = f"user{number}@bench-mail.com"
        self.host, self.user = f"LT-{number:06}", f"user{number}"
        self.title = f"Suspicious process number {number}"


def generic(f: Facts) -> Document:
    return {
        "id": f"b-{f.number}", "title": f.title, "severity": "high", "rule": "Suspicious process", "timestamp": AT,
        "description": f.text, "hostname": f.host, "username": f.user, "technique": "T1059", "source_ip": f.ip,
        "url": f.url, "sha256": f.digest, "sender": f.mail, "tags": ["bench"],
    }  # fmt: skip


def opensoar(f: Facts) -> Document:
    return {**generic(f), "rule": {"name": f.title}, "partner": "bench"}


def thehive(f: Facts) -> Document:
    pairs = (("ip", f.ip), ("url", f.url), ("hash", f.digest), ("mail", f.mail))
    return {
        "type": "edr", "source": "bench", "sourceRef": f"b-{f.number}", "title": f.title, "description": f.text,
        "severity": 3, "date": 1767258000000, "tags": ["bench"], "tlp": 2,
        "customFields": {"hostname": f.host, "username": f.user}, "procedures": [{"patternId": "T1059"}],
        "observables": [{"dataType": kind, "data": value, "tags": [], "ioc": False} for kind, value in pairs],
    }  # fmt: skip


def iris(f: Facts) -> Document:
    values = (f.ip, f.url, f.digest, f.mail)
    return {
        "alert_title": f.title, "alert_description": f.text, "alert_source": "bench",
        "alert_source_ref": f"b-{f.number}",
        "alert_severity_id": 5, "alert_status_id": 2, "alert_source_event_time": AT, "alert_tags": "bench",
        "alert_customer_id": 1, "alert_context": {"rule_name": "Suspicious process", "technique": "T1059"},
        "alert_iocs": [{"ioc_value": one, "ioc_type_id": 76, "ioc_tlp_id": 2, "ioc_tags": "x"} for one in values],
        "alert_assets": [{"asset_name": f.host, "asset_type_id": 9}, {"asset_name": f.user, "asset_type_id": 1}],
    }  # fmt: skip


def keep(f: Facts) -> Document:
    return {
        "id": f"b-{f.number}", "fingerprint": f"b-{f.number}", "name": f.title, "status": "firing", "severity": "high",
        "lastReceived": AT, "environment": "production", "service": "bench", "source": ["edr"], "description": f.text,
        "labels": {"host": f.host, "user": f.user, "source_ip": f.ip, "technique": "T1059"}, "request_url": f.url,
        "sha256": f.digest, "sender": f.mail,
    }  # fmt: skip


def elastic(f: Facts) -> Document:
    return {
        "kibana.alert.rule.name": f.title, "kibana.alert.severity": "high", "kibana.alert.uuid": f"b-{f.number}",
        "kibana.alert.rule.description": f.text, "@timestamp": AT, "host": {"name": f.host}, "user": {"name": f.user},
        "kibana.alert.rule.threat": [{"technique": [{"id": "T1059", "name": "x"}]}], "source": {"ip": f.ip},
        "url": {"full": f.url}, "file": {"hash": {"sha256": f.digest}}, "email": {"from": {"address": f.mail}},
        "kibana.alert.workflow_status": "open", "kibana.alert.risk_score": 73,
    }  # fmt: skip


def splunk(f: Facts) -> Document:
    row = {
        "event_id": f"b-{f.number}", "urgency": "high", "_time": "1767258000", "dest": f.host, "src": f.ip,
        "user": f.user, "mitre_technique_id": "T1059", "url": f.url, "file_hash": f.digest,
        "sender": f.mail, "description": f.text,
    }  # fmt: skip
    return {"sid": f"s-{f.number}", "search_name": f.title, "app": "search", "owner": "bench", "result": row}


def sentinel(f: Facts) -> Document:
    entities = (
        ("Account", {"accountName": f.user}), ("Host", {"hostName": f.host}), ("Ip", {"address": f.ip}),
        ("Url", {"url": f.url}), ("FileHash", {"algorithm": "SHA256", "hashValue": f.digest}),
        ("MailMessage", {"sender": f.mail}),
    )  # fmt: skip
    return {
        "id": f"/subscriptions/b/incidents/b-{f.number}", "name": f"b-{f.number}", "type": "Incidents", "properties": {
            "title": f.title, "description": f.text, "severity": "High", "status": "New", "createdTimeUtc": AT,
            "labels": [], "additionalData": {"tactics": ["Execution"], "techniques": ["T1059"]},
            "relatedEntities": [{"kind": kind, "properties": facts} for kind, facts in entities],
        },
    }  # fmt: skip


def defender(f: Facts) -> Document:
    entities = [
        {"entityType": "Ip", "ipAddress": f.ip}, {"entityType": "Url", "url": f.url},
        {"entityType": "File", "sha256": f.digest}, {"entityType": "MailMessage", "sender": f.mail},
        {"entityType": "User", "accountName": f.user},
    ]  # fmt: skip
    alert = {
        "alertId": f"a-{f.number}", "creationTime": AT, "title": f.title, "description": f.text, "severity": "High",
        "category": "Execution", "mitreTechniques": ["T1059"], "devices": [{"deviceDnsName": f.host}],
        "entities": entities,
    }  # fmt: skip
    return {"incidentId": f.number, "incidentName": f.title, "createdTime": AT, "status": "Active", "severity": "High",
            "alerts": [alert]}  # fmt: skip


def crowdstrike(f: Facts) -> Document:
    event = {
        "Hostname": f.host, "UserName": f.user, "Name": f.title, "Description": f.text, "Severity": 70,
        "SeverityName": "High", "SHA256String": f.digest, "CompositeId": f"b-{f.number}", "Tactic": "Execution",
        "Technique": "Command and Scripting Interpreter", "CommandLine": f"curl {f.url} --user {f.mail}",
        "NetworkAccesses": [{"RemoteAddress": f.ip, "RemotePort": 443}], "FileName": "curl.exe",
    }  # fmt: skip
    head = {"customerIDString": "b", "offset": f.number, "eventType": "EppDetectionSummaryEvent"}
    return {"metadata": {**head, "eventCreationTime": 1767258000000}, "event": event}


def sentinelone(f: Facts) -> Document:
    return {
        "id": f"b-{f.number}",
        "agentRealtimeInfo": {"agentComputerName": f.host, "agentOsName": "Windows 11"},
        "agentDetectionInfo": {"agentIpV4": f.ip, "agentLastLoggedInUserName": f.user},
        "indicators": [{"description": f.text, "tactics": [{"name": "x", "techniques": [{"name": "T1059"}]}]}],
        "threatInfo": {
            "threatId": f"b-{f.number}", "threatName": f.title, "classification": "Malware", "sha256": f.digest,
            "confidenceLevel": "malicious", "createdAt": AT, "identifiedAt": AT, "incidentStatus": "unresolved",
            "maliciousProcessArguments": f"{f.url} {f.mail}", "processUser": f.user,
        },
    }  # fmt: skip


def wazuh(f: Facts) -> Document:
    return {
        "timestamp": "2026-01-01T09:00:00.000+0000", "id": f"b-{f.number}", "full_log": f.text,
        "rule": {"level": 12, "id": "5712", "description": f.title, "groups": ["x"], "mitre": {"id": ["T1059"]}},
        "agent": {"id": "001", "name": f.host}, "manager": {"name": "m"},
        "data": {"srcip": f.ip, "srcuser": f.user, "url": f.url, "mail": f.mail},
        "syscheck": {"sha256_after": f.digest},
    }  # fmt: skip


def visionone(f: Facts) -> Document:
    pairs = (("ip", f.ip), ("url", f.url), ("file_sha256", f.digest), ("email_sender", f.mail))
    entities = (("host", {"name": f.host, "guid": "g", "ips": []}), ("account", f.user))
    return {
        "id": f"b-{f.number}", "model": f.title, "severity": "high", "createdDateTime": AT, "description": f.text,
        "status": "Open", "score": 63, "matchedRules": [{"matchedFilters": [{"mitreTechniqueIds": ["T1059"]}]}],
        "impactScope": {"entities": [
            {"entityType": kind, "entityValue": value, "entityId": str(n), "provenance": ["Alert"]}
            for n, (kind, value) in enumerate(entities)]},
        "indicators": [{"id": n, "type": kind, "field": "f", "value": value, "provenance": ["Alert"]}
                       for n, (kind, value) in enumerate(pairs)],
    }  # fmt: skip


def alertmanager(f: Facts) -> Document:
    labels = {"alertname": f.title, "severity": "high", "instance": f.host, "user": f.user, "technique": "T1059"}
    notes = {"description": f.text, "details": f"{f.ip} {f.url} {f.digest} {f.mail}"}
    return {"version": "4", "alerts": [{"status": "firing", "labels": labels, "annotations": notes, "startsAt": AT,
                                       "endsAt": "0001-01-01T00:00:00Z", "fingerprint": f"b-{f.number}"}]}  # fmt: skip


def grafana(f: Facts) -> Document:
    made = alertmanager(f)
    made["alerts"][0] |= {"silenceURL": "", "dashboardURL": "", "panelURL": "", "valueString": "[ value=1 ]"}
    return {**made, "title": f.title, "orgId": 1, "externalURL": ""}


def xsoar(f: Facts) -> Document:
    return {"name": f.title, "type": "Malware", "occurred": AT, "severity": 3, "rawJson": generic(f)}


SHAPES: dict[str, Callable[[Facts], Document]] = {
    shape.__name__: shape
    for shape in (
        generic, thehive, iris, opensoar, keep, elastic, splunk, sentinel, defender, crowdstrike, sentinelone, wazuh,
        visionone, alertmanager, grafana, xsoar,
    )
}  # fmt: skip


def bodies(kind: str, first: int, number: int) -> list[bytes]:
    """Deliveries of a kind, all of SIZE bytes: the description fills what the product's names leave."""
    made = []
    for n in range(first, first + number):
        bare = len(json.dumps(SHAPES[kind](Facts(n, ""))))
        text = (PAD * (SIZE // len(PAD) + 1))[: SIZE - bare]
        made.append(json.dumps(SHAPES[kind](Facts(n, text))).encode())
    return made


def reader(kind: str) -> Callable[[bytes], list[Any]]:
    """From a body to the rows that would be stored, as the pipeline does it."""
    import django

    django.setup()
    from cases.ingest.prepare import Rules, prepare
    from cases.ingest.reading import part, read
    from cases.ingest.registry import KINDS

    rules = Rules(1, "bench", kind, None, 2, "amber", [], [], "auto", False, 3)
    now, spec = datetime.now(UTC), KINDS[kind]

    def run(body: bytes) -> list[Any]:
        items = []
        for item in read(body)[0]:
            several = spec.multiple and spec.is_list(item.value)
            items += [part(value) for value in spec.split(item.value)] if several else [item]
        return [prepare(item.value, item.text, spec, rules, now) for item in items]

    return run


def observables(kind: str) -> int:
    """How many observables the measured documents give, the host's and the user's names aside."""
    (row,) = reader(kind)(bodies(kind, 1, 1)[0])
    return sum(one.type not in {"hostname", "user", "technique", "file_name", "domain"} for one in row.observables)


def measure(kind: str) -> tuple[float, float]:
    """CPU seconds for one document of the generic kind and of ``kind``, in turns; the middle of all turns."""
    runs = {name: reader(name) for name in ("generic", kind)}
    times: dict[str, list[float]] = {"generic": [], kind: []}
    for turn in range(ROUNDS):
        for name, run in runs.items():
            made = bodies(name, turn * EACH, EACH)
            start = time.process_time()
            for body in made:
                run(body)
            times[name].append((time.process_time() - start) / EACH)
    return statistics.median(times["generic"]), statistics.median(times[kind])


def main() -> Iterator[Row]:
    """Every kind's rate of reading beside the generic kind's."""
    for kind in SHAPES:
        if kind == "generic":
            continue
        base, cost = measure(kind)
        note = f"{cost * 1e6:.0f} beside {base * 1e6:.0f} µs, {observables(kind)} observables, {SIZE:,} bytes"
        yield Row(f"reading {kind} beside generic, in process", base / cost, "x", 0.7, "more", note)
