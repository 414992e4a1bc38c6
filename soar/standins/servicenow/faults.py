"""Faults that one can order of the instance, for any request or for those of one sort alone."""

from __future__ import annotations

import time
from http import HTTPStatus
from typing import Any

from soar.standins.base import FAULTS, Request, Response
from soar.standins.servicenow.answers import failure, hibernating

# Besides those of base: "lost" takes the write and never answers, "late" takes it and answers after ``delay`` seconds.
# "first": right before the request somebody there does something (``verb`` of the control, with its ``wish``).
KINDS = (*FAULTS, "lost", "late", "first", "hibernate", "400")
WRITES = {"POST": "create", "PATCH": "update", "PUT": "update", "DELETE": "delete"}
TAKEN = ("after", "lost", "late", "slow", "first")  # the instance does what it is asked, only the answer suffers


def sorts_of(request: Request) -> set[str]:
    """What sorts of request this one is of; the name of its table too."""
    parts = request.path.strip("/").split("/")
    if request.path.startswith("/oauth_token.do"):
        return {"any", "token"}
    found = {"any", "read"} if request.method in ("GET", "HEAD") else {"any", "write"}
    if "attachment" in parts:
        return found | {"attach"} if request.method == "POST" else found | {WRITES.get(request.method, "read")}
    if "import" in parts:
        return found | {"import"}
    if "table" in parts:
        found |= set(parts[parts.index("table") + 1 :][:1])
    if request.method in WRITES:
        found.add(WRITES[request.method])
        if b'"work_notes"' in request.body or b'"comments"' in request.body:
            found.add("journal")
    return found


def written(request: Request) -> dict[str, str]:
    """The fields that a write sends, each cut to 200 characters; none for what is no JSON object."""
    if request.method not in WRITES or not request.body.startswith(b"{"):
        return {}
    try:
        return {str(name): str(value)[:200] for name, value in request.json().items()}
    except (ValueError, AttributeError):
        return {}


def ordered(wish: Any) -> dict[str, Any]:
    """A fault as it is kept. Raises ValueError."""
    if not isinstance(wish, dict) or str(wish.get("kind")) not in KINDS:
        raise ValueError(f"kind is one of: {', '.join(KINDS)}")
    until = time.monotonic() + float(wish["seconds"]) if "seconds" in wish else None
    return {
        **wish,
        "kind": str(wish["kind"]),
        "left": int(wish.get("times", 1)),
        "skip": int(wish.get("skip", 0)),
        "until": until,
    }


def take(faults: list[dict[str, Any]], request: Request) -> dict[str, Any] | None:
    """The first fault that is meant for this request, counted; those that are over are removed."""
    sorts = sorts_of(request)
    now = time.monotonic()
    faults[:] = [one for one in faults if (now < one["until"] if one["until"] is not None else one["left"] > 0)]
    for one in faults:
        if str(one.get("on", "any")) not in sorts:
            continue
        if one["skip"] > 0:
            one["skip"] -= 1
            continue
        one["left"] -= 1
        return one
    return None


def worded(fault: dict[str, Any]) -> Response | None:
    """A refusal in the words that were ordered with it, or the page of a sleeping instance; None for no words."""
    if fault["kind"] == "hibernate":
        return hibernating()
    if fault["kind"].isdecimal() and ("message" in fault or "headers" in fault):
        status = int(fault["kind"])
        answer = failure(status, str(fault.get("message", HTTPStatus(status).phrase)), fault.get("detail"))
        answer.headers |= {str(name): str(value) for name, value in fault.get("headers", {}).items()}
        return answer
    return failure(400, "Invalid request", None) if fault["kind"] == "400" else None
