"""Workbench alerts of the Vision One stand-in: lists by time, single ones with an ETag, changes and notes."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from soar.standins.base import Request, Response, json_response
from soar.standins.visionone_tasks import failure, page

STATUSES = ("Open", "In Progress", "Closed")
RESULTS = ("No Findings", "Noteworthy", "True Positive", "False Positive", "Benign True Positive")
TIMES = ("createdDateTime", "updatedDateTime")


def fresh_alerts() -> dict[str, Any]:
    """Their state after a reset. ``race``: how often an alert is changed by somebody else before our change."""
    return {"alerts": {}, "notes": {}, "versions": {}, "race": 0, "page": 10, "patched": 0}


class Alerts:
    """The answers of this part; None for what is not of it."""

    def __init__(self, state: dict[str, Any]) -> None:
        self.state = state

    def answer(self, request: Request, path: str) -> Response | None:
        """See Tasks."""
        if not path.startswith("workbench/alerts"):
            return None
        identity, _, rest = path.removeprefix("workbench/alerts").strip("/").partition("/")
        if not identity:
            return self._list(request)
        alert = self.state["alerts"].get(identity)
        if alert is None:
            return failure(404, "NotFound", f"The alert {identity} was not found")
        if rest == "notes":
            return self._notes(request, identity)
        return self._change(request, identity) if request.method == "PATCH" else self._one(identity)

    def _list(self, request: Request) -> Response:
        by = request.argument("dateTimeTarget", "createdDateTime")
        if by not in TIMES:
            return failure(400, "BadRequest", f"dateTimeTarget is one of {', '.join(TIMES)}")
        first, last = request.argument("startDateTime"), request.argument("endDateTime", "9999")
        found = [one for one in self.state["alerts"].values() if first <= str(one[by]) <= last]
        found.sort(key=lambda one: str(one[by]), reverse=not request.argument("orderBy").endswith("asc"))
        return page(request, found, self.state["page"])

    def _one(self, identity: str) -> Response:
        return json_response(self.state["alerts"][identity], ETag=self._etag(identity))

    def _etag(self, identity: str) -> str:
        return f'"{self.state["versions"].get(identity, 1)}"'

    def _change(self, request: Request, identity: str) -> Response:
        if self.state["race"] > 0:
            self.state["race"] -= 1
            self._touch(identity)
        if request.headers.get("if-match") != self._etag(identity):
            return failure(412, "ConditionNotMet", "The alert was changed by somebody else")
        wish = request.json()
        status, result = wish.get("status"), wish.get("investigationResult")
        if status not in (None, *STATUSES) or result not in (None, *RESULTS):
            return failure(400, "BadRequest", "The status or the result is not known")
        self.state["alerts"][identity] |= {key: value for key, value in wish.items() if value is not None}
        self.state["patched"] += 1
        self._touch(identity)
        return Response(204)

    def _touch(self, identity: str) -> None:
        self.state["versions"][identity] = self.state["versions"].get(identity, 1) + 1
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        self.state["alerts"][identity]["updatedDateTime"] = now

    def _notes(self, request: Request, identity: str) -> Response:
        notes = self.state["notes"].setdefault(identity, [])
        if request.method == "GET":
            return page(request, notes, 10)
        content = str(request.json().get("content") or "")
        if not content or len(content) > 5000:
            return failure(400, "BadRequest", "A note has 1 to 5000 characters")
        notes.append({"id": len(notes) + 1, "content": content})
        return Response(201, b"", {"Location": f"{request.base}/v3.0/workbench/alerts/{identity}/notes/{len(notes)}"})
