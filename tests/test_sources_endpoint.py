"""CrowdStrike's event stream and SentinelOne's threats, field by field (ingest-and-api.md 2)."""

from __future__ import annotations

import copy
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from cases.ingest.attack_names import technique_named
from cases.ingest.normal import NormalAlert
from cases.ingest.registry import KINDS
from cases.ingest.samples import sample_of
from tests.payloads_of import highlighted, read, values

DIGEST = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
NINE = datetime(2026, 1, 1, 9, tzinfo=UTC)


def event(kind: str = "EppDetectionSummaryEvent", **changes: Any) -> NormalAlert:
    """The sample event with another type and some fields changed; None takes a field away."""
    made = json.loads(sample_of("crowdstrike"))
    made["metadata"]["eventType"] = kind
    made["event"] = {key: value for key, value in {**made["event"], **changes}.items() if value is not None}
    (alert,) = read("crowdstrike", made)
    return alert


def test_crowdstrike() -> None:
    alert = event()
    assert (alert.title, alert.severity) == ("Sample: credential dumping", "high")
    assert alert.dedup_key == "00000000000040008000000000000001:ind:sample-1"
    assert alert.occurred_at == NINE
    assert alert.first_seen == datetime(2026, 1, 1, 8, 59, tzinfo=UTC)
    assert alert.last_seen == datetime(2026, 1, 1, 8, 59, 10, tzinfo=UTC)
    assert (alert.hostname, alert.username) == ("LT-0042", "EXAMPLE\\sample.user")
    assert (alert.source_ip, alert.techniques) == ("198.51.100.42", ["T1003"])
    assert alert.external_link == "https://falcon.example.com/activity-v2/detections/sample-1"
    assert alert.tags == ["Credential Access", "OS Credential Dumping"]
    assert highlighted(alert) == {("domain", "c2.example.net")}
    assert values(alert, "sha256") == [DIGEST]
    assert values(alert, "mac") == ["02:00:5e:10:00:42"]
    assert any(one["type"] == "process" and "comsvcs" in one["command_line"] for one in alert.entities)
    assert alert.notes == []


@pytest.mark.parametrize(
    ("kind", "number", "name", "severity"),
    [
        ("DetectionSummaryEvent", 5, None, "critical"),
        ("DetectionSummaryEvent", 2, None, "low"),
        ("IdpDetectionSummaryEvent", 2, None, "low"),
        ("IdpDetectionSummaryEvent", 70, None, "high"),
        ("EppDetectionSummaryEvent", 5, None, "informational"),
        ("EppDetectionSummaryEvent", 30, None, "low"),
        ("MobileDetectionSummaryEvent", 50, None, "medium"),
        ("XdrDetectionSummaryEvent", 100, None, "critical"),
        ("DetectionSummaryEvent", 5, "High", "high"),
        ("EppDetectionSummaryEvent", "70", None, "high"),
    ],
)
def test_crowdstrike_scale_depends_on_the_event(kind: str, number: Any, name: str | None, severity: str) -> None:
    assert event(kind, Severity=number, SeverityName=name).severity == severity


def test_crowdstrike_without_an_id_is_known_by_its_place_in_the_stream() -> None:
    key = event("DetectionSummaryEvent", CompositeId=None).dedup_key
    assert key == "00000000000040008000000000000001:DetectionSummaryEvent:4242"


def test_crowdstrike_identity_event() -> None:
    alert = event(
        "IdpDetectionSummaryEvent", Name=None, Hostname=None, UserName=None, LogonDomain=None, CompositeId=None,
        SeverityName=None, DetectName="Use of a stale account", DetectId="x:ind:y", Severity=4, Tactic="Initial Access",
        Technique="Valid Accounts", SourceAccountDomain="EXAMPLE", SourceAccountName="OLD", ProcessStartTime=None,
        StartTime=134116811400000000, EndTime=134116811400000000, SourceEndpointHostName="LT-9",
        SourceEndpointIpAddress="203.0.113.5", IOCValue=None,
    )  # fmt: skip
    assert (alert.title, alert.severity, alert.dedup_key) == ("Use of a stale account", "high", "x:ind:y")
    assert (alert.hostname, alert.username) == ("LT-9", "EXAMPLE\\OLD")
    assert (alert.source_ip, alert.techniques) == ("203.0.113.5", ["T1078"])
    assert alert.first_seen == datetime(2025, 12, 31, 18, 59, tzinfo=UTC)


def test_crowdstrike_event_without_a_name() -> None:
    alert = event("IncidentSummaryEvent", Name=None, Description=None, Objective=None)
    assert alert.title == "Incident summary on LT-0042"


