"""Microsoft Sentinel and Defender in all their spellings, field by field (ingest-and-api.md 2)."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from cases.ingest.registry import KINDS
from cases.ingest.samples import sample_of
from tests.payloads_of import highlighted, read, values

DIGEST = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
SHA1 = "a94a8fe5ccb19ba61c4c0873d391e987982fbbd3"
GUID = "00000000-0000-4000-8000-00000000c0de"
INCIDENT = json.loads(sample_of("sentinel"))
XDR = json.loads(sample_of("defender"))
SDK = {
    "id": INCIDENT["id"], "name": GUID, "type": INCIDENT["type"], "system_data": None,
    "title": INCIDENT["properties"]["title"], "severity": "Medium", "status": "Closed",
    "classification": "BenignPositive", "classification_comment": "A test from 203.0.113.99",
    "created_time_utc": "2026-01-01T09:02:00.123456+00:00", "first_activity_time_utc": "2026-01-01T08:55:00+00:00",
    "last_activity_time_utc": "2026-01-01T09:00:00+00:00", "incident_url": INCIDENT["properties"]["incidentUrl"],
    "owner": {"email": "lead@example.com", "user_principal_name": "lead@example.com"},
    "labels": [{"label_name": "sample", "label_type": "User"}],
    "additional_data": {"tactics": ["InitialAccess"], "techniques": ["T1078"]},
}  # fmt: skip
ENTITIES = json.dumps([
    {"$id": "1", "Type": "account", "Name": "sample.user", "NTDomain": "EXAMPLE"},
    {"$id": "2", "Type": "host", "HostName": "LT-0042", "DnsDomain": "example.com"},
    {"$id": "3", "Type": "ip", "Address": "203.0.113.24"},
    {"$id": "4", "Type": "file", "Name": "a.dll", "Directory": "C:\\Temp"},
    {"$id": "5", "Type": "process", "CommandLine": "rundll32 a.dll,Run http://c.example.net/"},
    {"$id": "6", "Type": "mailmessage", "Sender": "x@example.org", "Recipient": "y@example.net",
     "NetworkMessageId": "00000000-0000-4000-8000-000000000009", "Subject": "Invoice"},
    {"$id": "7", "Type": "something-new", "Value": "http://d.example.net/"},
])  # fmt: skip
ROW = {
    "TimeGenerated": "2026-01-01T09:02:00.1234567Z", "AlertName": "Rare process", "AlertSeverity": "High",
    "DisplayName": "Rare process on LT-0042", "Description": "First seen.", "SystemAlertId": "alert-1",
    "StartTime": "2026-01-01T08:00:00Z", "EndTime": "2026-01-01T08:10:00Z", "Tactics": "Execution, Persistence",
    "Techniques": '["T1059"]', "Entities": ENTITIES, "AlertLink": "https://portal.azure.com/#alert", "Status": "New",
}  # fmt: skip


def test_sentinel_by_rest() -> None:
    (alert,) = read("sentinel", INCIDENT)
    assert (alert.title, alert.severity) == ("Sample: sign-in from an address that was never seen", "medium")
    assert (alert.source_ref, alert.dedup_key, alert.source_state) == (GUID, GUID, "New")
    assert alert.occurred_at == datetime(2026, 1, 1, 9, 2, 0, 123456, tzinfo=UTC)
    assert alert.first_seen == datetime(2026, 1, 1, 8, 55, tzinfo=UTC)
    assert alert.last_seen == datetime(2026, 1, 1, 9, 0, tzinfo=UTC)
    assert (alert.hostname, alert.username) == ("LT-0042.example.com", "sample.user@example.com")
    assert (alert.source_ip, alert.techniques) == ("203.0.113.24", ["T1078"])
    assert alert.tags == ["sample", "InitialAccess"]
    assert alert.external_link == INCIDENT["properties"]["incidentUrl"]
    assert values(alert, "sha256") == [DIGEST]
    assert alert.assets[0]["system"] == "Windows"
    assert alert.notes == []


def test_sentinel_by_the_sdk_is_the_same_incident() -> None:
    (alert,) = read("sentinel", SDK)
    (rest,) = read("sentinel", INCIDENT)
    assert alert.dedup_key == rest.dedup_key
    for field in ("title", "severity", "occurred_at", "first_seen", "last_seen", "tags", "techniques", "external_link"):
        assert getattr(alert, field) == getattr(rest, field), field
    assert (alert.source_state, alert.determination, alert.closed) == ("Closed", "benign", True)
    assert (alert.username, alert.hostname, values(alert, "ip")) == ("", "", [])


def test_sentinel_from_a_playbooks_trigger() -> None:
    inner = {**INCIDENT, "properties": {**INCIDENT["properties"], "alerts": [{"properties": {
        "alertDisplayName": "Rule of the rare address", "tactics": ["Persistence"], "techniques": ["T1136"],
    }}]}}  # fmt: skip
    body = {"eventUniqueId": "7", "object": inner, "workspaceInfo": {"WorkspaceName": "w"}}
    (alert,) = read("sentinel", body)
    assert (alert.dedup_key, alert.hostname) == (GUID, "LT-0042.example.com")
    assert (alert.title, alert.detection_model) == (INCIDENT["properties"]["title"], "Rule of the rare address")
    assert alert.techniques == ["T1078", "T1136"]


def test_sentinel_alert_as_a_row_of_the_log() -> None:
    (alert,) = read("sentinel", ROW)
    assert (alert.title, alert.severity, alert.dedup_key) == ("Rare process on LT-0042", "high", "alert-1")
    assert (alert.hostname, alert.username) == ("LT-0042.example.com", "EXAMPLE\\sample.user")
    assert (alert.source_ip, alert.tags) == ("203.0.113.24", ["Execution", "Persistence"])
    assert alert.techniques == ["T1059"]
    assert values(alert, "file_path") == ["C:\\Temp\\a.dll"]
    assert sorted(values(alert, "url")) == ["http://c.example.net/", "http://d.example.net/"]
    messages = [one for one in alert.entities if one["type"] == "message"]
    assert messages[0]["mailbox"] == "y@example.net"
    assert messages[0]["unique_id"] == "00000000-0000-4000-8000-000000000009"


def test_a_defender_incident_of_several_alerts_is_one() -> None:
    assert not KINDS["defender"].is_list(XDR)
    (alert,) = read("defender", XDR)
    assert (alert.title, alert.severity) == ("Sample: credentials taken from memory on one endpoint", "high")
    assert (alert.dedup_key, alert.detection_model) == ("4242", "Memory of the security authority was read")
    assert alert.occurred_at == datetime(2026, 1, 1, 9, 0, 0, 123456, tzinfo=UTC)
    assert alert.first_seen == datetime(2026, 1, 1, 8, 58, 0, 123456, tzinfo=UTC)
    assert alert.last_seen == datetime(2026, 1, 1, 9, 0, 10, tzinfo=UTC)
    assert (alert.hostname, alert.username) == ("lt-0042.example.com", "EXAMPLE\\sample.user")
    assert (alert.source_ip, alert.source_state) == ("203.0.113.24", "Active")
    assert alert.techniques == ["T1003.001", "T1071"]
    assert alert.external_link == XDR["incidentUri"]
    assert highlighted(alert) == {
        ("sha1", SHA1), ("sha256", DIGEST), ("ip", "203.0.113.24"),
        ("file_path", "C:\\Windows\\System32\\rundll32.exe"),
    }  # fmt: skip
    assert alert.assets[0]["guid"] == "1" * 40
    assert "A process opened the memory" in alert.description
    assert (alert.determination, alert.notes) == (None, [])


def test_defender_endpoint_alert() -> None:
    (alert,) = read("defender", {
        "id": "da1_2", "incidentId": 9, "severity": "Informational", "status": "Resolved", "title": "Script blocked",
        "classification": "InformationalExpectedActivity", "alertCreationTime": "2026-01-01T09:00:00.7220239Z",
        "firstEventTime": "2026-01-01T08:00:00Z", "lastEventTime": "2026-01-01T08:01:00Z", "machineId": "m" * 40,
        "computerDnsName": "srv-1.example.com", "aadTenantId": "t-1", "mitreTechniques": ["T1059.001", "T1059.001"],
        "relatedUser": {"userName": "b.lind", "domainName": "EXAMPLE"}, "category": "Execution",
        "evidence": [
            {"entityType": "User", "accountName": "other", "domainName": "EXAMPLE"},
            {"entityType": "Url", "url": "http://a.example.net/x", "detectionStatus": "Blocked"},
            {"entityType": "RegistryValue", "registryHive": "HKEY_LOCAL_MACHINE", "registryKey": "SOFTWARE\\Run"},
        ],
    })  # fmt: skip
    assert (alert.title, alert.severity, alert.dedup_key) == ("Script blocked", "informational", "da1_2")
    assert (alert.hostname, alert.username) == ("srv-1.example.com", "EXAMPLE\\b.lind")
    assert alert.external_link == "https://security.microsoft.com/alerts/da1_2?tid=t-1"
    assert (alert.techniques, alert.closed, alert.determination) == (["T1059.001"], True, "benign")
    assert highlighted(alert) == {("url", "http://a.example.net/x")}
    assert values(alert, "registry_key") == ["HKLM\\SOFTWARE\\Run"]


def graph(kind: str, **fields: Any) -> dict[str, Any]:
    """A piece of Graph's evidence."""
    return {"@odata.type": f"#microsoft.graph.security.{kind}Evidence", "verdict": "unknown", **fields}


