"""Sandbox analysis of files and addresses, with its verdict and what is left of the quota.

A file is fetched from its endpoint first: ``collect:<task>`` is asked for until the archive is there, which is then
handed to the sandbox (``sandbox:<id>``)."""

from __future__ import annotations

import base64
from typing import Any, ClassVar

from soar.connectors import quota
from soar.connectors.base import ConnectorError
from soar.connectors.capabilities import DOMAIN, URL, Result, Target
from soar.connectors.storage import fetched
from soar.connectors.visionone.client import objects
from soar.connectors.visionone.commands import lacks
from soar.connectors.visionone.errors import error_of, understood
from soar.connectors.visionone.multistatus import item_of, kept, refused
from soar.connectors.visionone.part import Part, Requests
from soar.connectors.visionone.running import Running
from soar.connectors.visionone.tasks import SENTENCES, STATES
from soar.lib.http import Answer

COLLECT, SANDBOX = "collect:", "sandbox:"
RISKS = {"noRisk": "no risk", "low": "low risk", "medium": "medium risk", "high": "high risk"}


class Sandbox(Part):
    """Submitting the same thing twice costs quota and does no other harm."""

    serves: ClassVar[frozenset[str]] = frozenset({"sandbox_file", "sandbox_url"})
    repeatable: ClassVar[frozenset[str]] = serves

    def perform(self, capability: str, target: Target, params: dict[str, Any], key: str) -> Result:
        """See Part."""
        if capability == "sandbox_file":
            first = Running(self.api).perform("collect_file", target, params, key)
            return _with(first, COLLECT + first.reference, "Vision One fetches the file from the endpoint.")
        body = [{"url": address_of(target)}]
        answer = self.api.send(capability, "POST", "sandbox/urls/analyze", key=key, json=body)
        item = item_of(answer)
        identity = item.location or str(item.body.get("id") or item.body.get("taskId") or "")
        if not item.ok or not identity:
            raise refused(item)
        request = {"method": "POST", "path": "/sandbox/urls/analyze", "body": body}
        return self._submitted(identity, answer, request)

    def poll(self, capability: str, reference: str) -> Result:
        """See Part. The result's reference is the one to ask with from then on."""
        if reference.startswith(COLLECT):
            return self._collecting(reference.removeprefix(COLLECT))
        return self._analysing(reference.removeprefix(SANDBOX))

    def recall(self, capability: str, target: Target, key: str) -> Result | None:
        """The task that fetches the file, by its key; an address is simply submitted again."""
        if capability != "sandbox_file":
            return None
        found = Running(self.api).recall("collect_file", target, key)
        if found is None or found.state not in {"done", "accepted"}:
            return found
        return _with(found, COLLECT + found.reference, "Vision One fetches the file from the endpoint.")

    def requests(self, capability: str, target: Target, params: dict[str, Any]) -> Requests:
        """See Part."""
        if capability == "sandbox_file":
            return Running(self.api).requests("collect_file", target, params)
        return [self.preview("POST", "sandbox/urls/analyze", json=[{"url": address_of(target)}])]

    def quota(self) -> int | None:
        """What is left of today's submissions. Raises ConnectorError."""
        found = self.api.get("sandbox.usage", "sandbox/submissionUsage")
        left = found.get("submissionRemainingCount") if isinstance(found, dict) else None
        return left if isinstance(left, int) and not isinstance(left, bool) and left >= 0 else None

    def _collecting(self, task: str) -> Result:
        found = Running(self.api).poll("sandbox_file", task)
        if found.state != "done":
            return _with(found, COLLECT + task, found.message)
        try:
            return self._submit(task, found)
        except ConnectorError as error:
            if not error.permanent:
                raise
            return Result("failed", error.message, reference=COLLECT + task, remote=found.remote)

    def _submit(self, task: str, found: Result) -> Result:
        """Hand a collected file to the sandbox. Raises ConnectorError."""
        location, password = found.secret.get("location"), found.secret.get("password", "")
        if not location:
            raise ConnectorError("Vision One collected the file without saying where it lies.", permanent=True)
        archive = fetched(self.api, location, "Vision One")
        name = f"{task}.zip"
        files = {"file": (name, archive, "application/zip")}
        data = {"archivePassword": base64.b64encode(password.encode()).decode()} if password else {}
        answer = self.api.send("sandbox_file.submit", "POST", "sandbox/files/analyze", data=data, files=files)
        document = understood(answer, effect=True)
        identity = str(document.get("id") or "") if isinstance(document, dict) else ""
        identity = identity or str(answer.headers.get("operation-location", "")).rpartition("/")[2]
        if not identity:
            raise ConnectorError("The sandbox took the file without saying which analysis it is.", permanent=True)
        return self._submitted(identity, answer, {"method": "POST", "path": "/sandbox/files/analyze", "file": name})

    def _submitted(self, identity: str, answer: Answer, request: dict[str, Any]) -> Result:
        left_now = _quota(answer)
        if left_now:
            quota.told(self.api.account, left_now["quota_remaining"])
        left = f" {left_now['quota_remaining']} submissions are left today." if left_now else ""
        text = f"The sandbox took it.{left}"
        return Result(
            "accepted",
            text,
            reference=SANDBOX + identity,
            remote="queued",
            request=request,
            answer=kept(answer),
            data=left_now,
        )

    def _analysing(self, identity: str) -> Result:
        answer = self.api.call("sandbox.poll", "GET", self.api.path(f"sandbox/tasks/{identity}"))
        if answer.status == 404:
            raise ConnectorError("The sandbox does not know the analysis (yet).", permanent=False, status=404)
        task = understood(answer)
        task = task if isinstance(task, dict) else {}
        word = str(task.get("status") or "")
        state = STATES.get(word, "accepted")
        if state == "done":
            return self._verdict(identity, task)
        code, message = error_of(task)
        text = f"{code}: {message}" if message else SENTENCES.get(word, f"State: {word}.")
        return Result(state, text, reference=SANDBOX + identity, remote=word, data=_quota(answer))

    def _verdict(self, identity: str, task: dict[str, Any]) -> Result:
        result = str(task.get("resourceLocation") or "").rstrip("/").rpartition("/")[2] or identity
        found = self.api.get("sandbox.result", f"sandbox/analysisResults/{result}")
        found = found if isinstance(found, dict) else {}
        risk = str(found.get("riskLevel") or "")
        names = [str(name) for name in found.get("detectionNames") or []][:50]
        threats = [str(name) for name in found.get("threatTypes") or []][:50]
        data: dict[str, Any] = {"verdict": risk, "detections": names, "threats": threats, "analysis": result}
        if digests := objects([found.get("digest")]):
            data["digest"] = digests[0]
        detail = f" ({', '.join([*names, *threats][:5])})" if names or threats else ""
        text = f"Sandbox: {RISKS.get(risk, risk or 'no verdict')}{detail}."
        return Result("done", text, reference=SANDBOX + identity, remote="succeeded", data=data)


def address_of(target: Target) -> str:
    """The address to open; of a domain its front page. Raises ConnectorError."""
    value = target.value.strip()
    if target.kind not in {URL, DOMAIN} or not value:
        raise lacks(target, "an address")
    return f"http://{value}/" if target.kind == DOMAIN else value


def _quota(answer: Answer) -> dict[str, Any]:
    left = str(answer.headers.get("tmv1-submission-remaining-count", ""))
    return {"quota_remaining": int(left)} if left.isascii() and left.isdigit() else {}


def _with(result: Result, reference: str, message: str) -> Result:
    return Result(
        result.state if result.state != "done" else "accepted",
        message,
        reference=reference,
        remote=result.remote,
        request=result.request,
        answer=result.answer,
    )
