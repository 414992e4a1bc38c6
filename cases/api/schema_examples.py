"""Examples for the schema: every body and answer has one. What is not written down here is put together from the shape
by the names of its fields; a test holds each against its schema."""

from __future__ import annotations

from typing import Any

Schema = dict[str, Any]
DEPTH_AT_MOST = 8
TIME = "2026-03-01T12:30:05.120000Z"

# Bodies of calls, by the name of their shape.
BODIES: dict[str, Any] = {
    "AcceptSuggestionRequest": {"title": "Beaconing host"},
    "AlertChangesRequest": {"severity": "high", "tags": ["vip"]},
    "AssignRequest": {"owner": "mara", "team": "Blue"},
    "BulkRequest": {"filter": {"q": "scanner", "status": "open"}, "action": "resolve", "determination": "benign"},
    "CommentRequest": {"text": "Host is isolated."},
    "EscalateRequest": {"title": "Beaconing host", "owners": ["mara"]},
    "IncidentChangesRequest": {"severity": "critical", "tags": ["apt"]},
    "IncidentCommentRequest": {"text": "Host is isolated.", "kind": "comment"},
    "IncidentStatusChangeRequest": {"status": "resolved", "determination": "malicious"},
    "PauseReasonRequest": {"reason": "Waiting for the provider's logs."},
    "ResumeReasonRequest": {"reason": "The logs have come."},
    "SlaPolicyChangesRequest": {"targets": {"high": {"contain": 180, "always": False}}, "time_zone": "Europe/Berlin"},
    "LinkAlertRequest": {"incident": "INC-7"},
    "LinkAlertsRequest": {"alerts": ["ALR-1042"]},
    "MergeRequest": {"incidents": ["INC-7"]},
    "MarkNotificationsRequest": {"up_to": 1042},
    "MarkUnreadRequest": {"ids": [1042]},
    "NewAlertRequest": {
        "title": "Beacon to 203.0.113.7",
        "severity": "high",
        "hostname": "FIN-LT-0231",
        "observables": [{"type": "ip", "value": "203.0.113.7"}],
    },
    "NewAssetRequest": {"name": "FIN-LT-0231", "system": "Windows 11", "addresses": ["10.20.4.31"]},
    "NewBlockRequest": {"type": "domain", "value": "evil.example", "reason": "Beacon", "days": 30},
    "NewEventRequest": {"text": "First sign-in from 203.0.113.7", "occurred_at": TIME},
    "LetInRequest": {"user": "mara"},
    "NewConnectorRequest": {"kind": "slack", "name": "SOC", "settings": {"url": "https://hooks.example/services/T"}},
    "NewIncidentRequest": {"title": "Beaconing host", "alerts": ["ALR-1042"], "lead": "mara"},
    "NewObservableRequest": {"type": "ip", "value": "203.0.113.7"},
    "NewRelationRequest": {"incident": "INC-7", "relation": "child_of"},
    "NewSourceRequest": {"name": "Mail gateway", "kind": "generic", "default_severity": "medium"},
    "NewTaskRequest": {"title": "Isolate FIN-LT-0231", "required": True, "assignee": "mara"},
    "NewTokenRequest": {"name": "Nightly export", "scopes": ["view_cases"], "days": 90},
    "NotificationSettingsChangesRequest": {
        "choices": {"comment": {"email": "hourly"}, "team": {"inbox": False}},
        "quiet_from": "22:00",
        "quiet_until": "06:30",
    },
    "OwnersRequest": {"add": ["mara"], "lead": "mara"},
    "ReopenRequest": {"reason": "Seen again"},
    "ResolveRequest": {"determination": "benign", "findings": "false_positive", "reason": "Our scanner"},
    "SplitRequest": {"alerts": ["ALR-1042"], "title": "Second host"},
    "SetWatchRequest": {"state": "mute", "until": "2027-03-01T12:30:05Z"},
    "UnlinkAlertsRequest": {"alerts": ["ALR-1042"]},
}

