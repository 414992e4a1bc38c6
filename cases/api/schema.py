"""How the schema names the logins, and what other products post to: plain views that DRF does not know."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from drf_spectacular.extensions import OpenApiAuthenticationExtension

from cases.api.documented import IDEMPOTENCY_KEY
from cases.api.vendor_shapes import vendor_paths
from soar.problems import CONTENT_TYPE


class TokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """Personal tokens."""

    target_class = "soar.accounts.authentication.TokenAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        """``Authorization: Bearer``."""
        return {"type": "http", "scheme": "bearer", "description": "A personal API token."}


class SessionScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """The session of the pages."""

    target_class = "soar.accounts.authentication.SessionAuthentication"
    name = "cookieAuth"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        """The cookie."""
        return {"type": "apiKey", "in": "cookie", "name": settings.SESSION_COOKIE_NAME}


def add_ingest(result: dict[str, Any], generator: Any, request: Any, public: bool) -> dict[str, Any]:
    """Postprocessing hook: the ingest endpoint as in contract.md, and the webhook of ServiceNow."""
    result["components"]["schemas"] |= _INGEST_SHAPES
    result["components"]["securitySchemes"] |= {
        "sourceToken": {"type": "http", "scheme": "bearer", "description": "The token of an alert source."},
        "sourceKey": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
        "sourcePassword": {"type": "http", "scheme": "basic", "description": "The same as the password."},
    }
    result["components"]["securitySchemes"] |= {
        "webhookSecret": {"type": "http", "scheme": "bearer", "description": "The secret of an instance's webhook."},
        "webhookKey": {"type": "apiKey", "in": "header", "name": "X-Soar-Secret"},
    }
    result["paths"]["/api/v1/ingest/{slug}/"] = {"post": _INGEST}
    result["paths"] |= vendor_paths()
    result["paths"]["/api/v1/servicenow/{slug}/events/"] = {"post": _EVENTS}
    result["paths"] = dict(sorted(result["paths"].items()))
    result["components"]["schemas"] = dict(sorted(result["components"]["schemas"].items()))
    return result


def _ref(name: str) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{name}"}


def _json(name: str, description: str) -> dict[str, Any]:
    return {"description": description, "content": {"application/json": {"schema": _ref(name)}}}


def _problem(description: str) -> dict[str, Any]:
    return {"description": description, "content": {CONTENT_TYPE: {"schema": _ref("Problem")}}}


_FACTS = {
    "id": {"type": ["integer", "null"]},
    "number": {"type": "string"},
    "url": {"type": "string"},
    "created": {"type": "boolean"},
    "count": {"type": "integer"},
    "cause": {"type": "string", "format": "uuid"},
    "dedup_key": {"type": "string", "description": "What a repeat is known by"},
    "visible_to": {
        "type": "object",
        "properties": {"team": {"type": ["integer", "null"]}, "source": {"type": "string"}},
    },
    "note": {"type": "string", "description": "Why nothing was made or changed, or what was mended"},
}
_INGEST_SHAPES = {
    "IngestAnswer": {"type": "object", "description": "What became of an alert.", "properties": _FACTS},
    "IngestResults": {
        "type": "object",
        "description": "One result per item, in the order sent.",
        "properties": {
            "results": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {"status": {"type": "integer"}, **_FACTS, "detail": {"type": "string"}},
                    "required": ["status"],
                },
            }
        },
        "required": ["results"],
    },
}
_ANY_JSON = {"oneOf": [{"type": "object"}, {"type": "array", "items": {"type": "object"}, "maxItems": 1000}]}
_INGEST = {
    "operationId": "ingest",
    "summary": "Send alerts",
    "description": "One object, a list, or NDJSON, in the form of the source's kind. At most 1,000 items and 10 MiB, "
    "after `Content-Encoding: gzip`. 2xx means stored.",
    "tags": ["ingest"],
    "parameters": [
        {"in": "path", "name": "slug", "schema": {"type": "string"}, "required": True},
        {
            "in": "header",
            "name": "Idempotency-Key",
            "schema": {"type": "string"},
            "description": IDEMPOTENCY_KEY.description,
        },
    ],
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": _ANY_JSON}, "application/x-ndjson": {"schema": {"type": "string"}}},
    },
    "security": [{"sourceToken": []}, {"sourceKey": []}, {"sourcePassword": []}],
    "responses": {
        "200": _json("IngestAnswer", "A repeat: the same alert, counted."),
        "201": _json("IngestAnswer", "A new alert."),
        "207": _json("IngestResults", "Several."),
        "400": _problem("The body cannot be read."),
        "401": _problem("No token, or one that is not valid."),
        "403": _problem("The token belongs to another source, or the source is disabled."),
        "405": _problem("Alerts are posted."),
        "409": _problem("The Idempotency-Key was used for another body."),
        "413": _problem("Too large, or too many items."),
        "429": _problem("Too many calls; wait `Retry-After` seconds."),
    },
}
_EVENTS = {
    "operationId": "servicenow_events",
    "summary": "Hurry the poll of a ServiceNow instance",
    "description": "ServiceNow posts here when something changed. Nothing of the body (at most 64 KiB) is believed; "
    "however often it is called, one poll waits. Instead of the secret a signature of the body will do: "
    "`X-Webhook-Signature: sha256=<hex HMAC-SHA256>`.",
    "tags": ["servicenow"],
    "parameters": [{"in": "path", "name": "slug", "schema": {"type": "string"}, "required": True}],
    "requestBody": {"content": {"application/json": {"schema": {"type": "object"}, "example": {"sys_id": "46d44a5d"}}}},
    "security": [{"webhookSecret": []}, {"webhookKey": []}],
    "responses": {
        "202": {
            "description": "Heard. `queued`: this call has put a poll into the queue.",
            "content": {
                "application/json": {
                    "schema": {"type": "object", "properties": {"queued": {"type": "boolean"}}},
                    "example": {"queued": True},
                }
            },
        },
        "401": _problem("No secret or a wrong one, or there is no such instance."),
        "405": _problem("Events are posted."),
        "413": _problem("The body is larger than 64 KiB."),
        "429": _problem("Too many calls from this address; wait `Retry-After` seconds."),
    },
}
