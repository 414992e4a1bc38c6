"""The Vision One of the practice range: with a few alerts to read, and mailboxes in which messages are found."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from soar.standins.visionone import VisionOne

MAILBOXES = ["ana.lund@corp.example.com", "ben.iyer@corp.example.com", "cleo.maas@corp.example.com"]
# Minutes ago, model, severity, host, indicators (type, value).
STOCK: list[tuple[int, str, str, str, list[tuple[str, str]]]] = [
    (
        95, "Possible Credential Dumping via Registry Hive", "high", "PR-WS-0041",
        [("command_line", "reg.exe save hklm\\sam C:\\ProgramData\\s.hiv"), ("file_sha256", "3f" * 32)],
    ),
    (
        40, "Outbound Connection to a Known Command-and-Control Address", "critical", "PR-LT-0107",
        [("ip", "203.0.113.66"), ("domain", "update-node.example.net")],
    ),
    (
        12, "Phishing Message Opened", "medium", "PR-LT-0112",
        [
            ("email_sender", "billing@invoice-desk.example.net"), ("url", "http://invoice-desk.example.net/pay"),
            ("email_message_id", "<0412@invoice-desk.example.net>"), ("email_subject", "Invoice 20417 overdue"),
        ],
    ),
]  # fmt: skip


class StockedVisionOne(VisionOne):
    """As VisionOne, but not empty."""

    def fresh(self) -> dict[str, Any]:
        now = datetime.now(UTC)
        made = [_alert(number, row, now) for number, row in enumerate(STOCK, 1)]
        return {**super().fresh(), "alerts": {one["id"]: one for one in made}, "mailboxes": MAILBOXES}


def _alert(number: int, row: tuple[int, str, str, str, list[tuple[str, str]]], now: datetime) -> dict[str, Any]:
    minutes, model, severity, host, indicators = row
    at = now - timedelta(minutes=minutes)
    moment = at.strftime("%Y-%m-%dT%H:%M:%SZ")
    identity = f"WB-9001-{at:%Y%m%d}-{number:05d}"
    shown = {"guid": f"00000000-0000-4000-8000-0000000000{number:02d}", "name": host, "ips": [f"10.90.0.{number}"]}
    entities: list[dict[str, Any]] = [_entity("host", shown, str(shown["guid"]), len(indicators))]
    if any(kind == "email_message_id" for kind, _ in indicators):
        entities.append(_entity("emailAddress", MAILBOXES[0], MAILBOXES[0], len(indicators)))
    return {
        "schemaVersion": "1.14",
        "id": identity,
        "status": "Open",
        "investigationResult": "No Findings",
        "workbenchLink": f"https://portal.example.com/index.html#/workbench/alerts/{identity}",
        "alertProvider": "SAE",
        "model": model,
        "score": 60,
        "severity": severity,
        "createdDateTime": moment,
        "updatedDateTime": moment,
        "description": f"{model} on {host}.",
        "impactScope": {"entities": entities},
        "matchedRules": [],
        "indicators": [
            {"id": place, "type": kind, "field": kind, "value": value, "relatedEntities": [str(shown["guid"])]}
            for place, (kind, value) in enumerate(indicators, 1)
        ],
    }


def _entity(kind: str, value: Any, identity: str, number: int) -> dict[str, Any]:
    related = list(range(1, number + 1))
    return {
        "entityType": kind,
        "entityValue": value,
        "entityId": identity,
        "relatedEntities": [],
        "relatedIndicatorIds": related,
        "provenance": ["Alert"],
    }
