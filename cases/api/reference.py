"""The schema and its page: for whoever has a token or is logged in (ingest-and-api.md 13, 14)."""

from __future__ import annotations

import hashlib
import json
import threading
from typing import Any

from django.http import HttpResponse
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import OpenApiJsonRenderer, OpenApiJsonRenderer2
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.views import APIView

_lock = threading.Lock()
_made: list[tuple[dict[str, Any], bytes, str]] = []


def document() -> dict[str, Any]:
    """The OpenAPI document. It is the same for everybody and made once in a process: that takes a second or two."""
    return _whole()[0]


class ApiSchema(APIView):
    """``/api/schema/``."""

    renderer_classes = [OpenApiJsonRenderer2, OpenApiJsonRenderer]

    @extend_schema(exclude=True)
    def get(self, request: Request) -> HttpResponse:
        """OpenAPI 3.1 as JSON; 304 for who has it."""
        _document, body, tag = _whole()
        if request.headers.get("If-None-Match", "").removeprefix("W/") == tag:
            return HttpResponse(status=304, headers={"ETag": tag})
        kind = "application/vnd.oai.openapi+json"
        return HttpResponse(body, content_type=kind, headers={"ETag": tag, "Cache-Control": "private, no-cache"})


def _generated() -> dict[str, Any]:
    generator: Any = SchemaGenerator
    made: dict[str, Any] = generator().get_schema(request=None, public=True)
    return made


def _whole() -> tuple[dict[str, Any], bytes, str]:
    with _lock:
        if not _made:
            found: dict[str, Any] = _generated()
            body = json.dumps(found, ensure_ascii=False, separators=(",", ":"), default=str).encode()
            _made.append((json.loads(body), body, f'"{hashlib.sha256(body).hexdigest()[:16]}"'))
        return _made[0]
