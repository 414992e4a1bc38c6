"""Alertmanager's webhook: several alerts a POST, and resolutions that create nothing."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from cases.ingest.normal import NormalAlert
from cases.ingest.registry import KINDS
from tests.payloads_of import load, read, values


@pytest.fixture
def group() -> list[NormalAlert]:
    return read("alertmanager", load("alertmanager_group"))


def test_one_alert_for_each_of_the_group(group: list[NormalAlert]) -> None:
    assert len(group) == 2
    one = load("alertmanager_group")
    one["alerts"] = one["alerts"][:1]
    assert KINDS["alertmanager"].is_list(one)


def test_firing(group: list[NormalAlert]) -> None:
    alert = group[0]
    assert (alert.title, alert.detection_model) == ("Many failed logins on 10.0.7.8", "LoginStorm")
    assert (alert.severity, alert.source_state, alert.only_state) == ("medium", "firing", False)
    assert alert.dedup_key == "9f8e7d6c5b4a3921:2026-06-01T12:00:00.5Z"
    assert alert.occurred_at == datetime(2026, 6, 1, 12, 0, 0, 500_000, tzinfo=UTC)
    assert alert.last_seen is None
    assert (alert.hostname, alert.source_ip) == ("10.0.7.8", "10.0.7.8")
    assert alert.external_link == "https://prometheus.example.com/graph?g0.expr=x"
    assert alert.tags == ["team:identity"]
    assert values(alert, "ip") == ["10.0.7.8", "203.0.113.77"]
    assert values(alert, "url") == []
    assert alert.notes == []


def test_resolved_only_tells_the_state(group: list[NormalAlert]) -> None:
    alert = group[1]
    assert alert.only_state
    assert alert.source_state == "resolved"
    assert alert.severity == "high"
    assert alert.title == "LoginStorm on idp-2.example.com:443"
    assert alert.hostname == "idp-2.example.com"
    assert alert.last_seen == datetime(2026, 6, 1, 11, 30, tzinfo=UTC)


def test_a_resolution_has_the_key_of_its_firing() -> None:
    document = load("alertmanager_group")
    document["alerts"] = [{**document["alerts"][0], "status": "resolved", "endsAt": "2026-06-01T13:00:00Z"}]
    resolved = read("alertmanager", document)[0]
    assert resolved.only_state
    assert resolved.dedup_key == read("alertmanager", load("alertmanager_group"))[0].dedup_key


def test_without_a_fingerprint_the_labels_are_the_key() -> None:
    keys = [
        read("alertmanager", {"alerts": [{"labels": labels, "startsAt": "2026-06-01T13:00:00Z"}]})[0].dedup_key
        for labels in ({"a": "1", "b": "2"}, {"b": "2", "a": "1"}, {"a": "2", "b": "2"})
    ]
    assert keys[0] == keys[1] != keys[2]


def test_odd_members_are_read_all_the_same() -> None:
    titles = [alert.title for alert in read("alertmanager", {"alerts": ["disk full", {}, {"labels": "x"}]})]
    assert titles[0] == "disk full"
    assert all(titles)