# Values by the name of the field, where its type allows it.
NAMES: dict[str, Any] = {
    "id": 1042,
    "number": "ALR-1042",
    "url": "https://soar.example/alerts/ALR-1042/",
    "title": "Beacon to 203.0.113.7",
    "name": "Mail gateway",
    "username": "mara",
    "owner": "mara",
    "lead": "mara",
    "assignee": "mara",
    "team": "Blue",
    "source": "mail-gateway",
    "slug": "mail-gateway",
    "incident": "INC-7",
    "hostname": "FIN-LT-0231",
    "source_ip": "203.0.113.7",
    "value": "203.0.113.7",
    "detail": "There is nothing at this address, or it is not for you to see.",
    "text": "Host is isolated.",
    "reason": "Our scanner",
    "kind": "generic",
    "hash": "5f0c1d2e",
    "version": 3,
    "count": 1,
    "techniques": ["T1071"],
    "tags": ["vip"],
    "observables": [],
    "description": "",
    "cron": "",
    "message": "This is needed.",
    "field": "title",
    "next": None,
    "previous": None,
}
FORMATS = {
    "date-time": TIME,
    "uuid": "0d9c8f2e-7b1a-4c3d-9e5f-6a7b8c9d0e1f",
    "uri": "https://soar.example/alerts/ALR-1042/",
    "email": "mara@example.com",
    "binary": "Seen at 10:00",
    "date": "2026-03-01",
}
PLAIN: dict[str, Any] = {"integer": 1, "number": 1.0, "boolean": True, "string": "text", "null": None}


class Examples:
    """Puts examples together for the schemas of one document."""

    def __init__(self, shapes: dict[str, Schema]) -> None:
        self._shapes = shapes

    def body(self, schema: Schema) -> Any:
        """For a request: what is written down, or what is required."""
        return self._made(schema, "", False, 0)

    def answer(self, schema: Schema) -> Any:
        """For an answer: every key."""
        return self._made(schema, "", True, 0)

    def _made(self, schema: Schema, name: str, whole: bool, depth: int) -> Any:
        if "$ref" in schema:
            return self._of_shape(schema["$ref"].rsplit("/", 1)[-1], name, whole, depth)
        if (given := self._given(schema, name)) is not None:
            return given
        for several in ("allOf", "oneOf", "anyOf"):
            if several in schema:
                return self._made(schema[several][0], name, whole, depth)
        return self._of_type(schema, name, whole, depth)

    def _of_shape(self, shape: str, name: str, whole: bool, depth: int) -> Any:
        if not whole and shape in BODIES:
            return BODIES[shape]
        return self._made(self._shapes[shape], name, whole, depth)

    @staticmethod
    def _given(schema: Schema, name: str) -> Any:
        for key in ("example", "const", "default"):
            if schema.get(key) is not None:
                return schema[key]
        if "enum" in schema:
            return NAMES[name] if NAMES.get(name) in schema["enum"] else schema["enum"][0]
        return schema["examples"][0] if isinstance(schema.get("examples"), list) and schema["examples"] else None

    def _of_type(self, schema: Schema, name: str, whole: bool, depth: int) -> Any:
        types = schema.get("type", "object" if "properties" in schema else "string")
        types = types if isinstance(types, list) else [types]
        if name in NAMES and _fits(NAMES[name], types):
            return NAMES[name]
        if schema.get("format") in FORMATS and "string" in types:
            return FORMATS[schema["format"]]
        if types[0] == "object":
            return self._object(schema, whole, depth)
        if types[0] == "array":
            few = depth < DEPTH_AT_MOST and schema.get("items") is not None
            return [self._made(schema["items"], name.removesuffix("s"), whole, depth + 1)] if few else []
        return _bounded(schema, PLAIN[types[0]])

    def _object(self, schema: Schema, whole: bool, depth: int) -> Any:
        if depth > DEPTH_AT_MOST:
            return {}
        wanted = schema.get("properties", {})
        names = wanted if whole else schema.get("required", ())
        return {name: self._made(wanted[name], name, whole, depth + 1) for name in names if name in wanted}


def _bounded(schema: Schema, value: Any) -> Any:
    if isinstance(value, int) and not isinstance(value, bool) and "minimum" in schema:
        return max(value, schema["minimum"])
    return value


def _fits(value: Any, types: list[str]) -> bool:
    kinds = {"null": type(None), "string": str, "boolean": bool, "integer": int, "array": list, "number": float}
    return any(type(value) is kinds.get(one) for one in types)
