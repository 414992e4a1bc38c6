"""Response tasks: commands that an agent, a mail service, a directory or a cluster carries out."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, ClassVar

from soar.connectors.base import ConnectorError
from soar.connectors.capabilities import Result, Target
from soar.connectors.marks import mark
from soar.connectors.visionone import endpoints
from soar.connectors.visionone.commands import COMMANDS, body_of
from soar.connectors.visionone.errors import understood
from soar.connectors.visionone.multistatus import kept, task_of
from soar.connectors.visionone.part import Part, Requests
from soar.connectors.visionone.tasks import result_of
from soar.lib import clock

LOOK_BACK = timedelta(hours=24)
TIME = "%Y-%m-%dT%H:%M:%SZ"
ISOLATE = "isolate_endpoint"
SHOWN_KEY = "Soar [key of the task]"


class Running(Part):
    """Every command carries our key in its description: Vision One knows no idempotency key, but it takes the same
    command on the same target for one while the first is under way ("Task duplication.")."""

    serves: ClassVar[frozenset[str]] = frozenset(COMMANDS)
    repeatable: ClassVar[frozenset[str]] = frozenset(name for name, one in COMMANDS.items() if one.repeatable)

    def perform(self, capability: str, target: Target, params: dict[str, Any], key: str) -> Result:
        """See Part."""
        command = COMMANDS[capability]
        body = body_of(command, target, params, mark(key))
        endpoints.ask(self.api, capability, target)
        told = endpoints.before(self.api, target, key) if capability == ISOLATE else {}
        answer = self.api.send(capability, "POST", command.path, key=key, json=body)
        request = {"method": "POST", "path": f"/{command.path}", "body": body}
        return Result("accepted", "Vision One took the task.", task_of(answer), "", request, kept(answer), told)

    def poll(self, capability: str, reference: str) -> Result:
        """See Part."""
        return result_of(self.task(capability, reference))

    def task(self, capability: str, reference: str) -> dict[str, Any]:
        """The task as Vision One tells it. Raises ConnectorError."""
        answer = self.api.call(f"{capability}.poll", "GET", self.api.path(f"response/tasks/{reference}"))
        if answer.status == 404:  # it may not be listed yet; the deadline of the task ends the asking
            raise ConnectorError("Vision One does not know the task (yet).", permanent=False, status=404)
        found = understood(answer)
        if not isinstance(found, dict):
            raise ConnectorError("Vision One described a task in a way that is not known.", permanent=False)
        return found

    def recall(self, capability: str, target: Target, key: str) -> Result | None:
        """The task that bears our key, among those of the last 24 hours."""
        action, wanted = COMMANDS[capability].action, mark(key)
        params = {
            "startDateTime": (clock.now() - LOOK_BACK).strftime(TIME),
            "dateTimeTarget": "createdDateTime",
            "orderBy": "createdDateTime desc",
            "top": 100,
        }
        headers = {"TMV1-Filter": f"action eq '{action}' or action eq '{action}ForMultiple'"}
        for task in self.api.items(f"{capability}.recall", "response/tasks", params=params, headers=headers):
            if wanted in str(task.get("description") or ""):
                return result_of(task)
        return None

    def requests(self, capability: str, target: Target, params: dict[str, Any]) -> Requests:
        """See Part."""
        command = COMMANDS[capability]
        return [self.preview("POST", command.path, json=body_of(command, target, params, SHOWN_KEY))]
