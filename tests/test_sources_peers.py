"""What is written for TheHive, DFIR-IRIS, Keep and XSOAR, field by field (ingest-and-api.md 2)."""

from __future__ import annotations

import copy
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from cases.ingest.normal import NormalAlert
from cases.ingest.samples import sample_of
from tests.payloads_of import highlighted, read, values

NINE = datetime(2026, 1, 1, 9, tzinfo=UTC)
DIGEST = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"


def document(kind: str, **changes: Any) -> dict[str, Any]:
    """The sample of a kind with some fields changed; None takes a field away."""
    made = {**copy.deepcopy(json.loads(sample_of(kind))), **changes}
    return {key: value for key, value in made.items() if value is not None}


def one(kind: str, **changes: Any) -> NormalAlert:
    """The alert of that document."""
    (alert,) = read(kind, document(kind, **changes))
    return alert


def test_thehive() -> None:
    alert = one("thehive")
    assert (alert.title, alert.severity) == ("Sample: message that asks for a password", "high")
    assert (alert.source_ref, alert.dedup_key) == ("sample-1", "phishing;mail-gateway;sample-1")
    assert (alert.detection_model, alert.tlp, alert.occurred_at) == ("phishing", "amber", NINE)
    assert (alert.hostname, alert.username, alert.source_ip) == ("LT-0042", "sample.user", "203.0.113.24")
    assert (alert.tags, alert.techniques) == (["sample", "phishing"], ["T1566.002"])
    assert alert.external_link == "https://mail-gateway.example.com/messages/sample-1"
    assert values(alert, "ip") == ["203.0.113.24", "203.0.113.25"]
    assert values(alert, "email") == ["billing@example.org"]
    assert highlighted(alert) == {("url", "http://login.example.net/sign-in"), ("sha256", DIGEST)}
    assert [asset["name"] for asset in alert.assets] == ["LT-0042"]
    assert alert.notes == []


def test_thehive_of_old() -> None:
    artifacts = [
        {"dataType": "ip", "data": "203.0.113.7", "tags": [], "message": None, "tlp": 2},
        {"dataType": "autonomous-system", "data": "64500"},
        {"dataType": "user-agent", "data": "curl/8.1 to http://a.example.net/x"},
        {"dataType": "hostname", "data": "srv-9"},
    ]
    fields = {"user": {"string": "a.voss", "order": 0}, "rule": {"string": "Tor exit", "order": 1}}
    alert = one("thehive", observables=None, artifacts=artifacts, customFields=fields, tlp=3)
    assert (alert.tlp, alert.username, alert.hostname) == ("red", "a.voss", "srv-9")
    assert (alert.source_ip, alert.detection_model) == ("203.0.113.7", "Tor exit")
    assert values(alert, "asn") == ["AS64500"]
    assert values(alert, "url") == ["http://a.example.net/x"]


@pytest.mark.parametrize(
    ("changes", "state", "verdict", "closed"),
    [
        ({"status": "New"}, "New", None, False),
        ({"status": "Closed", "stage": "Closed"}, "Closed", None, False),
        ({"status": "FalsePositive", "stage": "Closed"}, "FalsePositive", "benign", True),
        ({"status": "TruePositive", "stage": "InProgress"}, "TruePositive", "malicious", False),
    ],
)
def test_thehive_states(changes: dict[str, Any], state: str, verdict: str | None, closed: bool) -> None:
    alert = one("thehive", **changes)
    assert (alert.source_state, alert.determination, alert.closed) == (state, verdict, closed)


def test_thehive_files_are_named_and_said_not_to_be_kept() -> None:
    attached = {"name": "invoice.docm", "hashes": [DIGEST], "size": 3}
    alert = one("thehive", observables=[{"dataType": "file", "attachment": attached, "ioc": True}])
    assert highlighted(alert) == {("file_name", "invoice.docm"), ("sha256", DIGEST)}
    assert "the attached file 'invoice.docm' is not kept; its name and digests are observables" in alert.notes


def test_thehive_without_a_reference_has_no_key_of_its_own() -> None:
    assert one("thehive", sourceRef=None).dedup_key == ""
    assert one("thehive", sourceRef=None).title == "Sample: message that asks for a password"


def test_iris() -> None:
    alert = one("iris")
    assert (alert.title, alert.severity) == ("Sample: many failed sign-ins, then one that worked", "high")
    assert (alert.source_ref, alert.dedup_key) == ("sample-1", "ElastAlert2;sample-1")
    assert (alert.detection_model, alert.tlp, alert.occurred_at) == ("Brute force that succeeded", "amber", NINE)
    assert (alert.hostname, alert.username, alert.source_ip) == ("vpn-1", "sample.user", "203.0.113.24")
    assert (alert.tags, alert.techniques) == (["sample", "brute-force"], ["T1110"])
    assert (alert.source_state, alert.external_link) == (
        "New",
        "https://kibana.example.com/app/discover#/sample-1",
    )
    assert highlighted(alert) == {("ip", "203.0.113.24"), ("user", "sample.user")}
    assert alert.assets == [{"name": "vpn-1", "type": "endpoint", "system": "", "addresses": ["198.51.100.7"]}]
    assert alert.description.endswith("from 203.0.113.24.\n\nMade for a first try.")
    assert alert.notes == []


