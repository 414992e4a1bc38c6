"""Response tasks of the Vision One stand-in: taken with 207, done after some asking, never twice at the same time."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from soar.standins.base import Request, Response, json_response

# Path of the command -> how its task is called, and what of an item names the target.
COMMANDS = {
    "response/endpoints/isolate": "isolate",
    "response/endpoints/restore": "restoreIsolate",
    "response/endpoints/collectFile": "collectFile",
    "response/endpoints/terminateProcess": "terminateProcess",
    "response/endpoints/runScript": "runCustomScript",
    "response/endpoints/startMalwareScan": "startMalwareScan",
    "response/emails/quarantine": "quarantineMessage",
    "response/emails/delete": "deleteMessage",
    "response/emails/restore": "restoreMessage",
    "response/domainAccounts/disable": "disableAccount",
    "response/domainAccounts/enable": "enableAccount",
    "response/domainAccounts/signOut": "forceSignOut",
    "response/domainAccounts/resetPassword": "resetPassword",
    "response/containers/isolate": "isolateContainer",
    "response/containers/restore": "restoreContainer",
    "response/containers/terminate": "terminateContainer",
}
MAIL = ("quarantineMessage", "deleteMessage", "restoreMessage")
ACCOUNTS = ("disableAccount", "enableAccount", "forceSignOut", "resetPassword")
UNDER_WAY = ("queued", "running", "pendingApproval")
DULL = ("description",)


def failure(status: int, code: str, message: str) -> Response:
    """An error as Vision One words it."""
    return json_response({"error": {"code": code, "message": message, "number": str(status)}}, status)


def drawn(state: dict[str, Any]) -> int:
    """The next number; it goes on over a restart."""
    state["number"] += 1
    return int(state["number"])


def moment() -> str:
    """Now, as Vision One writes it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class Tasks:
    """``POST`` of commands, ``GET response/tasks`` and ``response/tasks/{id}``, ``POST response/tasks/cancel``."""

    def __init__(self, state: dict[str, Any]) -> None:
        self.state = state
        self.base = ""

    def answer(self, request: Request, path: str) -> Response | None:
        """The answer, None for what is not of this part."""
        self.base = request.base
        if path in COMMANDS and request.method == "POST":
            return self._commands(request, path)
        if path == "eiqs/endpoints" and request.method == "GET":
            return self._endpoints(request)
        if path == "response/tasks" and request.method == "GET":
            return self._list(request)
        if path.startswith("response/tasks/") and request.method == "GET":
            return self._one(path.rpartition("/")[2])
        return None

    def _commands(self, request: Request, path: str) -> Response:
        try:
            items = request.json()
        except ValueError:
            return failure(400, "BadRequest", "The body is no JSON")
        if COMMANDS[path] == "startMalwareScan":
            items = items.get("endpoints") if isinstance(items, dict) else None
        if not isinstance(items, list) or not all(isinstance(one, dict) for one in items):
            return failure(400, "BadRequest", "The body must be a list of objects")
        return json_response([self._command(item, COMMANDS[path], request.base) for item in items], 207)

    def _command(self, item: dict[str, Any], action: str, base: str) -> dict[str, Any]:
        name = str(item.get("endpointName") or item.get("agentGuid") or item.get("accountName") or "")
        if name.lower().startswith("unknown"):
            return _refused(404, "NotFound", f"{name} was not found")
        target = {key: value for key, value in item.items() if key not in DULL}
        if (twin := self._under_way(action, target)) is not None:
            self.state["duplicates"] += 1
            return {**_refused(400, "TaskError", "Task duplication."), "headers": _location(base, twin)}
        if action == "runCustomScript" and not self._has_script(str(item.get("fileName") or "")):
            return _refused(404, "NotFound", f"The script {item.get('fileName')} was not found")
        if action in MAIL and not (item.get("uniqueId") or (item.get("messageId") and item.get("mailBox"))):
            return _refused(400, "BadRequest", "uniqueId, or messageId with mailBox, is needed")
        task = self._new(action, target, str(item.get("description") or ""))
        return {"status": 202, "headers": _location(base, task["id"])}

    def _has_script(self, name: str) -> bool:
        return any(one["fileName"] == name for one in self.state["scripts"].values())

    def _under_way(self, action: str, target: dict[str, Any]) -> str | None:
        for task in self.state["tasks"].values():
            if task["action"] == action and task["target"] == target and task["status"] in UNDER_WAY:
                return str(task["id"])
        return None

    def _new(self, action: str, target: dict[str, Any], description: str) -> dict[str, Any]:
        number = f"{drawn(self.state):08d}"
        now = moment()
        task: dict[str, Any] = {
            "id": number,
            "status": "queued",
            "action": action,
            "createdDateTime": now,
            "lastActionDateTime": now,
            "description": description,
            "account": "api-key",
            "target": target,
            "asked": 0,
            "end": self.state["next"].pop(0) if self.state["next"] else "succeeded",
        }
        self.state["tasks"][number] = task
        _count(self.state["commands"], description)
        return task

    def _one(self, number: str) -> Response:
        task = self.state["tasks"].get(number)
        if task is None:
            return failure(404, "NotFound", "The task was not found")
        self._advance(task)
        return json_response(_shown(task))

    def _advance(self, task: dict[str, Any]) -> None:
        """One step further for every time it is asked for."""
        if task["status"] not in UNDER_WAY:
            return
        task["asked"] += 1
        task["lastActionDateTime"] = moment()
        if task["end"] == "pendingApproval":
            task["status"] = "pendingApproval"
        elif task["asked"] <= self.state["polls"]:
            task["status"] = "queued" if task["asked"] < self.state["polls"] else "running"
        else:
            self._end(task)

    def _end(self, task: dict[str, Any]) -> None:
        task["status"] = task["end"]
        if task["status"] == "succeeded":
            _count(self.state["effects"], task["description"])
            self._effect(task)
        elif task["status"] == "failed":
            task["error"] = {"code": "EndpointError", "message": "The agent did not do it", "number": "5000"}

    def _effect(self, task: dict[str, Any]) -> None:
        target = task["target"]
        if task["action"] in ("isolate", "restoreIsolate"):
            name = str(target.get("endpointName") or target.get("agentGuid"))
            known = self.state["endpoints"].setdefault(name, {"guid": str(uuid.uuid5(uuid.NAMESPACE_DNS, name))})
            known["isolated"] = task["action"] == "isolate"
        elif task["action"] in MAIL:
            self.state["messages"][str(target.get("uniqueId") or target.get("messageId"))] = task["action"]
        elif task["action"] in ACCOUNTS:
            self.state["accounts"][str(target.get("accountName"))] = task["action"]
        elif task["action"] == "collectFile":
            task |= {
                "filePath": target["filePath"],
                "fileSha1": "a" * 40,
                "fileSha256": "b" * 64,
                "fileSize": 1024,
                "resourceLocation": f"{self.base}/storage/{task['id']}.zip?signature=x",
                "expiredDateTime": moment(),
                "password": f"pw-{task['id']}-{uuid.uuid4().hex[:8]}",
            }

    def _endpoints(self, request: Request) -> Response:
        """Those of the state that the query names by ``endpointName`` or ``agentGuid``; ``blind``: the role may not."""
        if self.state["blind"]:
            return failure(403, "AccessDenied", "The role does not allow this")
        field, _, value = request.headers.get("tmv1-query", "").partition(" eq ")
        rows = [_endpoint(name, known) for name, known in self.state["endpoints"].items()]
        wanted = value.strip("'").casefold()
        told = [(one["agentGuid"] if field == "agentGuid" else one["endpointName"]["value"]) for one in rows]
        found = [one for one, name in zip(rows, told, strict=True) if name.casefold() == wanted]
        return page(request, found, 50)

    def _list(self, request: Request) -> Response:
        wanted = request.headers.get("tmv1-filter", "")
        names = [part.split("'")[1] for part in wanted.split(" or ") if part.startswith("action eq '")]
        found = [task for task in self.state["tasks"].values() if not names or task["action"] in names]
        found.sort(key=lambda task: task["id"], reverse=True)
        return page(request, [_shown(task) for task in found], 20)


