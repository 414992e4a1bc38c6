"""Trend Vision One: response actions, polled to their end (connectors.md 3, 4)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, ClassVar

from soar.connectors.base import ConnectorError
from soar.connectors.capabilities import Result, Target
from soar.connectors.kinds import Kind, Setting
from soar.connectors.visionone.client import Api, objects
from soar.connectors.visionone.commands import COMMANDS, Command, body_of, mark
from soar.connectors.visionone.errors import error_of, json_of, permanent, understood
from soar.connectors.visionone.tasks import result_of
from soar.lib import clock
from soar.lib.http import Answer

LOOK_BACK = timedelta(hours=24)
TIME = "%Y-%m-%dT%H:%M:%SZ"


class VisionOne(Api):
    """Every command carries our key in its description: Vision One knows no idempotency key, but it takes the same
    command on the same target for one while the first is under way ("Task duplication.")."""

    kind = "visionone"
    serves: ClassVar[frozenset[str]] = frozenset(COMMANDS)
    repeatable: ClassVar[frozenset[str]] = frozenset(name for name, one in COMMANDS.items() if one.repeatable)

    def check(self) -> str:
        """Ask whether the API answers and takes the token. Raises ConnectorError."""
        found = self.get("test", "healthcheck/connectivity")
        status = found.get("status") if isinstance(found, dict) else None
        if status not in {"available", "ok"}:
            raise ConnectorError(f"Vision One says that it is {status or 'not available'}.", permanent=False)
        return "Vision One is available and takes the token."

    def perform(self, capability: str, target: Target, params: dict[str, Any], *, key: str) -> Result:
        """See Responder."""
        command = self._command(capability)
        body = body_of(command, target, params, mark(key))
        answer = self.send(capability, "POST", command.path, key=key, json=body)
        reference = reference_of(answer)
        request = {"method": "POST", "path": f"/{command.path}", "body": body}
        return Result(
            "accepted", "Vision One took the task.", reference=reference, request=request, answer=kept(answer)
        )

    def poll(self, capability: str, reference: str) -> Result:
        """See Responder."""
        task = self._task(f"{capability}.poll", f"response/tasks/{reference}")
        return result_of(task)

    def recall(self, capability: str, target: Target, *, key: str) -> Result | None:
        """The task that bears our key, among those of the last 24 hours."""
        command = self._command(capability)
        names = (command.action, f"{command.action}ForMultiple")
        wanted = mark(key)
        now = clock.now()
        params = {
            "startDateTime": (now - LOOK_BACK).strftime(TIME),
            "dateTimeTarget": "createdDateTime",
            "orderBy": "createdDateTime desc",
            "top": 100,
        }
        headers = {"TMV1-Filter": " or ".join(f"action eq '{name}'" for name in names)}
        for task in self.items(f"{capability}.recall", "response/tasks", params=params, headers=headers):
            if wanted in str(task.get("description") or ""):
                return result_of(task)
        return None

    def requests(self, capability: str, target: Target, params: dict[str, Any]) -> list[dict[str, Any]]:
        """See Responder."""
        command = self._command(capability)
        body = body_of(command, target, params, "Soar [key of the task]")
        return [self.preview("POST", self.path(command.path), json=body)["request"]]

    def _command(self, capability: str) -> Command:
        command = COMMANDS.get(capability)
        if command is None:
            raise ConnectorError(f"Vision One cannot do {capability}.", permanent=True)
        return command

    def _task(self, operation: str, path: str) -> dict[str, Any]:
        answer = self.call(operation, "GET", self.path(path))
        if answer.status == 404:  # it may not be listed yet; the deadline of the task ends the asking
            raise ConnectorError("Vision One does not know the task (yet).", permanent=False, status=404)
        found = understood(answer)
        if not isinstance(found, dict):
            raise ConnectorError("Vision One described a task in a way that is not known.", permanent=False)
        return found


def reference_of(answer: Answer) -> str:
    """The id of the task that a multi-status answer with one item names.

    Raises ConnectorError when the item was refused. "Task duplication." names the task that is under way already: to
    us the same one."""
    try:
        document = json_of(answer)
    except ValueError:
        text = "Vision One answered with something that is not JSON."
        raise ConnectorError(text, permanent=False, outcome_unknown=True) from None
    first = (objects(document) or objects([document]) or [{}])[0]
    told = first.get("status")
    status = told if isinstance(told, int) else answer.status
    location = _location(first) or str(answer.headers.get("operation-location", ""))
    code, message = error_of(first.get("body"))
    duplicate = code == "TaskError" and "duplication" in message.lower()
    if location and (200 <= status < 300 or duplicate):
        return location.rstrip("/").rpartition("/")[2]
    raise _refused(status, code, message, duplicate)


def kept(answer: Answer) -> Any:
    """The answer as it may be kept."""
    try:
        return answer.redactor.data(json_of(answer))
    except ValueError:
        return answer.redactor.text(answer.text)


def _location(item: dict[str, Any]) -> str:
    for header in objects(item.get("headers")):
        if str(header.get("name", "")).lower() == "operation-location":
            return str(header.get("value") or "")
    return ""


def _refused(status: int, code: str, message: str, duplicate: bool) -> ConnectorError:
    said = ": ".join(part for part in (code, message) if part) or f"status {status}"
    if duplicate:
        text = "The same task is under way in Vision One, which does not say which one it is."
        return ConnectorError(text, permanent=False, status=status)
    if 200 <= status < 300:
        text = "Vision One took the task without saying which one it is."
        return ConnectorError(text, permanent=False, status=status, outcome_unknown=True)
    return ConnectorError(
        f"Vision One refused: {said}.",
        permanent=permanent(status),
        status=status,
        outcome_unknown=status >= 500,
        retry_after=30.0 if status == 429 else None,
    )


KIND = Kind(
    name="visionone",
    label="Trend Vision One",
    connector=VisionOne,
    settings=(Setting("push", "Send status and notes of its alerts back to Vision One", form="flag", default=False),),
    secrets=(Setting("token", "API key", required=True),),
)
