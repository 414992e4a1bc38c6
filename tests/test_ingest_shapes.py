"""Deliveries in unusual wrappings: lines, groups, half surrogates (ingest-and-api.md 2, 6, 8a, 10)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cases.models import Alert
from tests.factories import make_source
from tests.test_ingest import Sender

pytestmark = pytest.mark.django_db


def firing(name: str, **more: Any) -> dict[str, Any]:
    return {
        "status": "firing",
        "labels": {"alertname": name, "severity": "critical", "instance": name},
        "annotations": {"summary": f"{name} is down"},
        "startsAt": "2026-03-01T00:00:00Z",
        "fingerprint": name,
        **more,
    }


def group(*alerts: dict[str, Any]) -> dict[str, Any]:
    return {"version": "4", "status": "firing", "alerts": list(alerts)}


def test_a_line_may_hold_every_sign_that_json_allows(db: None) -> None:
    sender = Sender(make_source())
    lines = '{"id":"1","title":"a\u2028b\u0085c"}\r\n\n{"id":"2","title":"d"}\n'
    answer = sender.post(lines.encode(), kind="application/x-ndjson")
    assert [one["status"] for one in answer.json()["results"]] == [201, 201]


def test_half_a_surrogate_in_a_group_is_mended_and_kept_as_it_came(db: None) -> None:
    sender = Sender(make_source(kind="alertmanager"))
    body = json.dumps(group(firing("web-1"), firing("web-2"))).replace("web-1 is", "web\\ud800 is")
    assert "\\ud800" in body
    answer = sender.post(body.encode())
    assert [one["status"] for one in answer.json()["results"]] == [201, 201]
    first = Alert.objects.get(pk=answer.json()["results"][0]["id"])
    assert first.repairs
    assert "\\ud800" in first.payload.body


def test_a_group_may_be_larger_than_one_alert(db: None) -> None:
    sender = Sender(make_source(kind="alertmanager"))
    big = [firing(f"web-{n}", annotations={"summary": f"web-{n}", "log": "x" * 400_000}) for n in range(4)]
    answer = sender.post(group(*big, firing("huge", annotations={"log": "x" * 1_100_000})))
    assert [one["status"] for one in answer.json()["results"]] == [201, 201, 201, 201, 413]


def test_one_alert_of_a_kind_that_groups_keeps_its_limit(db: None) -> None:
    sender = Sender(make_source(kind="visionone"))
    answer = sender.post({"id": "WB-1", "model": "x" * 1_100_000})
    assert answer.status_code == 413
    assert answer["Content-Type"] == "application/problem+json"


def test_findings_come_with_the_verdict_of_the_source(db: None) -> None:
    sender = Sender(make_source(kind="opensoar"))
    made = sender.post({"source_id": "1", "title": "t", "status": "resolved", "determination": "malicious"}).json()
    alert = Alert.objects.get(pk=made["id"])
    assert (alert.status, alert.determination, alert.findings) == (2, 3, "true_positive")
