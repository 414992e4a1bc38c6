"""All that can be asked of the portal, from the URL configuration and the schema: a new one cannot be forgotten."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.urls import get_resolver
from django.urls.resolvers import RoutePattern, URLPattern, URLResolver
from drf_spectacular.generators import SchemaGenerator

VERBS = ("get", "post", "put", "patch", "delete")
# Django's own administration has its own tests; the schema tells of what lies below api/.
ELSEWHERE = ("admin/", "api/")
# What is tested together: for each a world is made, and all of them would take one process minutes.
GROUPS = (
    "call alerts", "call incidents", "call playbooks", "call rest", "call servicenow", "call sources", "page accounts",
    "page alerts", "page connectors", "page incidents", "page people", "page playbooks", "page rest", "page servicenow",
    "page settings", "page sources",
)  # fmt: skip
_PARAMETER = re.compile(r"<(?:\w+:)?(\w+)>|\{(\w+)\}")


@dataclass(frozen=True, order=True, slots=True)
class Operation:
    """A method on a route, ``GET alerts/<str:number>/``; of the API if programs ask it with a token."""

    route: str
    method: str
    api: bool

    def __str__(self) -> str:
        return f"{self.method} {self.route}"

    @property
    def parameters(self) -> tuple[str, ...]:
        """Names of what the route leaves open."""
        return tuple(first or second for first, second in _PARAMETER.findall(self.route))

    @property
    def group(self) -> str:
        """The part of the portal that it belongs to, one of GROUPS."""
        kind, first = "call" if self.api else "page", self.route.removeprefix("api/v1/").split("/")[0]
        return f"{kind} {first}" if f"{kind} {first}" in GROUPS else f"{kind} rest"

    def path(self, values: dict[str, object]) -> str:
        """The address with these values."""
        return "/" + _PARAMETER.sub(lambda found: str(values[found[1] or found[2]]), self.route)


def _routes(patterns: list[URLPattern | URLResolver], before: str = "") -> Iterator[tuple[str, URLPattern]]:
    for each in patterns:
        route = before + str(each.pattern)
        if isinstance(each, URLResolver):
            yield from _routes(each.url_patterns, route)
        elif isinstance(each.pattern, RoutePattern):
            yield route, each


def pages() -> list[Operation]:
    """Every page is asked for by GET and by POST."""
    told = {path.strip("/") for path in schema()}  # addresses of other products, which are calls
    routes = (route for route, _ in _routes(get_resolver().url_patterns) if not route.startswith(ELSEWHERE))
    found = {route for route in routes if route.strip("/") not in told}
    return [Operation(route, method, api=False) for route in sorted(found) for method in ("GET", "POST")]


def named() -> dict[str, str]:
    """The route of each page by the name of its address."""
    return {str(one.name): route for route, one in _routes(get_resolver().url_patterns) if one.name}


@cache
def schema() -> dict[str, Any]:
    """The API's description of itself, by path and method."""
    made: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    paths: dict[str, Any] = made["paths"]
    return paths


def calls() -> list[Operation]:
    """Every operation of the schema."""
    return [
        Operation(path.lstrip("/"), method.upper(), api=True)
        for path, item in sorted(schema().items())
        for method in VERBS
        if method in item
    ]


def example(operation: Operation) -> Any:
    """The body that the schema shows for a call, None if it takes none."""
    content = schema()[f"/{operation.route}"][operation.method.lower()].get("requestBody", {}).get("content", {})
    media = content.get("application/json", {})
    if "examples" in media:
        return next(iter(media["examples"].values()))["value"]
    return media.get("example")


@cache
def everything() -> tuple[Operation, ...]:
    """Pages and calls, in the order of the table."""
    return tuple(sorted({*pages(), *calls()}))
