"""Trend Vision One, public API v3.0: response tasks that go queued, running, succeeded while they are asked for.

State that tests look at: ``endpoints`` (name -> guid, isolated), ``tasks``, and per key (the description that the
caller sent) ``commands`` (how often it was taken) and ``effects`` (how often it was really done)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from soar.standins.arranged import Arranged
from soar.standins.base import Request, Response, json_response, text_response
from soar.standins.visionone_alerts import Alerts, fresh_alerts
from soar.standins.visionone_objects import Objects, fresh_objects
from soar.standins.visionone_tasks import Tasks, failure

VERSION = "/v3.0/"
LARGEST_BODY = 1_000_000


class VisionOne(Arranged):
    """Any token but "expired" is taken, any endpoint is known unless its name begins with "unknown".

    ``POST _control/arrange``: ``{"next": "failed" | "rejected" | "pendingApproval" | "canceled"}`` is how the next
    task ends; ``{"polls": n}``: how often a task is asked for before it has ended; and any name of the state."""

    kind: ClassVar[str] = "visionone"
    lasting = True

    def fresh(self) -> dict[str, Any]:
        counts: dict[str, Any] = {
            "commands": {},
            "effects": {},
            "duplicates": 0,
            "polls": 2,
            "next": [],
            "number": 0,
            "blind": False,
        }
        things: dict[str, Any] = {"endpoints": {}, "tasks": {}, "messages": {}, "accounts": {}}
        return {**counts, **things, **fresh_objects(), **fresh_alerts()}

    def hurried(self) -> Response:
        return failure(429, "TooManyRequests", "Too many API requests")

    def refused(self, status: int) -> Response:
        if status == 401:
            return failure(401, "InvalidToken", "Access token is invalid or has expired")
        return failure(403, "AccessDenied", "The role does not allow this")

    def answer(self, request: Request) -> Response:
        """See Standin."""
        if request.path.startswith("/storage/"):  # another host in truth, which knows no token
            return Response(200, b"PK archive with a password", {"Content-Type": "application/zip"})
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme != "Bearer" or not token or token.startswith("expired"):
            return self.refused(401)
        if not request.path.startswith(VERSION):
            return text_response("<html><body>Not found</body></html>", 404, "text/html")
        if len(request.body) > LARGEST_BODY and not request.path.startswith("/v3.0/sandbox/"):
            return text_response("<html><h1>413 Request Entity Too Large</h1></html>", 413, "text/html")
        return self._routed(request, request.path.removeprefix(VERSION))

    def _routed(self, request: Request, path: str) -> Response:
        if path == "healthcheck/connectivity":
            return json_response({"status": "available"})
        for handler in self.handlers():
            if answer := handler(request, path):
                return answer
        return failure(404, "NotFound", f"There is no {path}")

    def handlers(self) -> list[Callable[[Request, str], Response | None]]:
        """The parts of the API; each answers what is its own."""
        return [
            Tasks(self.state).answer,
            Objects(self.state).answer,
            Alerts(self.state).answer,
        ]
