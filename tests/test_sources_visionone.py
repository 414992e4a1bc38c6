"""Trend Vision One Workbench alerts, read as an analyst reads them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from cases.ingest.normal import NormalAlert
from cases.ingest.registry import KINDS
from cases.ingest.sources import visionone
from tests.payloads_of import highlighted, load, read, values


@pytest.fixture
def page() -> list[NormalAlert]:
    return read("visionone", load("visionone_page"))


def test_a_page_is_split_into_its_alerts(page: list[NormalAlert]) -> None:
    assert [alert.source_ref for alert in page] == ["WB-20431-20260312-00007", "WB-20431-20260312-00008"]
    assert KINDS["visionone"].is_list(load("visionone_page"))
    assert not KINDS["visionone"].is_list(load("visionone_page")["items"][0])


def test_head(page: list[NormalAlert]) -> None:
    alert = page[0]
    assert alert.title == alert.detection_model == "Suspicious Archive Download by Office Process"
    assert alert.severity == "high"
    assert alert.dedup_key == "WB-20431-20260312-00007"
    assert alert.description.startswith("An Office process downloaded")
    assert alert.external_link.endswith("/workbench/alerts/WB-20431-20260312-00007")
    assert alert.tags == ["TROJ_SAMPLE.A", "CL-20431-20260312-00002"]
    assert (alert.source_state, alert.determination, alert.closed) == ("Open", None, False)
    assert alert.notes == []


def test_times_are_those_of_the_alert_and_of_its_events(page: list[NormalAlert]) -> None:
    assert page[0].occurred_at == datetime(2026, 3, 12, 9, 15, 2, tzinfo=UTC)
    assert page[0].first_seen == datetime(2026, 3, 12, 9, 1, 10, 500_000, tzinfo=UTC)
    assert page[0].last_seen == datetime(2026, 3, 12, 9, 4, 55, tzinfo=UTC)


def test_prefixes_of_techniques_are_dropped(page: list[NormalAlert]) -> None:
    assert page[0].techniques == ["T1566.001", "T1105", "T1059.005"]


def test_the_host_of_the_alert_goes_before_swept_ones(page: list[NormalAlert]) -> None:
    alert = page[0]
    assert (alert.hostname, alert.username, alert.source_ip) == ("FIN-LAP-12", "example\\mlopez", "10.4.1.23")
    assert [asset["name"] for asset in alert.assets] == ["FIN-LAP-12", "SWEPT-01"]
    assert alert.assets[0]["addresses"] == ["10.4.1.23", "fe80::1c2d"]


def test_indicators_are_highlighted_and_entities_are_not(page: list[NormalAlert]) -> None:
    assert highlighted(page[0]) == {
        ("url", "https://files.bad-example.net/inv.zip"),
        ("sha256", "a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c6d7e8f90"),
        ("ip", "198.51.100.23"),
        ("email", "billing@bad-example.net"),
        ("registry_key", "HKCU\\software\\microsoft\\windows\\currentversion\\run"),
        ("ip", "192.0.2.77"),
    }
    assert values(page[0], "email") == ["billing@bad-example.net", "m.lopez@example.com"]
    assert values(page[0], "hostname") == ["fin-lap-12", "swept-01"]


def test_command_lines_become_processes_and_are_searched(page: list[NormalAlert]) -> None:
    alert = page[0]
    assert "http://second.bad-example.net/x" in values(alert, "url")
    assert "C:\\Users\\mlopez\\inv.vbs" in values(alert, "file_path")
    process = next(one for one in alert.entities if one["type"] == "process")
    assert process["name"] == "wscript.exe"
    assert process["command_line"].endswith("http://second.bad-example.net/x")


def test_entities_keep_the_objects_that_the_source_relates_them_to(page: list[NormalAlert]) -> None:
    entities = {one["type"]: one for one in page[0].entities}
    assert entities["emailAddress"]["observables"] == [["email", "billing@bad-example.net"]]
    assert entities["account"]["related"] == ["7A2B1C90-5D1E-4E0F-93A4-9D7E0B8C6A22"]
    assert entities["cloudIdentity"]["name"] == "arn:aws:iam::111122223333:user/build"
    hashes = [["sha256", "a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c6d7e8f90"]]
    assert page[0].assets[1]["observables"] == hashes


def test_a_closed_intelligence_alert_keeps_its_verdict(page: list[NormalAlert]) -> None:
    alert = page[1]
    assert (alert.title, alert.severity, alert.detection_model) == ("Paper Lantern", "low", "")
    assert (alert.source_state, alert.determination, alert.closed) == ("Closed", "benign", True)
    assert alert.external_link == "https://intel.example.com/reports/77"
    assert highlighted(alert) == {("domain", "lantern.bad-example.net")}
    assert alert.first_seen == datetime(2026, 3, 10, tzinfo=UTC)
    assert alert.last_seen == datetime(2026, 3, 11, 6, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("result", "status", "determination", "closed"),
    [
        ("True Positive", "Closed", "malicious", True),
        ("False Positive", "Closed", "benign", True),
        ("Noteworthy", "In Progress", "suspicious", False),
        ("No Findings", "Closed", None, False),
        (["odd"], {"odd": 1}, None, False),
    ],
)
def test_findings(result: object, status: object, determination: str | None, closed: bool) -> None:
    alert = read("visionone", {"id": "WB-1", "model": "M", "status": status, "investigationResult": result})[0]
    assert (alert.determination, alert.closed) == (determination, closed)


def message(*indicators: tuple[str, Any], boxes: tuple[str, ...] = ()) -> list[dict[str, Any]]:
    """The messages of an alert with these indicators (type, value) and mailboxes."""
    entities = [{"entityType": "emailAddress", "entityId": f"e{n}", "entityValue": box} for n, box in enumerate(boxes)]
    rows = [{"id": n, "type": kind, "field": "", "value": value} for n, (kind, value) in enumerate(indicators)]
    alert = visionone.normalise({"id": "WB-1", "indicators": rows, "impactScope": {"entities": entities}})
    return [one for one in alert.entities if one["type"] == "message"]


@pytest.mark.parametrize("value", [None, "", {}, [], 7.5, ["x"], True])
def test_what_is_no_message_id_is_no_message(value: object) -> None:
    found = message(("email_message_id", value), ("email_message_unique_id", value))
    assert all(isinstance(one["name"], str) and one["name"] for one in found)


def test_a_message_by_its_unique_id_keeps_its_message_id() -> None:
    found = message(
        ("email_message_id", "<a@bad-example.net>"),
        ("email_message_unique_id", "U-1"),
        ("email_sender", "a@bad-example.net"),
        ("email_subject", "Invoice"),
        boxes=("ana@corp.example",),
    )
    assert found == [
        {
            "type": "message",
            "name": "<a@bad-example.net> in ana@corp.example",
            "message_id": "<a@bad-example.net>",
            "unique_id": "U-1",
            "mailbox": "ana@corp.example",
            "subject": "Invoice",
            "sender": "a@bad-example.net",
            "observables": [["email", "a@bad-example.net"]],
        }
    ]


def test_a_message_without_a_unique_id_is_one_in_each_mailbox() -> None:
    found = message(("email_message_id", "<a@bad-example.net>"), boxes=("ana@corp.example", "ben@corp.example"))
    assert [(one["name"], one["mailbox"]) for one in found] == [
        ("<a@bad-example.net> in ana@corp.example", "ana@corp.example"),
        ("<a@bad-example.net> in ben@corp.example", "ben@corp.example"),
    ]


def test_what_differs_in_number_is_not_put_together() -> None:
    found = message(("email_message_id", "<a@x>"), ("email_message_unique_id", "U1"), ("email_message_unique_id", "U2"))
    assert [(one["name"], one["unique_id"]) for one in found] == [("U1", "U1"), ("U2", "U2")]
