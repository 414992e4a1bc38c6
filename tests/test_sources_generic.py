"""Plain JSON by well-known names, and the words of OpenSOAR's endpoint."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tests.payloads_of import highlighted, read, sample, values


def test_any_spelling_of_a_name() -> None:
    alert = sample("generic", "generic_edr")
    assert (alert.title, alert.detection_model) == ("Ransomware note written", "Note dropper")
    assert (alert.severity, alert.dedup_key, alert.tlp) == ("critical", "EDR-5512", "amber")
    assert alert.occurred_at == datetime(2026, 1, 1, tzinfo=UTC)
    assert (alert.hostname, alert.username, alert.source_ip) == ("ARCHIVE-3", "svc_archive", "203.0.113.201")
    assert alert.techniques == ["T1486"]
    assert alert.external_link == "https://edr.example.com/alerts/EDR-5512"
    assert (alert.source_state, alert.determination, alert.closed) == ("Closed", "malicious", True)


def test_evidence_of_fields_and_of_text() -> None:
    alert = sample("generic", "generic_edr")
    assert values(alert, "ip") == ["203.0.113.201", "10.3.3.3", "2001:db8::5"]
    assert values(alert, "sha1") == ["aabbccddeeff00112233445566778899aabbccdd"]
    assert values(alert, "url") == ["https://pay.bad-example.net/key"]
    assert values(alert, "file_path") == ["D:\\shares\\READ ME.txt"]
    assert highlighted(alert) == {("domain", "cdn.bad-example.net")}
    roles = {found.value: found.role for found in alert.observables}
    assert (roles["203.0.113.201"], roles["10.3.3.3"]) == ("source_ip", "destination_ip")


def test_opensoar_words_numbers_and_nested_names() -> None:
    alert = sample("opensoar", "opensoar_webhook")
    assert (alert.title, alert.severity, alert.dedup_key) == ("Impossible Travel", "high", "90210")
    assert (alert.hostname, alert.username, alert.source_ip) == ("sso-1", "ewang", "198.51.100.88")
    assert alert.description == "Two logins too far apart"
    assert alert.tags == ["identity", "partner:north"]


@pytest.mark.parametrize(
    ("given", "severity"),
    [("critical", "critical"), ("CRIT", "critical"), (5, "critical"), (4, "critical"), ("3", "high"), ("error", "high"),
     ("med", "medium"), ("warn", "medium"), (1, "low"), ("info", "informational"), (["High"], "high")],
)  # fmt: skip
def test_severity_words(given: object, severity: str) -> None:
    assert read("opensoar", {"title": "t", "severity": given})[0].severity == severity


@pytest.mark.parametrize(
    ("payload", "severity"),
    [
        ({"severity": 9.8}, "critical"),
        ({"severity": 7}, "high"),
        ({"severity": 60}, "high"),
        ({"severity": "P1"}, "critical"),
        ({"priority": 1}, "critical"),
        ({"priority": "4"}, "low"),
        ({"risk_score": 21}, "low"),
        ({"severity": "2 - High"}, "high"),
    ],
)
def test_severity_scales(payload: dict[str, object], severity: str) -> None:
    assert read("generic", {"title": "t", **payload})[0].severity == severity


@pytest.mark.parametrize("given", ["apocalyptic", ["odd", 1], {"a": []}, -3, 10**400, True])
def test_an_unknown_severity_is_told_and_left_to_the_source(given: object) -> None:
    alert = read("generic", {"title": "t", "severity": given})[0]
    assert alert.severity is None
    assert any("is not known" in note for note in alert.notes)


@pytest.mark.parametrize(
    ("payload", "title"),
    [
        ({"message": "first line\nsecond"}, "first line"),
        ({"kibana.alert.rule.name": "flat"}, "flat"),
        ({"alert": {"rule": {"name": "deep"}}}, "deep"),
        ({"finding": {"Meta": {"ThreatName": "worm"}}}, "worm"),
        ({"host": "h9", "code": 17}, "Alert: host h9, code 17"),
        ({"a": {}}, "Alert with the fields a"),
        ({}, "Alert without fields"),
    ],
)
def test_there_is_always_a_telling_title(payload: dict[str, object], title: str) -> None:
    assert read("generic", payload)[0].title == title


def test_the_number_of_a_windows_event_is_no_id() -> None:
    assert read("generic", {"title": "t", "EventID": 4625})[0].dedup_key == ""
    assert read("generic", {"title": "t", "event_id": "evt-99"})[0].dedup_key == "evt-99"


def test_ids_are_no_hashes_and_versions_no_addresses() -> None:
    (alert,) = read(
        "generic", {"title": "x", "agentUuid": "f" * 32, "agentVersion": "4.6.12.241", "info": "from 203.0.113.9"}
    )
    assert [(one.type, one.value) for one in alert.observables] == [("ip", "203.0.113.9")]


def test_the_names_of_endpoint_products_are_read() -> None:
    (alert,) = read("generic", {"computerDnsName": "LT-9", "relatedUser": {"userName": "a.voss"}, "sourceRef": "R-7"})
    assert (alert.hostname, alert.username, alert.source_ref) == ("LT-9", "a.voss", "R-7")
