"""RFC 9457 problem+json: the one shape of an error in the API (ingest-and-api.md 14)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.http import Http404, HttpResponse
from django.utils.translation import gettext as _
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import set_rollback

from soar.lib.errors import CaseError

CONTENT_TYPE = "application/problem+json"


def problem(status: int, detail: str, *, headers: dict[str, str] | None = None, **extra: Any) -> HttpResponse:
    """A problem document. ``extra`` may hold ``code``, ``errors`` ([{field, message}]), ``url`` and more."""
    body = json.dumps(_body(status, detail, extra), default=str).encode()
    given = {"Content-Length": str(len(body)), **(headers or {})}
    return HttpResponse(body, status=status, content_type=CONTENT_TYPE, headers=given)


def _body(status: int, detail: str, extra: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        **extra,
    }


def handler(error: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's exception handler: everything foreseen becomes a problem; the rest goes on to the 500 page."""
    if isinstance(error, CaseError):
        return _of_case(error)
    if isinstance(error, Http404):
        error = exceptions.NotFound()
    elif isinstance(error, PermissionDenied):
        error = exceptions.PermissionDenied()
    elif isinstance(error, RequestDataTooBig):
        return _answer(413, _("The body is larger than 10 MiB."), {}, {})
    if not isinstance(error, exceptions.APIException):
        return None
    set_rollback()
    return _answer(error.status_code, *_of_detail(error.detail), _headers(error))


def _of_case(error: Any) -> Response:
    extra: dict[str, Any] = {"code": error.code}
    extra |= {name: value for name, value in error.extra.items() if isinstance(value, str | int | bool | list)}
    if str(extra.get("url", "")).startswith("/"):
        extra["url"] = f"{settings.SOAR_URL}{extra['url']}"
    if error.field:
        extra["errors"] = [{"field": error.field, "message": error.message}]
    if isinstance(several := error.extra.get("errors"), dict):
        extra["errors"] = [{"field": name, "message": message} for name, message in several.items()]
    set_rollback()
    wait = error.extra.get("retry_after")
    return _answer(error.status, error.message, extra, {"Retry-After": str(wait)} if wait else {})


def _answer(status: int, detail: str, extra: dict[str, Any], headers: dict[str, str]) -> Response:
    return Response(_body(status, detail, extra), status=status, headers=headers, content_type=CONTENT_TYPE)


def _of_detail(detail: Any) -> tuple[str, dict[str, Any]]:
    """A sentence and, for validation errors, one row per field."""
    if isinstance(detail, dict):
        rows = [{"field": name, "message": message} for name, message in _flat(detail)]
        return (rows[0]["message"] if rows else _("The input is not right.")), {"errors": rows}
    if isinstance(detail, list):
        return " ".join(str(item) for item in detail), {}
    return str(detail), {"code": getattr(detail, "code", "error")}


def _flat(detail: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """Every message with the dotted name of its field: ``observables.0.type``."""
    if isinstance(detail, dict):
        for key, inner in detail.items():
            yield from _flat(inner, f"{name}.{key}" if name else str(key))
    elif isinstance(detail, list):
        for inner in detail:
            yield from _flat(inner, name)
    else:
        yield name, str(detail)


def _headers(error: exceptions.APIException) -> dict[str, str]:
    headers = {}
    if challenge := getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = challenge
    if wait := getattr(error, "wait", None):
        headers["Retry-After"] = str(int(wait) + 1)
    return headers
