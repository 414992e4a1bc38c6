"""The form of what Falcon answers."""

from __future__ import annotations

from typing import Any

from soar.standins.base import Response, json_response


def resources(found: list[Any], status: int = 200, errors: list[dict[str, Any]] | None = None, **meta: Any) -> Response:
    """An answer in Falcon's envelope."""
    told = {"meta": {"trace_id": "0", **meta}, "errors": errors or [], "resources": found}
    return json_response(told, status)


def failure(code: int, message: str, status: int = 0, **meta: Any) -> Response:
    """An error in it; ``status`` of the answer, if that is another one."""
    return resources([], status or code, [{"code": code, "message": message}], **meta)