def _endpoint(name: str, known: dict[str, Any]) -> dict[str, Any]:
    at = moment()
    return {
        "agentGuid": known["guid"],
        "endpointName": {"value": name, "updatedDateTime": at},
        "ip": {"value": known.get("ip", []), "updatedDateTime": at},
    }


def page(request: Request, found: list[dict[str, Any]], most: int) -> Response:
    """A page of at most ``most``, whatever was asked for, with the link to the next one."""
    start = int(request.argument("skip", "0") or 0)
    size = min(int(request.argument("top", "50") or 50), most)
    shown: dict[str, Any] = {"items": found[start : start + size], "totalCount": len(found)}
    if start + size < len(found):
        kept = [(name, value) for name, values in request.query.items() for value in values if name != "skip"]
        shown["nextLink"] = f"{request.base}{request.path}?{urlencode([*kept, ('skip', str(start + size))])}"
    shown["count"] = len(shown["items"])
    return json_response(shown)


def _shown(task: dict[str, Any]) -> dict[str, Any]:
    hidden = ("target", "asked", "end")
    named = {key: value for key, value in task["target"].items() if key in ("agentGuid", "endpointName")}
    return {**{key: value for key, value in task.items() if key not in hidden}, **named}


def _refused(status: int, code: str, message: str) -> dict[str, Any]:
    return {"status": status, "body": {"error": {"code": code, "message": message}}}


def _location(base: str, number: str) -> list[dict[str, str]]:
    return [{"name": "Operation-Location", "value": f"{base}/v3.0/response/tasks/{number}"}]


def _count(table: dict[str, int], key: str) -> None:
    table[key] = table.get(key, 0) + 1
