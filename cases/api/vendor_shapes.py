"""The addresses of other products in the OpenAPI document (ingest-and-api.md 4 and 14)."""

from __future__ import annotations

from typing import Any

from cases.api.documented import IDEMPOTENCY_KEY

_TEXT, _WHOLE, _OBJECT = {"type": "string"}, {"type": "integer"}, {"type": "object"}
_LIST = {"results": {"type": "array", "items": _OBJECT}}
_RESULTS = {"type": "object", "properties": _LIST, "required": ["results"]}
_HIVE = {"_id": _TEXT, "id": _TEXT, "_type": _TEXT, "title": _TEXT, "severity": _WHOLE, "extraData": _OBJECT}
_HIVE_ERROR = {"type": _TEXT, "message": _TEXT}
_IRIS = {"status": {"enum": ["success", "error"]}, "message": _TEXT, "data": _OBJECT}
_IRIS2 = {**_IRIS, "alert_id": _WHOLE, "alert_uuid": _TEXT}
_OWN = {"id": {"type": ["integer", "null"]}, "created": {"type": "boolean"}}
_OPENSOAR = {
    "alert_id": _TEXT, "correlation_id": _TEXT, "title": _TEXT, "severity": _TEXT, "message": _TEXT,
    "playbooks_triggered": {"type": "array", "items": _TEXT},
}  # fmt: skip
_PROBLEM = {"title": _TEXT, "status": _WHOLE, "detail": _TEXT}
_REFUSED = {
    "400": "The body cannot be read.",
    "401": "No token, or one that is not valid.",
    "403": "The token is that of a source of another kind, or the source is disabled.",
    "405": "Alerts are posted.",
    "409": "The Idempotency-Key was used for another body.",
    "413": "Too large, or too many items.",
    "429": "Too many calls; wait `Retry-After` seconds.",
}


def vendor_paths() -> dict[str, Any]:
    """The paths of TheHive, DFIR-IRIS, Keep and OpenSOAR with what they answer."""
    hive = {"201": ("The new alert.", _HIVE), "200": ("A repeat: the same alert.", _HIVE)}
    iris = {"200": ("The alert, new or not.", _IRIS)}
    iris2 = {"201": ("The new alert.", _IRIS2), "200": ("A repeat: the same alert.", _IRIS2)}
    keep = {"202": ("Stored, one or all of a list.", {**_OWN, **_LIST})}
    opensoar = {"200": ("The alert, new or not.", _OPENSOAR)}
    return {
        "/api/v1/alert": _path("thehive", "TheHive", hive, _HIVE_ERROR),
        "/api/alert": _path("thehive_old", "TheHive before version 5", hive, _HIVE_ERROR),
        "/alerts/add": _path("iris", "DFIR-IRIS", iris, _IRIS),
        "/api/v2/alerts": _path("iris2", "DFIR-IRIS", iris2, _IRIS),
        "/alerts/event": _path("keep", "Keep", keep, None),
        "/api/v1/webhooks/alerts": _path("opensoar", "OpenSOAR", opensoar, None),
    }


def _path(name: str, product: str, answers: dict[str, tuple[str, Any]], error: dict[str, Any] | None) -> dict[str, Any]:
    """One address: ``error`` are the fields of a refusal, None for problem documents."""
    good = {status: _answer(text, fields, "application/json") for status, (text, fields) in answers.items()}
    kind = "application/problem+json" if error is None else "application/json"
    bad = {status: _answer(text, error or _PROBLEM, kind) for status, text in _REFUSED.items()}
    several = {"207": {"description": "Several.", "content": {"application/json": {"schema": _RESULTS}}}}
    return {
        "post": {
            "operationId": f"send_{name}",
            "summary": f"Send alerts as to {product}",
            "description": f"For senders of {product}: a new base URL and the token of a source of that kind will do.",
            "tags": ["ingest"],
            "parameters": [
                {
                    "in": "header",
                    "name": "Idempotency-Key",
                    "schema": _TEXT,
                    "description": IDEMPOTENCY_KEY.description,
                }
            ],
            "requestBody": {"required": True, "content": {"application/json": {"schema": _OBJECT}}},
            "security": [{"sourceToken": []}, {"sourceKey": []}, {"sourcePassword": []}],
            "responses": dict(sorted({**good, **several, **bad}.items())),
        }
    }


def _answer(text: str, fields: dict[str, Any], kind: str) -> dict[str, Any]:
    return {"description": text, "content": {kind: {"schema": {"type": "object", "properties": fields}}}}
