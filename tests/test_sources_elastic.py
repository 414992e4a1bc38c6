"""Elastic Security alerts of two generations, flat and nested in one document."""

from __future__ import annotations

from datetime import UTC, datetime

from tests.payloads_of import highlighted, load, read, sample, values


def test_version_8_flat_and_nested_in_one() -> None:
    alert = sample("elastic", "elastic_8")
    assert alert.title == alert.detection_model == "Credential Access via Memory Dump"
    assert alert.severity == "critical"
    assert alert.dedup_key == "4f1d2c3b4a5968778695a4b3c2d1e0ff" * 2
    assert alert.description.startswith("process event with rundll32.exe on DC-02")
    assert alert.description.endswith("security authority's memory.")
    assert (alert.hostname, alert.username, alert.source_ip) == ("DC-02", "EXAMPLE\\svc_backup", "203.0.113.9")
    assert alert.techniques == ["T1003", "T1003.001"]
    assert alert.tags == ["Windows", "Credential Access"]
    assert alert.external_link == "https://kibana.example.com/app/security/alerts/redirect/4f1d"


def test_version_8_times() -> None:
    alert = sample("elastic", "elastic_8")
    assert alert.occurred_at == datetime(2026, 5, 2, 10, 1, 30, 250_000, tzinfo=UTC)
    assert alert.first_seen == datetime(2026, 5, 2, 10, 0, tzinfo=UTC)
    assert alert.last_seen == datetime(2026, 5, 2, 10, 5, tzinfo=UTC)


def test_version_8_closed_with_a_reason() -> None:
    alert = sample("elastic", "elastic_8")
    assert (alert.source_state, alert.determination, alert.closed) == ("closed", "benign", True)


def test_version_8_evidence_without_the_rules_own_text() -> None:
    alert = sample("elastic", "elastic_8")
    assert values(alert, "ip") == ["203.0.113.9", "10.9.0.2", "fe80::aa"]
    assert values(alert, "sha256") == ["0f1e2d3c4b5a69788796a5b4c3d2e1f0" * 2]
    assert values(alert, "domain") == ["exfil.bad-example.net"]
    assert "C:\\temp\\l.dmp" in values(alert, "file_path")
    assert values(alert, "url") == []
    assert alert.assets[0]["system"] == "Windows 2022"
    assert alert.entities[0]["command_line"].startswith("rundll32.exe C:\\Windows")


def test_version_7() -> None:
    alert = sample("elastic", "elastic_7")
    assert (alert.title, alert.severity, alert.dedup_key) == ("Unusual Login", "medium", "0c9f7d1e2b3a")
    assert (alert.hostname, alert.username, alert.source_ip) == ("vpn-1", "akim", "198.51.100.4")
    assert (alert.techniques, alert.source_state) == (["T1078"], "open")
    assert alert.first_seen == datetime(2021, 4, 5, 6, 0, tzinfo=UTC)


def test_the_fields_api_gives_lists_for_single_values() -> None:
    source = load("elastic_7")["_source"]
    fields = {
        "kibana.alert.rule.name": ["Unusual Login"],
        "kibana.alert.severity": ["high"],
        "@timestamp": ["2026-01-02T03:04:05.000Z"],
        "host.name": ["vpn-1"],
        "source.ip": [source["source"]["ip"]],
        "kibana.alert.rule.threat.technique.id": ["T1078"],
        "kibana.alert.uuid": ["u-1"],
    }
    (alert,) = read("elastic", {"_id": "x", "fields": fields})
    assert (alert.title, alert.severity, alert.dedup_key) == ("Unusual Login", "high", "u-1")
    assert (alert.hostname, alert.source_ip, alert.techniques) == ("vpn-1", "198.51.100.4", ["T1078"])
    assert alert.occurred_at == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def test_indicator_matches_are_highlighted() -> None:
    matches = [{"atomic": "203.0.113.66", "field": "source.ip"}, {"atomic": "DC-02", "field": "host.name"}]
    document = {
        "kibana.alert.rule.name": "Intel match",
        "threat": {"enrichments": [{"matched": match} for match in matches]},
    }
    (alert,) = read("elastic", document)
    assert highlighted(alert) == {("ip", "203.0.113.66"), ("hostname", "dc-02")}


def test_a_body_composed_by_hand_is_read_too() -> None:
    (alert,) = read("elastic", {"rule": {"name": "Mine", "severity": "low"}, "host": {"name": "h1"}})
    assert (alert.title, alert.severity, alert.hostname) == ("Mine", "low", "h1")
