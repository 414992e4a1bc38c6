"""The sandbox of the Falcon stand-in: archives unpacked, samples, submissions with a quota, reports.

State: ``quota`` (total, used), ``submissions``, ``samples``, ``archives`` and ``extractions`` (each is done when it was
asked for twice). A verdict goes by the words "bad" and "odd" in the name or address; "broken" fails, a picture is of a
kind that cannot be run."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable
from typing import Any

from soar.standins.arranged import counted, moment
from soar.standins.base import Request, Response
from soar.standins.crowdstrike_rtr import ARCHIVE, multipart
from soar.standins.crowdstrike_words import failure, resources

VERDICTS = {"bad": ("malicious", 100), "odd": ("suspicious", 45)}
ENVIRONMENTS = {
    160: "Windows 10 64 bit",
    110: "Windows 7 64 bit",
    100: "Windows 7 32 bit",
    300: "Linux",
    200: "Android",
}


def fresh_sandbox() -> dict[str, Any]:
    """The state after a reset."""
    things: dict[str, Any] = {"submissions": {}, "samples": [], "archives": {}, "extractions": {}}
    return {**things, "quota": {"total": 100, "used": 0, "in_progress": 0}}


class Sandbox:
    """The answers of this part; None for what is not of it."""

    def __init__(self, state: dict[str, Any]) -> None:
        self.state = state

    def answer(self, request: Request) -> Response | None:
        """See Standin."""
        answers: dict[str, Callable[[Request], Response]] = {
            "POST /falconx/entities/submissions/v1": self._submit,
            "GET /falconx/entities/submissions/v1": self._submission,
            "GET /falconx/queries/submissions/v1": lambda _: resources(list(reversed(self.state["submissions"]))),
            "GET /falconx/entities/report-summaries/v1": self._summary,
            "POST /samples/queries/samples/GET/v1": self._samples,
            "POST /archives/entities/archives/v2": self._archive,
            "GET /archives/entities/archives/v1": lambda one: self._state_of("archives", one),
            "POST /archives/entities/extractions/v1": self._extract,
            "GET /archives/entities/extractions/v1": lambda one: self._state_of("extractions", one),
        }
        found = answers.get(f"{request.method} {request.path}")
        return found(request) if found else None

    def _samples(self, request: Request) -> Response:
        return resources([one for one in request.json().get("sha256s", []) if one in self.state["samples"]])

    def _submit(self, request: Request) -> Response:
        body, quota = request.json(), self.state["quota"]
        one = (body.get("sandbox") or [{}])[0]
        if one.get("environment_id") not in ENVIRONMENTS or bool(one.get("url")) == bool(one.get("sha256")):
            return failure(400, "Either a url or a sha256 and a known environment_id are needed", quota=quota)
        if one.get("sha256") and one["sha256"] not in self.state["samples"]:
            return failure(400, f"The sample {one['sha256']} was not uploaded", quota=quota)
        if quota["used"] >= quota["total"]:
            return failure(429, "Submission quota exceeded", quota=quota)
        quota["used"] += 1
        identity = f"{uuid.uuid4().hex}_{uuid.uuid4().hex}"
        told = {"id": identity, "cid": "c", "created_timestamp": moment(), "origin": "apigateway", "state": "created"}
        self.state["submissions"][identity] = {
            **told, "sandbox": [one], "user_tags": body.get("user_tags", []), "asked": 0,
        }  # fmt: skip
        counted(self.state["calls"], f"submitted {one.get('url') or one.get('submit_name')}")
        return resources([self._shown(identity)], quota=quota)

    def _submission(self, request: Request) -> Response:
        ids = [one for one in request.query.get("ids", []) if one in self.state["submissions"]]
        for one in ids:
            self._advance(self.state["submissions"][one])
        return resources([self._shown(one) for one in ids], quota=self.state["quota"])

    def _advance(self, one: dict[str, Any]) -> None:
        one["asked"] += 1
        if one["asked"] > self.state["polls"] >= 0:
            broken = "broken" in _name(one)
            one |= {"state": "error", "error_message": "The analysis broke off"} if broken else {"state": "success"}
        elif one["asked"] > 1 or self.state["polls"] == 1:
            one["state"] = "running"

    def _shown(self, identity: str) -> dict[str, Any]:
        return {key: value for key, value in self.state["submissions"][identity].items() if key != "asked"}

    def _summary(self, request: Request) -> Response:
        one = self.state["submissions"].get(request.argument("ids"))
        if one is None or one["state"] != "success":
            return resources([], quota=self.state["quota"])
        given, name = one["sandbox"][0], _name(one)
        told: dict[str, Any] = {"environment_description": ENVIRONMENTS[given["environment_id"]]}
        told |= {"sha256": given.get("sha256") or hashlib.sha256(name.encode()).hexdigest()}
        verdict, score = next((what for word, what in VERDICTS.items() if word in name), ("no specific threat", 0))
        if name.endswith((".png", ".jpg")):
            why = f'File "{name}" was detected as "image", this format is not supported on WINDOWS'
            told |= {"error_type": "FILE_TYPE_BAD_ERROR", "error_message": why, "error_origin": "CLIENT"}
            verdict = "no verdict"
        else:
            told |= {
                "verdict": verdict,
                "threat_score": score,
                "classification_tags": ["ransomware"] if score > 90 else [],
            }
        return resources([{"id": one["id"], "verdict": verdict, "sandbox": [told]}], quota=self.state["quota"])

    def _archive(self, request: Request) -> Response:
        fields = multipart(request)
        content = fields.get("file", ("", b""))[1]
        if not content or not fields.get("name", ("", b""))[1]:
            return failure(400, "file and name are needed")
        if fields.get("password", ("", b""))[1] != b"infected" or not content.startswith(ARCHIVE):
            return failure(400, "The archive cannot be opened")
        identity = hashlib.sha256(content).hexdigest()
        holds = content.removeprefix(ARCHIVE).decode()
        self.state["archives"].setdefault(
            identity, {"sha256": identity, "status": "pending", "asked": 0, "holds": holds}
        )
        return resources([{"sha256": identity, "status": "pending"}])

    def _extract(self, request: Request) -> Response:
        archive = self.state["archives"].get(str(request.json().get("sha256")))
        if archive is None or archive["status"] != "done" or request.json().get("extract_all") is not True:
            return failure(400, "The archive is not ready")
        identity = uuid.uuid4().hex
        self.state["extractions"][identity] = {
            "id": identity,
            "status": "pending",
            "asked": 0,
            "holds": archive["holds"],
        }
        return resources([{"id": identity, "status": "pending"}])

    def _state_of(self, table: str, request: Request) -> Response:
        one = self.state[table].get(request.argument("id"))
        if one is None:
            return failure(404, "Not found")
        one["asked"] += 1
        if one["asked"] > 1:
            one["status"] = "done"
            if table == "extractions" and one["holds"] not in self.state["samples"]:
                self.state["samples"].append(one["holds"])
        return resources([{key: value for key, value in one.items() if key not in ("asked", "holds")}])


def _name(one: dict[str, Any]) -> str:
    given = one["sandbox"][0]
    return str(given.get("submit_name") or given.get("url") or "").lower()
