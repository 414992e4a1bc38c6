"""Calling the API in tests as a program does: a token, JSON in, JSON out."""

from __future__ import annotations

import json
from typing import Any

from django.test import Client

from soar.accounts.actions.users import create_token
from soar.accounts.models import User


class Api:
    """A client with a token. ``post("/alerts/7/claim/", {...})``; paths are below ``/api/v1`` unless they begin with
    ``http`` or ``/api``."""

    def __init__(self, user: User | None, scopes: tuple[str, ...] = ()) -> None:
        self.client = Client(raise_request_exception=True)
        self.headers: dict[str, str] = {}
        if user is not None:
            _, token = create_token(user, "test", actor=user, scopes=scopes)
            self.headers["Authorization"] = f"Bearer {token}"

    def call(self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None) -> Any:
        """Any call; ``body`` is sent as JSON unless it is bytes."""
        raw = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        return self.client.generic(
            method, _full(path), raw, "application/json", headers={**self.headers, **(headers or {})}
        )

    def get(self, path: str, headers: Any = None, **params: Any) -> Any:
        """GET with query parameters."""
        return self.client.get(_full(path), params, headers={**self.headers, **(headers or {})})

    def post(self, path: str, body: Any = None, headers: dict[str, str] | None = None) -> Any:
        """POST."""
        return self.call("POST", path, body, headers)

    def patch(self, path: str, body: Any, headers: dict[str, str] | None = None) -> Any:
        """PATCH."""
        return self.call("PATCH", path, body, headers)

    def delete(self, path: str, headers: dict[str, str] | None = None) -> Any:
        """DELETE."""
        return self.call("DELETE", path, None, headers)


def _full(path: str) -> str:
    if path.startswith(("http", "/api")):
        return path
    return f"/api/v1{path}"


def problem_of(answer: Any, status: int) -> dict[str, Any]:
    """The problem document of an answer that must have this status."""
    assert answer.status_code == status, (answer.status_code, answer.content[:500])
    assert answer["Content-Type"] == "application/problem+json"
    body: dict[str, Any] = json.loads(answer.content)
    assert body["status"] == status
    assert body["detail"]
    return body


def wrong_fields(answer: Any) -> set[str]:
    """The fields that a 400 names."""
    return {error["field"] for error in problem_of(answer, 400)["errors"]}
