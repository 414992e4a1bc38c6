"""Microsoft Defender for Endpoint: machines, and actions on them that are pending until the machine has done them.

State: ``machines`` (id -> the machine), ``actions``, ``polls``: how often an action is asked for before it has ended;
``effects``: how often each thing was really done to a machine; ``late``: how often the list of actions is still
empty."""

from __future__ import annotations

import hashlib
import re
import uuid
from typing import Any, ClassVar

from soar.standins.arranged import Arranged, counted, moment
from soar.standins.base import Request, Response, json_response
from soar.standins.defender_live import Live, fresh_live, shown_commands, wrong
from soar.standins.microsoft import MicrosoftStandin, failure

COMMAND = re.compile(r"/api/machines/([^/]+)/(isolate|unisolate|runAntiVirusScan|runliveresponse)")
MACHINE = re.compile(r"/api/machines(?:/([^/]+))?")
TYPES = {
    "isolate": "Isolate",
    "unisolate": "Unisolate",
    "runAntiVirusScan": "RunAntiVirusScan",
    "runliveresponse": "LiveResponse",
}
STARTS = re.compile(r"startswith\(computerDnsName,'([^']*)'\)")
OF_MACHINE, OF_TYPE = re.compile(r"machineId eq '([^']*)'"), re.compile(r"type eq '([^']*)'")
UNDER_WAY = ("Pending", "InProgress")


class Defender(Arranged, MicrosoftStandin):
    """Every machine is known, unless its name begins with "unknown". ``arrange`` ``{"next": "Failed" | "TimeOut" |
    "Cancelled" | "Pending"}``: how the next action ends; "Pending" is a machine that is off."""

    kind: ClassVar[str] = "defender"
    settings: ClassVar[dict[str, str]] = {**MicrosoftStandin.settings, "live_response": "true"}
    lasting = True

    def fresh(self) -> dict[str, Any]:
        return {
            **super().fresh(),
            "machines": {},
            "actions": {},
            "polls": 2,
            "next": [],
            "effects": {},
            "number": 0,
            "late": 0,
            **fresh_live(),
        }

    def refused(self, status: int) -> Response:
        if status == 403:
            return failure(403, "Forbidden", "Missing application roles. API required roles: Machine.Isolate")
        return super().refused(status)

    def answer(self, request: Request) -> Response:
        """See Standin."""
        if request.path.startswith("/storage/"):
            return Live(self.state).stored(request)
        return super().answer(request)

    def serve_signed_in(self, request: Request) -> Response:
        """See MicrosoftStandin."""
        path = request.path
        if found := Live(self.state).answer(request):
            return found
        if (match := MACHINE.fullmatch(path)) and request.method == "GET":
            return self._machine(match[1]) if match[1] else self._machines(request.argument("$filter"))
        if path == "/api/machineactions":
            return self._actions(request.argument("$filter"))
        if path.startswith("/api/machineactions/"):
            return self._action(path.rpartition("/")[2])
        if (match := COMMAND.fullmatch(path)) and request.method == "POST":
            return self._command(match[1], match[2], request.json())
        return super().serve_signed_in(request)

    def _machines(self, where: str) -> Response:
        match = STARTS.search(where)
        if where and not match:
            return failure(400, "BadRequest", "Invalid filter clause")
        if match and not any(one["computerDnsName"].startswith(match[1]) for one in self.state["machines"].values()):
            self._know(match[1])
        start = match[1] if match else ""
        found = [one for one in self.state["machines"].values() if one["computerDnsName"].startswith(start)]
        return json_response({"value": found})

    def _machine(self, identity: str) -> Response:
        machine = self.state["machines"].get(identity)
        if machine is None:
            return failure(404, "ResourceNotFound", f"Machine {identity} was not found")
        return json_response(machine)

    def _know(self, name: str) -> None:
        if name.startswith("unknown"):
            return
        identity = hashlib.sha1(name.encode(), usedforsecurity=False).hexdigest()
        told = {"id": identity, "computerDnsName": name, "healthStatus": "Active", "lastSeen": moment()}
        self.state["machines"][identity] = {**told, "onboardingStatus": "Onboarded", "isolated": False}

    def _actions(self, where: str) -> Response:
        machine, types = OF_MACHINE.search(where), OF_TYPE.findall(where)
        found = [
            one
            for one in self.state["actions"].values()
            if (not machine or one["machineId"] == machine[1]) and (not types or one["type"] in types)
        ]
        if self.state["late"] > 0:
            self.state["late"] -= 1
            found = []
        return json_response({"value": [_shown(one) for one in reversed(found)]})

    def _command(self, identity: str, command: str, body: dict[str, Any]) -> Response:
        machine = self.state["machines"].get(identity)
        if machine is None:
            return failure(404, "ResourceNotFound", f"Machine {identity} was not found")
        if not body.get("Comment") or (command == "isolate" and body.get("IsolationType") not in ("Full", "Selective")):
            return failure(400, "InvalidInput", "The Comment or the IsolationType is missing")
        if command == "runliveresponse" and (refusal := wrong(body.get("Commands"), self.state["library"])):
            return refusal
        mine = [one for one in self.state["actions"].values() if one["machineId"] == identity]
        if any(one["type"] == TYPES[command] and one["status"] in UNDER_WAY for one in mine):
            return failure(400, "ActiveRequestAlreadyExists", "Action is already in progress")
        self.state["number"] += 1
        action = {
            "id": str(uuid.uuid5(uuid.NAMESPACE_OID, str(self.state["number"]))), "type": TYPES[command],
            "requestor": "practice", "requestorComment": body["Comment"], "status": "Pending", "machineId": identity,
            "computerDnsName": machine["computerDnsName"], "creationDateTimeUtc": moment(), "errorHResult": 0,
            "asked": 0, "end": self.ending("Succeeded"),
        }  # fmt: skip
        if command == "runliveresponse":
            action["commands"] = shown_commands(body["Commands"])
        self.state["actions"][action["id"]] = action
        return json_response(_shown(action), 201)

    def _action(self, identity: str) -> Response:
        action = self.state["actions"].get(identity)
        if action is None:
            return failure(404, "ResourceNotFound", "Machine action was not found")
        if action["status"] in UNDER_WAY and action["end"] != "Pending":
            action["asked"] += 1
            if action["asked"] > self.state["polls"]:
                self._end(action)
            elif action["asked"] > 1:
                action["status"] = "InProgress"
        return json_response(_shown(action))

    def _end(self, action: dict[str, Any]) -> None:
        if action["type"] == "LiveResponse" and action["end"] == "Succeeded":
            action["status"] = Live(self.state).done(action)
            return
        action["status"] = action["end"]
        if action["end"] == "Failed":
            action["errorHResult"] = -2147024891
        if action["end"] == "Cancelled":
            action["cancellationComment"] = "Not this one"
        if action["end"] == "Succeeded":
            counted(self.state["effects"], f"{action['type']} {action['computerDnsName']}")
            if action["type"] != "RunAntiVirusScan":
                self.state["machines"][action["machineId"]]["isolated"] = action["type"] == "Isolate"


def _shown(action: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in action.items() if key not in ("asked", "end")}