def test_graph_alert() -> None:
    account = {"accountName": "a.voss", "domainName": "EXAMPLE", "userPrincipalName": "a.voss@example.com"}
    evidence = [
        graph("device", deviceDnsName="lt-7.example.com", osPlatform="Windows11", mdeDeviceId="guid-7",
              lastIpAddress="10.1.2.3", ipInterfaces=["10.1.2.3", "fe80::1"], loggedOnUsers=[]),
        graph("process", processCommandLine="cmd /c whoami", verdict="malicious",
              imageFile={"fileName": "cmd.exe", "filePath": "C:\\Windows\\System32", "sha256": DIGEST},
              userAccount=account),
        graph("ip", ipAddress="203.0.113.50", roles=["attacker"]),
        graph("mailbox", primaryAddress="a.voss@example.com"),
        graph("analyzedMessage", networkMessageId="net-1", internetMessageId="<1@example.org>", subject="Invoice",
              p2Sender={"emailAddress": "x@example.org"}, recipientEmailAddress="a.voss@example.com",
              senderIp="203.0.113.51", urls=["http://b.example.net/y"], verdict="suspicious"),
    ]  # fmt: skip
    (alert,) = read("defender", {
        "@odata.type": "#microsoft.graph.security.alert", "id": "g-1", "incidentId": "55", "title": "Odd process",
        "severity": "high", "status": "inProgress", "classification": "unknown", "mitreTechniques": ["T1059.003"],
        "alertWebUrl": "https://security.microsoft.com/alerts/g-1", "createdDateTime": "2026-01-01T09:00:00.0733333Z",
        "firstActivityDateTime": "2026-01-01T08:50:00Z", "lastActivityDateTime": "2026-01-01T08:59:00Z",
        "evidence": evidence,
    })  # fmt: skip
    assert (alert.dedup_key, alert.severity, alert.title) == ("g-1", "high", "Odd process")
    assert (alert.hostname, alert.username) == ("lt-7.example.com", "EXAMPLE\\a.voss")
    assert (alert.source_ip, alert.source_state) == ("203.0.113.50", "inProgress")
    assert alert.external_link == "https://security.microsoft.com/alerts/g-1"
    assert alert.assets[0]["addresses"] == ["10.1.2.3", "fe80::1"]
    assert {("sha256", DIGEST), ("email", "x@example.org"), ("url", "http://b.example.net/y")} <= highlighted(alert)
    message = next(one for one in alert.entities if one["type"] == "message")
    assert (message["message_id"], message["mailbox"]) == ("<1@example.org>", "a.voss@example.com")
    assert alert.determination is None


def test_graph_incident_that_went_into_another() -> None:
    (alert,) = read("defender", {
        "@odata.type": "#microsoft.graph.security.incident", "id": "77", "displayName": "Multi-stage incident",
        "incidentWebUrl": "https://security.microsoft.com/incidents/77", "redirectIncidentId": "78",
        "severity": "unknown", "createdDateTime": "2026-01-01T09:00:00Z", "status": "redirected",
        "classification": "truePositive",
    })  # fmt: skip
    assert (alert.title, alert.dedup_key, alert.severity) == ("Multi-stage incident", "77", None)
    assert (alert.determination, alert.closed) == ("malicious", False)
    assert "at its source this incident went into incident 78" in alert.notes


def test_a_page_of_a_list_is_several() -> None:
    page = {"@odata.context": "x", "value": [XDR, {**XDR, "incidentId": 4243}, "odd"]}
    assert KINDS["defender"].is_list(page)
    assert [alert.dedup_key for alert in read("defender", page)] == ["4242", "4243", ""]
