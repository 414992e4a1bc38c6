"""CrowdStrike Falcon: hosts that obey after some asking, and custom indicators.

State: ``hosts`` (id -> the host), ``indicators`` (id -> the indicator), ``polls``: how often a host is asked for before
it has obeyed (-1: never, its sensor is off); ``calls``: how often each thing was done; ``uses``: after so many calls a
token is at its end; ``region``: the cloud the account is in, if it is another one; ``inside``: errors that the next
answers of 2xx hold instead of doing anything; ``denied``: parts of paths for which the API client has no scope. What
belongs to Real Time Response and to the sandbox stands in modules of their own."""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Callable
from typing import Any, ClassVar

from soar.standins.arranged import Arranged, counted, moment
from soar.standins.base import Request, Response, json_response
from soar.standins.crowdstrike_rtr import RealTimeResponse, fresh_rtr
from soar.standins.crowdstrike_sandbox import Sandbox, fresh_sandbox
from soar.standins.crowdstrike_words import failure, resources

TERM = re.compile(r"(\w+):'((?:[^'\\]|\\.)*)'")
WISHES = {"contain": ("containment_pending", "contained"), "lift_containment": ("lift_containment_pending", "normal")}
HASHES = {"md5": 32, "sha256": 64}


class CrowdStrike(Arranged):
    """Any credentials are taken but the secret "wrong"; every host is known unless its name begins with "unknown"."""

    kind: ClassVar[str] = "crowdstrike"
    settings: ClassVar[dict[str, str]] = {"real_time_response": "true", "sandbox": "true"}
    lasting = True

    def fresh(self) -> dict[str, Any]:
        return {
            "hosts": {}, "indicators": {}, "polls": 1, "calls": {}, "tokens": {}, "grants": 0, "uses": 0, "region": "",
            "inside": [], "number": 0, "next": [], "denied": [], **fresh_rtr(), **fresh_sandbox(),
        }  # fmt: skip

    def hurried(self) -> Response:
        answer = failure(429, "API rate limit exceeded.")
        answer.headers["X-RateLimit-RetryAfter"] = str(int(time.time()) + 45)
        return answer

    def refused(self, status: int) -> Response:
        if status == 401:
            return failure(401, "access denied, invalid bearer token")
        return failure(403, "access denied, authorization failed")

    def answer(self, request: Request) -> Response:
        """See Standin."""
        if self.state["region"]:
            where = f"https://api.{self.state['region']}.crowdstrike.com{request.path}"
            return Response(308, b"", {"Location": where, "X-Cs-Region": self.state["region"]})
        if request.path == "/oauth2/token":
            return self._grant(request.form())
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        uses = self.state["tokens"].get(token)
        if uses is None or 0 < self.state["uses"] <= uses:
            return self.refused(401)
        self.state["tokens"][token] += 1
        if any(part in request.path for part in self.state["denied"]):
            return self.refused(403)
        parts = (RealTimeResponse(self.state, self.ending), Sandbox(self.state))
        return next((found for part in parts if (found := part.answer(request))), None) or self._routed(request)

    def _grant(self, form: dict[str, str]) -> Response:
        if not form.get("client_id") or form.get("client_secret", "wrong") == "wrong":
            return failure(403, "access denied, invalid client")
        self.state["grants"] += 1
        token = f"practice-falcon-{self.state['grants']:04d}"
        self.state["tokens"][token] = 0
        return json_response({"access_token": token, "expires_in": 1799, "token_type": "bearer"}, 201)

    def _routed(self, request: Request) -> Response:
        place = f"{request.method} {request.path}"
        if request.method != "GET" and self.state["inside"] and not place.endswith("devices/v2"):
            return json_response({"meta": {}, "resources": [], "errors": [self.state["inside"].pop(0)]}, 202)
        answers: dict[str, Callable[[], Response]] = {
            "GET /devices/queries/devices/v1": lambda: resources(self._hosts(request.argument("filter"))),
            "POST /devices/entities/devices/v2": lambda: self._details(request.json()),
            "POST /devices/entities/devices-actions/v2": lambda: self._wish(
                request.argument("action_name"), request.json()
            ),
            "GET /iocs/combined/indicator/v1": lambda: resources(self._found(request.argument("filter"))),
        }
        if place in answers:
            return answers[place]()
        if request.path == "/iocs/entities/indicators/v1":
            return self._indicators(request)
        return failure(404, "Not found")

    def _hosts(self, where: str) -> list[str]:
        names = [_plain(value).lower() for name, value in TERM.findall(where) if name == "hostname"]
        for name in names:
            if not name.startswith("unknown") and name not in {
                one["hostname"].lower() for one in self.state["hosts"].values()
            }:
                identity = hashlib.md5(name.encode(), usedforsecurity=False).hexdigest()
                self.state["hosts"][identity] = host_of(identity, name)
        return [key for key, one in self.state["hosts"].items() if not names or one["hostname"].lower() in names]

    def _details(self, body: Any) -> Response:
        found = [self.state["hosts"][one] for one in body.get("ids", []) if one in self.state["hosts"]]
        if not found:
            return failure(404, "No matching found for the ID")
        for host in found:
            self._advance(host)
        hidden = ("asked", "end")
        return resources([{key: value for key, value in one.items() if key not in hidden} for one in found])

    def _advance(self, host: dict[str, Any]) -> None:
        if host["status"].endswith("_pending") and self.state["polls"] >= 0:
            host["asked"] += 1
            if host["asked"] > self.state["polls"]:
                host["status"] = host["end"]
                counted(self.state["calls"], f"{host['end']} {host['hostname']}")

    def _wish(self, name: str, body: Any) -> Response:
        ids = body.get("ids", [])
        if name not in WISHES or not ids:
            return failure(400, "Provided action_name is not valid")
        if missing := [one for one in ids if one not in self.state["hosts"]]:
            return failure(404, f"No matching found for the ID {missing[0]}", 202)
        for one in ids:
            pending, end = WISHES[name]
            self.state["hosts"][one] |= {"status": pending, "end": end, "asked": 0}
            counted(self.state["calls"], name)
        return resources([{"id": one, "path": f"/devices/entities/devices/v1?ids={one}"} for one in ids], 202)

    def _found(self, where: str) -> list[dict[str, Any]]:
        terms = [(name, _plain(value)) for name, value in TERM.findall(where)]
        return [one for one in self.state["indicators"].values() if all(one.get(name) == text for name, text in terms)]

    def _indicators(self, request: Request) -> Response:
        if request.method == "DELETE":
            found = [one for one in request.query.get("ids", []) if self.state["indicators"].pop(one, None)]
            counted(self.state["calls"], "delete")
            return resources(found) if found else failure(404, "Resource not found")
        made = [self._put(item, request.method) for item in request.json().get("indicators", [])]
        if any(one.get("message_type") == "error" for one in made):
            return resources(
                made, 400, [{"code": 400, "message": "One or more indicators have a warning or are invalid"}]
            )
        return resources(made, 201 if request.method == "POST" else 200)

    def _put(self, item: dict[str, Any], method: str) -> dict[str, Any]:
        if method == "PATCH":
            there = self.state["indicators"].get(item.get("id", ""))
            if there is None:
                return _wrong(item, "Resource not found")
            counted(self.state["calls"], "patch")
            there |= item
            return dict(there)
        kind, value = str(item.get("type")), str(item.get("value"))
        if kind not in HASHES or len(value) != HASHES[kind] or item.get("action") != "prevent":
            return _wrong(item, f"Invalid action '{item.get('action')}' for type '{kind}'")
        if any(one["type"] == kind and one["value"] == value for one in self.state["indicators"].values()):
            return _wrong(item, f"Duplicate type: '{kind}' and value: '{value}' combination.")
        self.state["number"] += 1
        identity = hashlib.sha256(f"{kind} {value} {self.state['number']}".encode()).hexdigest()
        made = {**item, "id": identity, "deleted": False, "expired": False}
        self.state["indicators"][identity] = made
        counted(self.state["calls"], "create")
        return made


def host_of(identity: str, name: str, **more: Any) -> dict[str, Any]:
    """A host as Falcon tells it."""
    told = {
        "device_id": identity,
        "hostname": name,
        "status": "normal",
        "last_seen": moment(),
        "platform_name": "Windows",
    }
    return {**told, "local_ip": "192.0.2.17", "os_version": "Windows 11", "asked": 0, "end": "", **more}


def _wrong(item: dict[str, Any], message: str) -> dict[str, Any]:
    return {"row": 1, "value": item.get("value"), "message_type": "error", "message": message}


def _plain(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text)
