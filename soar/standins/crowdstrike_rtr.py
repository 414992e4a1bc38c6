"""Real Time Response of the Falcon stand-in: sessions, commands that are done after some asking, files, scripts.

State: ``sessions`` (id -> device, logs), ``commands`` (id -> line, how often asked), ``files``, ``scripts``,
``processes`` (host -> [number, name, path]; of Linux the command line as the name), ``undying``: numbers of processes
that run on; ``offline``: hosts that are not connected; ``pieces``: in how many pieces the output of a command comes;
``scripted``: what a script writes (stdout, stderr). ``next`` says how the next command ends: "timeout", "refused" or
"never". What was really done is counted in ``calls``."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable
from email import message_from_bytes
from typing import Any

from soar.standins.arranged import counted, moment
from soar.standins.base import Request, Response
from soar.standins.crowdstrike_words import failure, resources

BASE = "/real-time-response/"
LEVELS = {
    "command": {"ps", "ls", "cat"},
    "active-responder-command": {"ps", "ls", "cat", "get", "kill"},
    "admin-command": {"ps", "ls", "cat", "get", "kill", "runscript"},
}
HEAD = "Name                Id Start Time (UTC+0)   WorkingMemory(kb)    CPU(s) HandleCount Path"
LINE = "----                -- ------------------   -----------------    ------ ----------- ----"
PROCESSES = [
    [4, "System", ""],
    [672, "csrss", ""],
    [4816, "a 7 b", "C:\\Tools\\a 7 b.exe"],
    [5120, "evil", "C:\\Users\\Public\\evil.exe"],
    [6004, "evil", "C:\\Users\\Public\\evil.exe"],
]
ENDS = {
    "timeout": "The command did not finish in time.",
    "refused": "Access to the path is denied.",
}
ARCHIVE = b"7z\xbc\xaf'\x1c archive with a password"


def fresh_rtr() -> dict[str, Any]:
    """The state after a reset."""
    things: dict[str, Any] = {
        "sessions": {},
        "commands": {},
        "files": {},
        "scripts": {},
        "processes": {},
        "offline": [],
        "undying": [],
    }
    return {**things, "pieces": 1, "scripted": ["done\n", ""], "sizes": {}}


class RealTimeResponse:
    """The answers of this part; None for what is not of it."""

    def __init__(self, state: dict[str, Any], ending: Callable[[str], str]) -> None:
        self.state = state
        self.ending = ending

    def answer(self, request: Request) -> Response | None:
        """See Standin."""
        if not request.path.startswith(BASE):
            return None
        place = f"{request.method} {request.path.removeprefix(BASE)}"
        plain: dict[str, Callable[[Request], Response]] = {
            "POST entities/sessions/v1": self._session,
            "POST entities/refresh-session/v1": self._session,
            "GET queries/sessions/v1": lambda _: resources(list(reversed(self.state["sessions"]))),
            "POST entities/sessions/GET/v1": self._told,
            "GET entities/file/v2": self._files,
            "GET entities/extracted-file-contents/v1": self._content,
            "POST entities/scripts/v1": self._script,
            "GET queries/scripts/v1": self._named,
            "DELETE entities/scripts/v1": self._remove,
        }
        if place in plain:
            return plain[place](request)
        level = place.removeprefix("POST entities/").removeprefix("GET entities/").removesuffix("/v1")
        if level in LEVELS:
            return self._command(request, level) if request.method == "POST" else self._outcome(request)
        return failure(404, "Not found")

    def _host(self, device: str) -> dict[str, Any]:
        return dict(self.state["hosts"].get(device) or {})

    def _session(self, request: Request) -> Response:
        device = str(request.json().get("device_id") or "")
        host = self._host(device)
        if not host:
            return failure(404, "No matching found for the ID")
        if host["hostname"] in self.state["offline"]:
            return failure(40401, "Could not establish sensor comms", 404)
        there = next((key for key, one in self.state["sessions"].items() if one["device_id"] == device), "")
        if not there:
            there = str(uuid.uuid4())
            self.state["sessions"][there] = {"id": there, "device_id": device, "hostname": host["hostname"], "logs": []}
        return resources([{"session_id": there, "offline_queued": False, "existing_aid_sessions": 1}], 201)

    def _told(self, request: Request) -> Response:
        ids = request.json().get("ids", [])
        return resources([self.state["sessions"][one] for one in ids if one in self.state["sessions"]])

    def _command(self, request: Request, level: str) -> Response:
        body = request.json()
        session = self.state["sessions"].get(body.get("session_id"))
        line, word = str(body.get("command_string") or ""), str(body.get("base_command") or "")
        if session is None:
            return failure(404, "Session not found")
        if word not in LEVELS[level] or line.partition(" ")[0] != word:
            return failure(40006, "Command not found", 400)
        if session["hostname"] in self.state["offline"]:
            return failure(40401, "Could not establish sensor comms", 404)
        identity = str(uuid.uuid4())
        log = {"base_command": word, "command_string": line, "cloud_request_id": identity, "created_at": moment()}
        session["logs"].append(log)
        command = {"session": session["id"], "line": line, "asked": 0, "end": self.ending("done"), "out": None}
        self.state["commands"][identity] = command
        return resources([{"session_id": session["id"], "cloud_request_id": identity}], 201)

    def _outcome(self, request: Request) -> Response:
        identity, number = request.argument("cloud_request_id"), int(request.argument("sequence_id", "0"))
        command = self.state["commands"].get(identity)
        if command is None:
            return failure(404, "Command not found")
        command["asked"] += 1 if number == 0 else 0
        over = command["asked"] > self.state["polls"] >= 0 and command["end"] != "never"
        if over and command["out"] is None:
            command["out"] = self._done(identity, command)
        out, wrong = command["out"] or ("", "")
        pieces = max(1, int(self.state["pieces"]))
        size = -(-len(out) // pieces) or 1
        last = number >= pieces - 1
        told = {"complete": over and last, "stdout": out[number * size : (number + 1) * size], "sequence_id": number}
        return resources([{**told, "stderr": wrong if last else "", "session_id": command["session"]}])

    def _done(self, identity: str, command: dict[str, Any]) -> tuple[str, str]:
        """What the host does and writes."""
        if command["end"] in ENDS:
            return "", ENDS[command["end"]]
        session = self.state["sessions"][command["session"]]
        host, linux = session["hostname"], self._host(session["device_id"]).get("platform_name") == "Linux"
        word, _, rest = command["line"].partition(" ")
        does: dict[str, Callable[[], tuple[str, str]]] = {
            "ps": lambda: (self._lines(host) if linux else self._table(host), ""),
            "kill": lambda: self._kill(host, int(rest)),
            "get": lambda: self._get(identity, command, rest.strip('"')),
            "runscript": lambda: self._run(rest),
        }
        return does.get(word, lambda: ("", ""))()

    def _running(self, host: str) -> list[list[Any]]:
        there = self.state["processes"].setdefault(host, [list(one) for one in PROCESSES])
        return list(there)

    def _table(self, host: str) -> str:
        rows = [
            f"{name:<14}{pid:>8} 11/22/2026 7:14:21 AM             5,612      0.05          93 {path}"
            for pid, name, path in self._running(host)
        ]
        return "\n".join(["", HEAD, LINE, *rows, ""])

    def _lines(self, host: str) -> str:
        """As Linux tells processes: by their command lines."""
        return "\n".join(
            ["  PID USER     CMD", *(f"{pid:>5} www      {line}" for pid, line, _ in self._running(host)), ""]
        )

    def _kill(self, host: str, pid: int) -> tuple[str, str]:
        left = [one for one in self._running(host) if one[0] != pid]
        if len(left) == len(self._running(host)):
            return "", f"Cannot find a process with the process identifier {pid}."
        if pid not in self.state["undying"]:
            self.state["processes"][host] = left
        counted(self.state["calls"], f"kill {pid} {host}")
        return f"Process {pid} was killed", ""

    def _get(self, identity: str, command: dict[str, Any], path: str) -> tuple[str, str]:
        if "missing" in path:
            return "", f"Could not find file '{path}'."
        sha256 = hashlib.sha256(path.encode()).hexdigest()
        file = {"id": f"file-{identity}", "session_id": command["session"], "cloud_request_id": identity, "name": path}
        size = self.state["sizes"].get(path, 2048)
        more = {
            "sha256": sha256,
            "size": size,
            "complete": False,
            "stage": "uploading",
            "error_message": "",
            "asked": 0,
        }
        self.state["files"][identity] = {**file, **more}
        counted(self.state["calls"], f"get {path}")
        return path, ""

    def _files(self, request: Request) -> Response:
        found = [one for one in self.state["files"].values() if one["session_id"] == request.argument("session_id")]
        for one in found:
            one["asked"] += 1
            if one["asked"] > 1:
                one |= {"complete": True, "stage": "complete"}
        hidden = {"asked", "sha256"}
        return resources(
            [{k: v for k, v in one.items() if k not in hidden or (k == "sha256" and one["complete"])} for one in found]
        )

    def _content(self, request: Request) -> Response:
        wanted = (request.argument("session_id"), request.argument("sha256"))
        if any((one["session_id"], one["sha256"]) == wanted for one in self.state["files"].values()):
            return Response(200, ARCHIVE + wanted[1].encode(), {"Content-Type": "application/x-7z-compressed"})
        return failure(404, "File not found")

    def _script(self, request: Request) -> Response:
        fields = multipart(request)
        name = fields.get("name", ("", b""))[1].decode()
        text = fields.get("file", ("", b""))[1] or fields.get("content", ("", b""))[1]
        if not name or not text or fields.get("permission_type", ("", b""))[1] not in (b"private", b"group", b"public"):
            return failure(400, "A field is missing")
        if any(one["name"] == name for one in self.state["scripts"].values()):
            return failure(409, "file with given name already exists")
        platform = fields.get("platform", ("", b"windows"))[1].decode()
        counted(self.state["calls"], "script brought")
        identity = f"{uuid.uuid4().hex}_{uuid.uuid4().hex}"
        self.state["scripts"][identity] = {"name": name, "text": text.decode(), "platform": platform}
        return resources([])

    def _named(self, request: Request) -> Response:
        wanted = request.argument("filter")
        return resources(
            [key for key, one in self.state["scripts"].items() if not wanted or f"'{one['name']}'" in wanted]
        )

    def _remove(self, request: Request) -> Response:
        if self.state["scripts"].pop(request.argument("ids"), None) is None:
            return failure(404, "Not found")
        return resources([])

    def _run(self, rest: str) -> tuple[str, str]:
        script = next((one for one in self.state["scripts"].values() if f'-CloudFile="{one["name"]}"' in rest), None)
        if script is None:
            return "", "The script was not found."
        counted(self.state["calls"], f"ran {script['text'][:60]}{rest.partition('```')[2].removesuffix('```')}")
        return str(self.state["scripted"][0]), str(self.state["scripted"][1])


def multipart(request: Request) -> dict[str, tuple[str, bytes]]:
    """Field -> (file name, content)."""
    head = f"Content-Type: {request.headers.get('content-type', '')}\r\n\r\n".encode()
    fields = {}
    for part in message_from_bytes(head + request.body).walk():
        name = part.get_param("name", header="content-disposition")
        if isinstance(name, str):
            content = part.get_payload(decode=True)
            fields[name] = (part.get_filename() or "", content if isinstance(content, bytes) else b"")
    return fields
