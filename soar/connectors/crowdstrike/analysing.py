"""Falcon's sandbox: addresses, and files that are fetched from their host first.

The archive of a fetched file goes back to Falcon as it is (``archives``), which unpacks it and makes a sample of it:
the file itself is nowhere here. What Falcon has as a sample already is submitted at once."""

from __future__ import annotations

import hashlib
import re
from typing import Any

from soar.connectors.base import ConnectorError
from soar.connectors.capabilities import DOMAIN, URL, Result, Target
from soar.connectors.crowdstrike.api import LARGEST, FalconError, Row, document_of, objects, understood
from soar.connectors.crowdstrike.collecting import PASSWORD
from soar.connectors.crowdstrike.scripts import Scripts
from soar.connectors.crowdstrike.sessions import Place
from soar.connectors.paths import full_path, program_of
from soar.lib.http import Answer

SUBMISSIONS, SUBMITTED = "falconx/entities/submissions/v1", "falconx/queries/submissions/v1"
SUMMARIES, SAMPLES = "falconx/entities/report-summaries/v1", "samples/queries/samples/GET/v1"
UPLOAD, ARCHIVE = "archives/entities/archives/v2", "archives/entities/archives/v1"
EXTRACTION = "archives/entities/extractions/v1"
FETCH, UNPACK, COPY, RUN = "fetch", "unpack", "copy", "sandbox"  # the steps of a file
STATES = {"created": "accepted", "running": "accepted", "success": "done", "error": "failed"}
ENVIRONMENTS = ("160", "110", "100", "300", "200")
LINUX = "300"
SHA256 = re.compile(r"[0-9a-f]{64}")
LATEST = 50


