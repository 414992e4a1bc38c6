"""Microsoft Graph and Elasticsearch of the practice range: with a few alerts to read."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from soar.standins.elasticsearch import Elasticsearch
from soar.standins.microsoft_graph import MicrosoftGraph

INDEX = ".alerts-security.alerts-default"
DETECTIONS = (  # minutes ago, title, severity, technique, host, address
    (80, "Suspicious PowerShell download", "high", "T1059.001", "pr-ws-0051", "203.0.113.81"),
    (35, "Sign-in from an anonymous address", "medium", "T1078.004", "pr-ws-0052", "198.51.100.23"),
)
RULES = (  # minutes ago, rule, severity, technique, host, address
    (70, "Unusual Process Calling Out", "medium", "T1071", "pr-srv-0003", "203.0.113.90"),
    (20, "Many Failed Logons Followed by a Success", "high", "T1110", "pr-srv-0004", "198.51.100.77"),
)
Row = tuple[int, str, str, str, str, str]


class StockedMicrosoftGraph(MicrosoftGraph):
    """As MicrosoftGraph, but not empty."""

    def fresh(self) -> dict[str, Any]:
        made = [_detection(number, row) for number, row in enumerate(DETECTIONS, 1)]
        return {**super().fresh(), "alerts": {one["id"]: one for one in made}}


class StockedElasticsearch(Elasticsearch):
    """As Elasticsearch, but not empty."""

    def fresh(self) -> dict[str, Any]:
        made = [_document(number, row) for number, row in enumerate(RULES, 1)]
        documents = {one["kibana.alert.uuid"]: {"seq": place, "source": one} for place, one in enumerate(made, 1)}
        return {**super().fresh(), "indices": {INDEX: documents}, "sequence": len(made)}


def _moment(minutes: int) -> str:
    return (datetime.now(UTC) - timedelta(minutes=minutes)).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def _detection(number: int, row: Row) -> dict[str, Any]:
    minutes, title, severity, technique, host, address = row
    kind = "#microsoft.graph.security."
    return {
        "@odata.type": f"{kind}alert",
        "id": f"da-practice-{number}",
        "title": title,
        "severity": severity,
        "status": "new",
        "classification": "unknown",
        "serviceSource": "microsoftDefenderForEndpoint",
        "description": f"{title} on {host}.",
        "mitreTechniques": [technique],
        "createdDateTime": _moment(minutes),
        "lastUpdateDateTime": _moment(minutes),
        "evidence": [
            {"@odata.type": f"{kind}deviceEvidence", "deviceDnsName": host, "verdict": "unknown"},
            {"@odata.type": f"{kind}ipEvidence", "ipAddress": address, "verdict": "suspicious"},
        ],
    }


def _document(number: int, row: Row) -> dict[str, Any]:
    minutes, rule, severity, technique, host, address = row
    return {
        "@timestamp": _moment(minutes),
        "kibana.alert.uuid": f"practice-{number:04d}",
        "kibana.alert.rule.name": rule,
        "kibana.alert.reason": f"{rule} on {host}",
        "kibana.alert.severity": severity,
        "kibana.alert.workflow_status": "open",
        "kibana.alert.rule.threat": [{"framework": "MITRE ATT&CK", "technique": [{"id": technique}]}],
        "host": {"name": host},
        "source": {"ip": address},
    }
