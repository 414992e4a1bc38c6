"""The page of the API: every call from its schema, with what it takes and gives and a line for the shell."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

TONES = {"get": "t-blue", "post": "t-green", "put": "t-amber", "patch": "t-amber", "delete": "t-red"}
SEARCH_AT_MOST = 200
JSON = "application/json"
FORM = "multipart/form-data"
Document = dict[str, Any]


def page_of(document: Callable[[], Document]) -> Callable[..., HttpResponse]:
    """The view of the page, which shows what ``document`` gives: made above this floor."""

    @login_required
    @require_safe
    def api_docs(request: HttpRequest) -> HttpResponse:
        """``?tag=`` one group; ``?q=`` calls that have the words; without either, how it all works."""
        found = document()
        query = request.GET.get("q", "").replace("\x00", "").strip()[:SEARCH_AT_MOST]
        groups = _groups(found)
        tag = request.GET.get("tag", "") if not query else ""
        chosen = next((one for one in groups if one["name"] == tag), None)
        calls = _found(groups, query) if query else chosen["calls"] if chosen else []
        context = {
            "groups": groups,
            "group": chosen,
            "query": query,
            "calls": [_shown(found, *call) for call in calls],
            "intro": found["info"]["description"],
            "address": settings.SOAR_URL,
            "total": sum(len(one["calls"]) for one in groups),
        }
        return render(request, "cases/api_docs.html", context)

    return api_docs


def _groups(document: Document) -> list[dict[str, Any]]:
    groups = {one["name"]: {**one, "calls": []} for one in document["tags"]}
    for path, calls in document["paths"].items():
        for method, call in calls.items():
            if method in TONES:
                for tag in call.get("tags", ()):
                    groups[tag]["calls"].append((path, method, call))
    return list(groups.values())


def _found(groups: list[dict[str, Any]], query: str) -> list[tuple[str, str, Any]]:
    words = query.lower().split()
    return [call for one in groups for call in one["calls"] if all(word in _text(*call) for word in words)]


def _text(path: str, method: str, call: dict[str, Any]) -> str:
    return f"{method} {path} {call.get('summary', '')} {call.get('description', '')}".lower()


def _shown(document: Document, path: str, method: str, call: dict[str, Any]) -> dict[str, Any]:
    content = call.get("requestBody", {}).get("content", {})
    kind = JSON if JSON in content else next(iter(content), "")
    body = content.get(kind, {})
    example = _example(body)
    return {
        "id": call["operationId"],
        "path": path,
        "method": method.upper(),
        "tone": TONES[method],
        "summary": call.get("summary", ""),
        "text": call.get("description", ""),
        "params": [_param(one) for one in call.get("parameters", ())],
        "fields": _fields(document, body.get("schema", {})),
        "kind": kind,
        "curl": _curl(path, method, call, kind, example),
        "answers": [_answer(code, one) for code, one in sorted(call.get("responses", {}).items())],
    }


def _param(one: dict[str, Any]) -> dict[str, Any]:
    schema = one.get("schema", {})
    return {
        "name": one["name"],
        "place": one["in"],
        "required": one.get("required", False),
        "type": _type(schema),
        "words": ", ".join(str(word) for word in schema.get("enum", ())),
        "text": one.get("description", ""),
    }


def _fields(document: Document, schema: dict[str, Any]) -> list[dict[str, Any]]:
    shape = _resolved(document, schema)
    needed = shape.get("required", ())
    rows = []
    for name, one in shape.get("properties", {}).items():
        inner = _resolved(document, one)
        rows.append(
            {
                "name": name,
                "required": name in needed,
                "type": _type(inner),
                "words": ", ".join(str(word) for word in inner.get("enum", ()) if word is not None),
                "text": one.get("description") or ("" if "enum" in inner else inner.get("description", "")),
            }
        )
    return rows


def _resolved(document: Document, schema: dict[str, Any]) -> dict[str, Any]:
    if "$ref" in schema:
        found: dict[str, Any] = document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[-1]]
        return found
    return _resolved(document, schema["allOf"][0]) if "allOf" in schema else schema


def _type(schema: dict[str, Any]) -> str:
    types = schema.get("type", "")
    said = " or ".join(types) if isinstance(types, list) else str(types)
    return f"{said}, {schema['format']}" if schema.get("format") else said


def _answer(code: str, one: dict[str, Any]) -> dict[str, Any]:
    media: dict[str, Any] = next(iter(one.get("content", {}).values()), {})
    example = _example(media) if code < "400" else None
    text = json.dumps(example, indent=2, ensure_ascii=False) if example is not None else ""
    return {"code": code, "good": code < "400", "text": one.get("description", "").replace("`", ""), "example": text}


def _example(media: dict[str, Any]) -> Any:
    if "examples" in media:
        return next(iter(media["examples"].values())).get("value")
    return media.get("example")


def _curl(path: str, method: str, call: dict[str, Any], kind: str, example: Any) -> str:
    parts = ["curl"] + ([f"-X {method.upper()}"] if method != "get" else [])
    if call.get("security") != []:
        parts.append('-H "Authorization: Bearer $TOKEN"')
    if kind == JSON and example is not None:
        parts += [f'-H "Content-Type: {JSON}"', f"-d {shlex.quote(json.dumps(example, ensure_ascii=False))}"]
    elif kind == FORM:
        parts.append("-F file=@notes.txt")
    return " \\\n  ".join([" ".join(parts[:2]), *parts[2:], f'"{settings.SOAR_URL}{_filled(path)}"'])


def _filled(path: str) -> str:
    """The address with something in the place of what is to be filled in."""
    if path.startswith("/api/v1/incidents/"):
        path = path.replace("{id}", "INC-7", 1)
    if path.startswith("/api/v1/alerts/"):
        path = path.replace("{id}", "ALR-1042", 1)
    for name, value in {"{slug}": "mail-gateway", "{key}": "KEY", "{type}": "domain"}.items():
        path = path.replace(name, value)
    parts = [part if not part.startswith("{") else "12" for part in path.split("/")]
    return "/".join(parts)