class Analysing(Scripts):
    """A second submission costs quota and does no other harm; ours bear a tag, by which one is found after a lost
    answer."""

    def perform(self, capability: str, target: Target, params: Row, *, key: str) -> Result:
        """See Responder."""
        if capability == "sandbox_url":
            return self._submit(capability, {"url": address_of(target)}, self._environment(), tag_of(key), key)
        if capability != "sandbox_file":
            return super().perform(capability, target, params, key=key)
        if sample := self._known(target):
            name = program_of(str(target.facts.get("file_path") or target.value))
            return self._submit(
                capability, {"sha256": sample, "submit_name": name}, self._environment(), tag_of(key), key
            )
        return self.fetching(capability, target, params, _first(key), key)

    def poll(self, capability: str, reference: str) -> Result:
        """See Responder. Each step has a reference of its own."""
        if capability not in {"sandbox_url", "sandbox_file"}:
            return super().poll(capability, reference)
        place = Place.of(reference)
        steps = {FETCH: self._fetching, UNPACK: self._unpacking, COPY: self._copying}
        try:
            return steps.get(place.step, self._analysing)(place)
        except ConnectorError as error:
            if not error.permanent or place.step == RUN:
                raise
            return Result("failed", error.message, reference, place.step)

    def recall(self, capability: str, target: Target, *, key: str) -> Result | None:
        """See Responder."""
        if capability not in {"sandbox_url", "sandbox_file"}:
            return super().recall(capability, target, key=key)
        if found := self._submitted(tag_of(key)):
            return _taken(found, {})
        return self.fetching_again(capability, target, _first(key), key) if capability == "sandbox_file" else None

    def requests(self, capability: str, target: Target, params: dict[str, Any]) -> list[dict[str, Any]]:
        """See Responder."""
        if capability == "sandbox_url":
            body = _body({"url": address_of(target)}, self._environment(), "soar-(key of the task)")
            return [dict(self.preview("POST", SUBMISSIONS, json=body)["request"])]
        if capability != "sandbox_file":
            return super().requests(capability, target, params)
        return super().requests("collect_file", target, params)

    def _environment(self) -> str:
        return str(self.account.settings.get("environment") or ENVIRONMENTS[0])

    def _known(self, target: Target) -> str:
        """The SHA-256 of the file, if it is a sample at Falcon already. Raises ConnectorError."""
        told = str(target.facts.get("sha256") or "").lower()
        if not SHA256.fullmatch(told):
            full_path(target, {}, "Falcon")
            return ""
        return told if told in self.look("sandbox_file.sample", SAMPLES, json={"sha256s": [told]}) else ""

    def _fetching(self, place: Place) -> Result:
        """Once Falcon has the file, its archive is handed to where archives are unpacked."""
        file, so_far = self.fetched(place, "sandbox_file")
        if file is None:
            return so_far
        size = int(file.get("size") or 0)
        if size > LARGEST:
            text = f"The file has {size / 1_048_576:.0f} MB; to the sandbox goes at most {LARGEST // 1_048_576} MB."
            return Result("failed", text, str(place), FETCH)
        name, sha256 = program_of(place.rest), str(file["sha256"])
        archive = self.content(place, sha256, "sandbox_file")
        data = {"name": f"{name}.7z", "password": PASSWORD, "is_confidential": "true", "source": "Soar"}
        files = {"file": (f"{name}.7z", archive, "application/x-7z-compressed")}
        self.large = True
        try:
            # The same archive is the same one there, so a second time after a lost answer changes nothing.
            made = self.send("sandbox_file.upload", "POST", UPLOAD, key=f"archive-{sha256}", data=data, files=files)
        finally:
            self.large = False
        identity = str((objects(made) or [{}])[0].get("sha256") or "")
        if not identity:
            raise FalconError("Falcon took the archive without naming it.", permanent=False)
        where = Place(UNPACK, place.device, sha256, identity, name, place.tag)
        return Result("accepted", "Falcon unpacks the file.", str(where), UNPACK)

    def _unpacking(self, place: Place) -> Result:
        found = objects(self.get("sandbox_file.archive", ARCHIVE, params={"id": place.request}))
        if wait := _waiting(found, place):
            return wait
        body = {"sha256": place.request, "extract_all": True}
        made = objects(self.send("sandbox_file.copy", "POST", EXTRACTION, key=f"copy-{place.request}", json=body))
        identity = str(made[0].get("id") or "") if made else ""
        if not identity:
            raise FalconError("Falcon began to copy the file without saying where.", permanent=False)
        where = Place(COPY, place.device, place.session, identity, place.rest, place.tag)
        return Result("accepted", "Falcon makes a sample of the file.", str(where), COPY)

    def _copying(self, place: Place) -> Result:
        found = objects(self.get("sandbox_file.copied", EXTRACTION, params={"id": place.request}))
        if wait := _waiting(found, place):
            return wait
        if again := self._submitted(place.tag):  # the answer to our submission was lost
            return _taken(again, {})
        what = {"sha256": place.session, "submit_name": place.rest}
        environment = self._environment_of(place.device)
        return self._submit("sandbox_file", what, environment, place.tag, f"submit-{place.request}")

    def _environment_of(self, device: str) -> str:
        """Files of Linux hosts are run on Linux."""
        hosts = self.details([device], "sandbox_file")
        return LINUX if hosts and str(hosts[0].get("platform_name")).lower() == "linux" else self._environment()

    def _submit(self, operation: str, what: Row, environment: str, tag: str, key: str) -> Result:
        """Raises FalconError; for a quota that is used up a permanent one."""
        body = _body(what, environment, tag)
        answer = self.call(operation, "POST", SUBMISSIONS, idempotency_key=key, idempotent=False, json=body)
        total, used = _quota(answer)
        try:
            found = objects(understood(answer, effect=True))
        except FalconError as error:
            if total and used >= total and not error.outcome_unknown:
                text = f"The quota of the sandbox is used up ({used} of {total} this month). {error.message}"
                raise FalconError(text, permanent=True, status=error.status) from None
            raise
        if not found or not found[0].get("id"):
            text = "The sandbox took it without saying which analysis it is."
            raise FalconError(text, permanent=False, outcome_unknown=True)
        left = {"quota_remaining": max(0, total - used)} if total else {}
        request = {"method": "POST", "path": f"/{SUBMISSIONS}", "body": body}
        return _taken(found[0], left, request)

    def _submitted(self, tag: str) -> Row | None:
        """The submission that bears this tag, among the latest ones. Raises FalconError."""
        params = {"sort": "created_timestamp|desc", "limit": LATEST}
        ids = [one for one in self.get("sandbox.found", SUBMITTED, params=params) if isinstance(one, str)]
        told = objects(self.get("sandbox.found", SUBMISSIONS, params={"ids": ids})) if ids else []
        return next((one for one in told if tag in (one.get("user_tags") or [])), None)

    def _analysing(self, place: Place) -> Result:
        found = objects(self.get("sandbox.poll", SUBMISSIONS, params={"ids": place.request}))
        if not found:
            raise FalconError("The sandbox does not know the analysis (yet).", permanent=False, status=404)
        word = str(found[0].get("state") or "")
        state = STATES.get(word, "accepted")
        if state == "failed":
            why = str(found[0].get("error_message") or found[0].get("error_type") or "it does not say why")
            return Result("failed", f"The sandbox failed: {why[:500]}", str(place), word)
        if state == "done":
            summaries = objects(self.get("sandbox.result", SUMMARIES, params={"ids": place.request}))
            if summaries:
                return _verdict(summaries[0], place)
        return Result("accepted", "The sandbox is at it.", str(place), word)


