"""Grafana's webhook: groups as Alertmanager sends them, with links of its own; and the webhook of old."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from cases.ingest.registry import KINDS
from cases.ingest.samples import sample_of
from tests.payloads_of import read, values


def group(**changes: Any) -> dict[str, Any]:
    """The sample with some fields of its only alert changed."""
    made: dict[str, Any] = json.loads(sample_of("grafana"))
    made["alerts"][0] |= changes
    return made


def test_grafana() -> None:
    (alert,) = read("grafana", group())
    assert (alert.title, alert.severity) == ("Sample: many failed sign-ins on idp-1", "high")
    assert (alert.detection_model, alert.dedup_key) == ("SampleLoginStorm", "00000000sample01:2026-01-01T09:00:00Z")
    assert alert.occurred_at == datetime(2026, 1, 1, 9, tzinfo=UTC)
    assert (alert.hostname, alert.username) == ("idp-1.example.com", "sample.user")
    assert (alert.source_state, alert.only_state) == ("firing", False)
    assert alert.external_link == "https://grafana.example.com/alerting/grafana/sample/view?orgId=1"
    assert values(alert, "ip") == ["203.0.113.24"]
    assert values(alert, "url") == []


def test_one_alert_of_a_group_is_several_all_the_same() -> None:
    assert KINDS["grafana"].is_list(group())


def test_what_is_resolved_only_tells_the_state() -> None:
    (alert,) = read("grafana", group(status="resolved", endsAt="2026-01-01T10:00:00Z"))
    assert (alert.only_state, alert.source_state) == (True, "resolved")
    assert alert.dedup_key == read("grafana", group())[0].dedup_key


@pytest.mark.parametrize("field", ["panelURL", "dashboardURL"])
def test_the_link_to_the_panel_where_there_is_no_other(field: str) -> None:
    (alert,) = read("grafana", group(generatorURL="", **{field: "https://grafana.example.com/d/x"}))
    assert alert.external_link == "https://grafana.example.com/d/x"


def test_the_webhook_of_old() -> None:
    old = {
        "title": "[Alerting] Sign-ins", "ruleId": 7, "ruleName": "Sign-ins", "state": "alerting", "orgId": 1,
        "ruleUrl": "https://grafana.example.com/d/x?viewPanel=2", "message": "From 203.0.113.4", "dashboardId": 3,
        "evalMatches": [{"value": 41, "metric": "count", "tags": {"host": "idp-2"}}], "tags": {"severity": "critical"},
    }  # fmt: skip
    (alert,) = read("grafana", old)
    assert (alert.title, alert.detection_model) == ("[Alerting] Sign-ins", "Sign-ins")
    assert (alert.severity, alert.hostname) == ("critical", "idp-2")
    assert (alert.dedup_key, alert.external_link) == ("1:7", "https://grafana.example.com/d/x?viewPanel=2")
    assert values(alert, "ip") == ["203.0.113.4"]
    (ended,) = read("grafana", {**old, "state": "ok", "title": "[OK] Sign-ins"})
    assert (ended.only_state, ended.dedup_key) == (True, "1:7")
