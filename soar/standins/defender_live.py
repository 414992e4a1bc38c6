"""Live response of the Defender stand-in: the library of scripts, and where what was collected lies.

State: ``library`` (name -> sha256, text), ``scripted``: what a script ends with (exit code, output, errors); ``links``:
how many were given; one that is not the newest of its action has run out."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from soar.standins.arranged import counted
from soar.standins.base import Request, Response, json_response, text_response
from soar.standins.crowdstrike_rtr import multipart
from soar.standins.microsoft import failure


def fresh_live() -> dict[str, Any]:
    """The state after a reset."""
    return {"library": {}, "scripted": [0, "done\n", ""], "links": 0, "link_of": {}}


def wrong(commands: Any, library: dict[str, Any]) -> Response | None:
    """Why these commands are not taken; None if they are."""
    if not isinstance(commands, list) or len(commands) != 1:
        return failure(400, "InvalidInput", "Commands are missing")
    told = {one.get("key"): one.get("value") for one in commands[0].get("params", [])}
    if commands[0].get("type") == "GetFile" and told.get("Path"):
        return None
    if commands[0].get("type") == "RunScript" and told.get("ScriptName") in library:
        return None
    return failure(400, "InvalidInput", f"The command {commands[0].get('type')} or its file is not known")


def shown_commands(commands: list[Any], status: str = "Created", errors: list[str] | None = None) -> list[Any]:
    """The commands of an action, as Defender tells them."""
    return [
        {"index": number, "commandStatus": status, "errors": errors or [], "command": one}
        for number, one in enumerate(commands)
    ]


class Live:
    """The answers of this part; None for what is not of it."""

    def __init__(self, state: dict[str, Any]) -> None:
        self.state = state

    def answer(self, request: Request) -> Response | None:
        """See Standin."""
        if request.path == "/api/libraryfiles":
            return self._upload(request) if request.method == "POST" else self._library()
        if request.path.endswith("/GetLiveResponseResultDownloadLink(index=0)"):
            return self._link(request, request.path.split("/")[-2])
        return None

    def done(self, action: dict[str, Any]) -> str:
        """What the machine does; how the action ends."""
        command = action["commands"][0]["command"]
        told = {one["key"]: one["value"] for one in command["params"]}
        if "missing" in told.get("Path", ""):
            action["commands"] = shown_commands([command], "Failed", ["The file was not found"])
            return "Failed"
        what = told.get("Path") or f"{told['ScriptName']} {told.get('Args', '')}".strip()
        counted(self.state["effects"], f"{command['type']} {what} {action['computerDnsName']}")
        action["commands"] = shown_commands([command], "Completed")
        return "Succeeded"

    def stored(self, request: Request) -> Response:
        """Another host in truth, which knows no token."""
        identity = request.path.rpartition("/")[2]
        if request.argument("sig") != self.state["link_of"].get(identity):
            return text_response("AuthenticationFailed: Signed expiry time has passed", 403)
        command = self.state["actions"][identity]["commands"][0]["command"]
        if command["type"] == "GetFile":
            return Response(200, b"MZ what was collected", {"Content-Type": "application/octet-stream"})
        code, out, errors = self.state["scripted"]
        told = {"script_name": "x", "exit_code": code, "script_output": out, "script_errors": errors}
        return Response(200, json.dumps(told).encode(), {"Content-Type": "application/octet-stream"})

    def _link(self, request: Request, identity: str) -> Response:
        if self.state["actions"].get(identity, {}).get("status") != "Succeeded":
            return failure(404, "ResourceNotFound", "There is no result")
        self.state["links"] += 1
        self.state["link_of"][identity] = f"signature-{self.state['links']}"
        return json_response({"value": f"{request.base}/storage/{identity}?sig={self.state['link_of'][identity]}"})

    def _library(self) -> Response:
        found = [{"fileName": name, "sha256": one["sha256"]} for name, one in self.state["library"].items()]
        return json_response({"value": found})

    def _upload(self, request: Request) -> Response:
        fields = multipart(request)
        name, content = fields.get("File", ("", b""))
        if not name or not content or name in self.state["library"]:
            return failure(400, "InvalidInput", "The file is missing or is there already")
        self.state["library"][name] = {"sha256": hashlib.sha256(content).hexdigest(), "text": content.decode()}
        return json_response({"fileName": name, "sha256": self.state["library"][name]["sha256"]})