def address_of(target: Target) -> str:
    """The address to open; of a domain its front page. Raises ConnectorError."""
    value = target.value.strip()
    if target.kind not in {URL, DOMAIN} or not value or not value.isprintable():
        raise ConnectorError("The sandbox needs an address to open.", permanent=True)
    return f"http://{value}/" if target.kind == DOMAIN else value


def tag_of(key: str) -> str:
    """The tag by which the submission of a task is found again."""
    return f"soar-{hashlib.sha256(key.encode()).hexdigest()[:24]}"


def _first(key: str) -> Place:
    return Place(FETCH, "", "", "", tag=tag_of(key))


def _body(what: Row, environment: str, tag: str) -> Row:
    return {"sandbox": [{**what, "environment_id": int(environment)}], "user_tags": [tag]}


def _taken(submission: Row, left: Row, request: Row | None = None) -> Result:
    place = Place(RUN, "", "", str(submission.get("id")), "")
    more = f" {left['quota_remaining']} submissions are left this month." if left else ""
    word = str(submission.get("state") or "created")
    return Result("accepted", f"The sandbox took it.{more}", str(place), word, request or {}, submission, left)


def _waiting(found: list[Row], place: Place) -> Result | None:
    """What an operation on an archive says while it is not done; None once it is."""
    status = str(found[0].get("status") or "") if found else ""
    if status == "done":
        return None
    if status == "error":
        why = str(found[0].get("error") or "it does not say why")
        return Result("failed", f"Falcon cannot unpack the file: {why[:500]}", str(place), status)
    return Result("accepted", "Falcon unpacks the file.", str(place), status or place.step)


def _quota(answer: Answer) -> tuple[int, int]:
    """How many submissions there are a month, and how many are used; zeros where it is not told."""
    meta = (document_of(answer) or {}).get("meta")
    quota = meta.get("quota") if isinstance(meta, dict) else None
    told = [quota.get(name) for name in ("total", "used")] if isinstance(quota, dict) else []
    total, used = told if len(told) == 2 else (0, 0)
    return (total, used) if isinstance(total, int) and isinstance(used, int) else (0, 0)


def _verdict(summary: Row, place: Place) -> Result:
    """The report in short. One that was never run, as of a kind of file that cannot be, is no verdict."""
    one = (objects(summary.get("sandbox")) or [{}])[0]
    if one.get("error_type") or one.get("error_message"):
        why = str(one.get("error_message") or one.get("error_type"))
        return Result("failed", f"The sandbox could not run it: {why[:500]}", str(place), "error")
    verdict = str(one.get("verdict") or summary.get("verdict") or "no verdict")
    score = one.get("threat_score")
    data: dict[str, Any] = {"verdict": verdict, "analysis": place.request}
    data |= {"score": score} if isinstance(score, int) else {}
    data |= {"environment": str(one["environment_description"])} if one.get("environment_description") else {}
    data |= {"sha256": str(one["sha256"])} if one.get("sha256") else {}
    tags = [str(tag) for tag in one.get("classification_tags") or []][:50]
    data |= {"threats": tags} if tags else {}
    shown = f" (score {score})" if isinstance(score, int) else ""
    return Result("done", f"Sandbox: {verdict}{shown}.", str(place), "success", data=data)
