"""Wazuh alerts of the integrator, of the index and in envelopes."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tests.payloads_of import load, read, sample, values


def test_sysmon_event_from_the_index() -> None:
    alert = sample("wazuh", "wazuh_sysmon")
    assert alert.title == alert.detection_model == "Windows command prompt started by an abnormal process"
    assert alert.severity == "high"
    assert alert.dedup_key == "1775716215.884213"
    assert alert.occurred_at == datetime(2026, 4, 9, 6, 30, 15, 400_000, tzinfo=UTC)
    assert (alert.hostname, alert.username, alert.source_ip) == ("WS-014", "EXAMPLE\\tnovak", "10.8.0.14")
    assert alert.techniques == ["T1059.003"]
    assert alert.tags == ["sysmon", "windows"]


def test_sysmon_evidence() -> None:
    alert = sample("wazuh", "wazuh_sysmon")
    assert values(alert, "sha1") == ["0a1b2c3d4e5f60718293a4b5c6d7e8f901234567"]
    assert values(alert, "md5") == ["00112233445566778899aabbccddeeff"]
    assert values(alert, "sha256") == ["00112233445566778899aabbccddeeff" * 2]
    assert values(alert, "url") == ["http://drop.bad-example.net/a.ps1"]
    assert values(alert, "file_path") == ["C:\\Windows\\System32\\cmd.exe", "C:\\Users\\Public\\update.exe"]
    assert alert.entities[0]["command_line"].startswith("cmd.exe /c curl")


def test_file_integrity() -> None:
    alert = sample("wazuh", "wazuh_fim")
    assert (alert.title, alert.severity, alert.hostname) == ("Integrity checksum changed.", "medium", "web-3")
    assert values(alert, "file_path") == ["/etc/passwd"]
    assert values(alert, "sha256") == ["aabbccddeeff00112233445566778899" * 2]


@pytest.mark.parametrize("envelope", [lambda a: {"all_fields": a}, lambda a: {"parameters": {"alert": a}}])
def test_envelopes(envelope: object) -> None:
    assert callable(envelope)
    (alert,) = read("wazuh", envelope(load("wazuh_fim")))
    assert (alert.title, alert.dedup_key) == ("Integrity checksum changed.", "1775728800.100")


@pytest.mark.parametrize(
    ("level", "severity"),
    [(0, "informational"), (3, "informational"), (4, "low"), (6, "low"), (7, "medium"), ("11", "medium"), (12, "high"),
     (14, "high"), (15, "critical"), (16, "critical"), ("high", "high"), (None, None)],
)  # fmt: skip
def test_levels(level: object, severity: str | None) -> None:
    (alert,) = read("wazuh", {"rule": {"description": "d", "level": level}})
    assert alert.severity == severity


def test_a_description_that_names_the_user_is_no_detection_model() -> None:
    (alert,) = read("wazuh", {"rule": {"id": "5501", "description": "Login of paco"}, "data": {"dstuser": "paco"}})
    assert (alert.title, alert.detection_model) == ("Login of paco", "Wazuh rule 5501")