def test_crowdstrike_as_the_alerts_api_spells_it() -> None:
    (alert,) = read("crowdstrike", {
        "composite_id": "c:ind:1", "display_name": "Prevention", "severity": 70, "severity_name": "High",
        "status": "closed", "resolution": "false_positive", "user_name": "a.voss", "technique_id": "T1204.002",
        "created_timestamp": "2026-01-01T09:00:00Z", "falcon_host_link": "https://falcon.example.com/x",
        "device": {
            "device_id": "0123456789abcdef" * 2, "hostname": "LT-3", "local_ip": "10.0.0.3",
            "external_ip": "203.0.113.8",
        },
        "sha256": DIGEST, "filename": "a.exe", "filepath": "\\Device\\HarddiskVolume1\\Temp\\a.exe",
        "cmdline": "a.exe -x", "ioc_value": "203.0.113.60",
    })  # fmt: skip
    assert (alert.title, alert.severity, alert.dedup_key) == ("Prevention", "high", "c:ind:1")
    assert (alert.hostname, alert.username, alert.techniques) == ("LT-3", "a.voss", ["T1204.002"])
    assert [one["guid"] for one in alert.assets] == ["0123456789abcdef" * 2]
    assert ("md5", "0123456789abcdef" * 2) not in {(one.type, one.value) for one in alert.observables}
    assert (alert.determination, alert.closed, alert.occurred_at) == ("benign", True, NINE)
    assert highlighted(alert) == {("ip", "203.0.113.60")}


@pytest.mark.parametrize(
    ("name", "number"),
    [
        ("Valid Accounts", "T1078"), ("valid-accounts", "T1078"), ("Scheduled Task/Job", "T1053"),
        ("PowerShell", "T1059.001"), ("PUP", ""), ("", ""), ("x" * 500, ""),
    ],
)  # fmt: skip
def test_techniques_by_name(name: str, number: str) -> None:
    assert technique_named(name) == number


def threat(**changes: Any) -> NormalAlert:
    """The sample threat with some fields of ``threatInfo`` changed."""
    made = copy.deepcopy(json.loads(sample_of("sentinelone")))
    made["threatInfo"] |= changes
    (alert,) = read("sentinelone", made)
    return alert


def test_sentinelone() -> None:
    alert = threat()
    assert (alert.title, alert.severity) == ("Trojan: Sample-loader.exe", "high")
    assert (alert.dedup_key, alert.detection_model) == ("1000000000000004242", "On-Write Static AI")
    assert alert.occurred_at == datetime(2026, 1, 1, 9, 0, 0, 123456, tzinfo=UTC)
    assert alert.first_seen == datetime(2026, 1, 1, 8, 59, 58, tzinfo=UTC)
    assert (alert.hostname, alert.username) == ("LT-0042", "EXAMPLE\\sample.user")
    assert (alert.source_ip, alert.techniques) == ("198.51.100.42", ["T1055.012"])
    assert alert.source_state == "unresolved"
    path = "\\Device\\HarddiskVolume2\\Users\\sample.user\\Downloads\\sample-loader.exe"
    sha1 = "a94a8fe5ccb19ba61c4c0873d391e987982fbbd3"
    assert highlighted(alert) == {("sha1", sha1), ("sha256", DIGEST), ("file_path", path)}
    assert values(alert, "ip") == ["198.51.100.42", "203.0.113.24"]
    assert values(alert, "mac") == ["02:00:5e:10:00:42"]
    assert values(alert, "url") == ["http://drop.example.net/a"]
    asset = {"name": "LT-0042", "type": "laptop", "system": "Windows 11 Pro", "addresses": ["198.51.100.42"]}
    assert alert.assets == [{**asset, "guid": "1000000000000000042"}]
    assert alert.notes == []


@pytest.mark.parametrize(
    ("changes", "severity", "verdict", "closed"),
    [
        ({"confidenceLevel": "suspicious"}, "medium", None, False),
        ({"confidenceLevel": "n/a"}, None, None, False),
        ({"analystVerdict": "true_positive", "incidentStatus": "resolved"}, "high", "malicious", True),
        ({"analystVerdict": "false_positive", "incidentStatus": "in_progress"}, "high", "benign", False),
    ],
)
def test_sentinelone_states(changes: dict[str, Any], severity: str | None, verdict: str | None, closed: bool) -> None:
    alert = threat(**changes)
    assert (alert.severity, alert.determination, alert.closed) == (severity, verdict, closed)


def test_sentinelone_alert_of_a_custom_rule() -> None:
    (alert,) = read("sentinelone", {
        "alertInfo": {"alertId": "A-7", "createdAt": "2026-01-01T09:00:00Z", "incidentStatus": "Unresolved",
                      "analystVerdict": "Undefined", "dstIp": "203.0.113.9", "srcIp": "10.0.0.7"},
        "ruleInfo": {"name": "Beacon to rare host", "severity": "Critical", "description": "Rare host"},
        "agentDetectionInfo": {"name": "srv-7", "uuid": "u-7", "osName": "linux"},
        "sourceProcessInfo": {"name": "curl", "commandline": "curl http://e.example.net/z", "user": "root",
                              "filePath": "/usr/bin/curl", "fileHashSha256": DIGEST},
    })  # fmt: skip
    assert (alert.title, alert.severity, alert.dedup_key) == ("Beacon to rare host", "critical", "A-7")
    assert (alert.hostname, alert.username, alert.source_ip) == ("srv-7", "root", "10.0.0.7")
    assert ("ip", "203.0.113.9") in highlighted(alert)
    assert values(alert, "url") == ["http://e.example.net/z"]


def test_a_page_of_threats_is_several() -> None:
    one = json.loads(sample_of("sentinelone"))
    page = {"data": [one, {**one, "threatInfo": {**one["threatInfo"], "threatId": "2"}}], "pagination": {}}
    assert KINDS["sentinelone"].is_list(page)
    assert [alert.dedup_key for alert in read("sentinelone", page)] == ["1000000000000004242", "2"]
