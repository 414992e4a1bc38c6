"""Answers as the clients of other products read them (contract.md: vendor paths).

A repeat is never an error: it answers with the alert that is there and how often it was seen.
"""

from __future__ import annotations

import time
from typing import Any

import msgspec
from django.conf import settings
from django.http import HttpResponse

from cases.api.dialects import Answer, Headers, own_answer
from cases.choices import Severity
from cases.ingest.pipeline import Outcome
from cases.ingest.prepare import Rules
from cases.ingest.reading import read
from cases.ingest.registry import kind_of
from cases.ingest.text import clean_json

HIVE_TYPES = {
    400: "BadRequest", 401: "AuthenticationError", 403: "AuthorizationError", 405: "MethodNotAllowed",
    409: "ConflictError", 413: "EntityTooLarge", 429: "TooManyRequests",
}  # fmt: skip
HIVE_SEVERITIES = {1: "LOW", 2: "MEDIUM", 3: "HIGH", 4: "CRITICAL"}
HIVE_TLP = ("CLEAR", "GREEN", "AMBER", "AMBER+STRICT", "RED")
IRIS_FIELDS = (
    "alert_title", "alert_description", "alert_source", "alert_source_ref", "alert_source_link", "alert_severity_id",
    "alert_status_id", "alert_source_event_time", "alert_note", "alert_tags", "alert_customer_id", "alert_context",
    "alert_classification_id", "alert_source_content",
)  # fmt: skip


def hive_answer(rules: Rules, outcomes: list[Outcome], several: bool, body: bytes) -> Answer:
    """TheHive's alert: what was sent, with its id, label and times; 201 for a new one, 200 for a repeat."""
    if several:
        return own_answer(rules, outcomes, several, body)
    one, sent = outcomes[0], _sent(body)
    now = int(time.time() * 1000)
    severity, tlp = _whole(sent.get("severity"), 2), _whole(sent.get("tlp"), 2)
    observables = sent.get("observables") if "observables" in sent else sent.get("artifacts")
    alert = {
        "tags": [], "customFields": [], "follow": True, "description": "", "date": now, "pap": 2, "externalLink": None,
        "caseTemplate": None, **{key: value for key, value in sent.items() if key != "observables"},
        "_id": f"~{one.id}", "id": f"~{one.id}", "_type": "Alert", "_createdBy": rules.source_name, "_createdAt": now,
        "createdBy": rules.source_name, "createdAt": now, "severity": severity,
        "severityLabel": HIVE_SEVERITIES.get(severity, ""), "tlp": tlp,
        "tlpLabel": HIVE_TLP[tlp] if 0 <= tlp < len(HIVE_TLP) else "", "papLabel": "", "stage": "New",
        "status": "New", "observableCount": len(observables) if isinstance(observables, list) else 0,
        "newDate": now, "timeToDetect": 0,
        "extraData": {"number": f"ALR-{one.id}", "url": _page(one), "created": one.created, "count": one.count},
    }  # fmt: skip
    return (201 if one.created else 200), alert


def hive_refusal(status: int, detail: str, headers: Headers) -> HttpResponse:
    """``{"type", "message"}``, of which thehive4py makes its error."""
    return _json(status, {"type": HIVE_TYPES.get(status, "InternalError"), "message": detail}, headers)


def iris_answer(rules: Rules, outcomes: list[Outcome], several: bool, body: bytes) -> Answer:
    """IRIS' envelope with the alert in ``data``; 200 whether the alert is new or not."""
    if several:
        return own_answer(rules, outcomes, several, body)
    one, sent = outcomes[0], _sent(body)
    data = {name: sent[name] for name in IRIS_FIELDS if name in sent}
    data |= {"alert_id": one.id, "alert_uuid": one.cause, "alert_creation_time": _now()}
    data |= {"iocs": sent.get("alert_iocs") or [], "assets": sent.get("alert_assets") or [], "cases": []}
    data |= {"number": f"ALR-{one.id}", "url": _page(one), "created": one.created, "count": one.count}
    return 200, {"status": "success", "message": "", "data": data}


def iris2_answer(rules: Rules, outcomes: list[Outcome], several: bool, body: bytes) -> Answer:
    """The same for ``/api/v2/alerts``, which creates with 201; the id also stands where its clients look for it."""
    status, answer = iris_answer(rules, outcomes, several, body)
    if several:
        return status, answer
    named = {key: answer["data"][key] for key in ("alert_id", "alert_uuid")}
    return (201 if outcomes[0].created else 200), {**answer, **named}


def iris_refusal(status: int, detail: str, headers: Headers) -> HttpResponse:
    """IRIS' envelope of an error."""
    return _json(status, {"status": "error", "message": detail, "data": {}}, headers)


def keep_answer(rules: Rules, outcomes: list[Outcome], several: bool, body: bytes) -> Answer:
    """202, which Keep's senders wait for; the alerts are stored all the same. With a refused one among several it is
    207, so that nobody takes it for accepted."""
    status, answer = own_answer(rules, outcomes, several, body)
    return (status if any(one.detail for one in outcomes) else 202), answer


def opensoar_answer(rules: Rules, outcomes: list[Outcome], several: bool, body: bytes) -> Answer:
    """OpenSOAR's reply. Playbooks are matched by the worker, so none can be named yet."""
    if several:
        return own_answer(rules, outcomes, several, body)
    one, sent = outcomes[0], _sent(body)
    alert = kind_of(rules.kind).normalise(sent)
    severity = alert.severity or Severity(rules.default_severity).word
    said = "Alert received" if one.created else f"Seen again, {one.count} times in all"
    told = {"alert_id": str(one.id), "correlation_id": one.cause, "playbooks_triggered": [], "message": said}
    return 200, {**told, "title": alert.title, "severity": severity, **one.as_json(rules)}


def _sent(body: bytes) -> dict[str, Any]:
    """What was sent, as it can be sent back and be kept: without NUL and halves of characters."""
    sent: dict[str, Any] = clean_json(read(body)[0][0].value)[0]
    return sent


def _whole(value: Any, default: int) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else default


def _page(one: Outcome) -> str:
    return f"{settings.SOAR_URL}/alerts/ALR-{one.id}/"


def _now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime())


def _json(status: int, answer: dict[str, Any], headers: Headers) -> HttpResponse:
    body = msgspec.json.encode(answer)
    given = {"Content-Length": str(len(body)), **(headers or {})}
    return HttpResponse(body, status=status, content_type="application/json", headers=given)