@pytest.mark.parametrize(
    ("changes", "severity"),
    [
        ({"alert_severity_id": 1}, None),
        ({"alert_severity_id": 2}, "informational"),
        ({"alert_severity_id": 3}, "low"),
        ({"alert_severity_id": 4}, "medium"),
        ({"alert_severity_id": "6"}, "critical"),
        ({"alert_severity_id": 2, "severity": {"severity_id": 2, "severity_name": "Critical"}}, "critical"),
        ({"alert_severity_id": 1, "alert_source_content": {"rule": {"severity": "low"}}}, "low"),
    ],
)
def test_iris_severities_by_name_before_number(changes: dict[str, Any], severity: str | None) -> None:
    assert one("iris", **changes).severity == severity


def test_an_iris_number_that_no_installation_has_is_told() -> None:
    alert = one("iris", alert_severity_id=77)
    assert alert.severity is None
    assert any("severity '77'" in note for note in alert.notes)


def test_iris_keeps_the_strictest_tlp_and_a_time_without_zone_is_told() -> None:
    iocs = [{"ioc_value": "10.0.0.9", "ioc_tlp_id": 3}, {"ioc_value": "http://x.example.net/", "ioc_tlp_id": 1}]
    alert = one("iris", alert_iocs=iocs, alert_source_event_time="2026-01-01 09:00:00.000")
    assert (alert.tlp, alert.occurred_at) == ("red", NINE)
    assert any("names no zone" in note for note in alert.notes)


def test_iris_accounts_among_the_assets_and_a_verdict() -> None:
    assets = [
        {"asset_name": "svc-backup", "asset_type_id": 18, "asset_domain": "EXAMPLE"},
        {"asset_name": "dc-1", "asset_type": {"asset_name": "Windows - DC"}},
    ]
    alert = one("iris", alert_assets=assets, alert_status_id=6, alert_resolution_status_id=1, alert_iocs=None)
    assert {"type": "account", "name": "EXAMPLE\\svc-backup"} in alert.entities
    assert [asset["name"] for asset in alert.assets] == ["dc-1"]
    assert (alert.source_state, alert.determination, alert.closed) == ("Closed", "benign", True)


def test_keep() -> None:
    alert = one("keep")
    assert (alert.title, alert.severity) == ("Sample: the gateway refuses many sign-ins", "high")
    assert (alert.source_ref, alert.dedup_key, alert.detection_model) == ("sample-1", "sample-1", "RefusedSignIns")
    assert (alert.occurred_at, alert.last_seen) == (NINE, NINE)
    assert (alert.hostname, alert.source_state, alert.only_state) == ("vpn-1", "firing", False)
    assert alert.external_link == "https://keep.example.com/alerts/feed?fingerprint=sample-1"
    assert "region:eu" in alert.tags
    assert "environment:production" in alert.tags
    assert values(alert, "ip") == ["203.0.113.24"]
    assert values(alert, "url") == []


def test_keep_is_known_by_its_fingerprint_and_what_is_resolved_makes_none() -> None:
    assert one("keep", id="another").dedup_key == "sample-1"
    assert one("keep", status="resolved").only_state
    assert one("keep", status="resolved").dedup_key == one("keep").dedup_key
    unnamed = [one("keep", id=None, fingerprint=None, status=state).dedup_key for state in ("firing", "resolved")]
    assert unnamed[0] == unnamed[1]
    assert len(unnamed[0]) == 64


def test_xsoar() -> None:
    alert = one("xsoar")
    assert (alert.title, alert.severity) == ("Sample: script from an office document", "high")
    assert (alert.dedup_key, alert.detection_model, alert.occurred_at) == ("sample-1", "Malware", NINE)
    assert (alert.hostname, alert.username) == ("LT-0042", "EXAMPLE\\sample.user")
    assert (alert.source_ip, alert.techniques, alert.tags) == ("198.51.100.42", ["T1059.001"], ["sample"])
    assert alert.external_link == "https://edr.example.com/detections/sample-1"
    assert values(alert, "url") == ["http://drop.example.net/a"]
    assert values(alert, "sha256") == [DIGEST]


@pytest.mark.parametrize(
    ("severity", "word"),
    [(0.5, "informational"), (1, "low"), (2, "medium"), (4, "critical"), (0, "low"), (None, "low"), ("High", "high")],
)
def test_xsoar_severity_and_where_it_says_none_that_of_the_event(severity: Any, word: str) -> None:
    alert = one("xsoar", severity=severity, rawJson={"severity": "low"})
    assert (alert.severity, alert.notes) == (word, [])


def test_xsoar_event_as_text_and_labels() -> None:
    event = json.dumps({"host": "srv-3", "alert_id": "E-9"})
    alert = one("xsoar", rawJson=event, labels=[{"type": "user", "value": "b.lind"}])
    assert (alert.hostname, alert.username, alert.dedup_key) == ("srv-3", "b.lind", "E-9")
    assert one("xsoar", rawJson="{broken").title == "Sample: script from an office document"
