"""Live response of Defender: a file fetched from a machine, a script of the library run on it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from soar.connectors.base import ConnectorError
from soar.connectors.capabilities import Collected, Result, Target
from soar.connectors.defender.actions import Row, result_of
from soar.connectors.defender.machines import BUSY, SHOWN_KEY, Machines, bears
from soar.connectors.marks import mark
from soar.connectors.microsoft.answers import MicrosoftError, object_of
from soar.connectors.paths import full_path, program_of
from soar.connectors.storage import fetched

TYPE, PATH, LIBRARY = "LiveResponse", "runliveresponse", "api/libraryfiles"
COLLECT, RUN = "collect_file", "run_script"
ENDINGS = {"powershell": ".ps1", "bash": ".sh"}
LONGEST_ARGUMENTS, LONGEST_OUTPUT, LARGEST_SCRIPT = 8_000, 20_000, 20 * 1024 * 1024


class LiveResponse(Machines):
    """One session a machine at a time: another one is waited for. Our key stands in the comment, by which an action
    whose answer was lost is found; a script is never sent a second time for that."""

    def perform(self, capability: str, target: Target, params: dict[str, Any], *, key: str) -> Result:
        """See Responder."""
        if capability not in {COLLECT, RUN}:
            return super().perform(capability, target, params, key=key)
        _checked(capability, target, params)
        identity, name = self.machine(target, capability)
        self.about_machine(identity, name, capability)
        script = self._brought(params) if capability == RUN else ""
        body = {"Commands": [_command(capability, target, params, script)], "Comment": mark(key)}
        path = f"api/machines/{identity}/{PATH}"
        try:
            answer = self.send(capability, "POST", path, key=key, json=body)
        except MicrosoftError as error:
            if error.code != BUSY:
                raise
            return self._ours(identity, name, capability, key)
        row = object_of(answer) or {}
        if not row.get("id"):
            text = "Defender took the session without saying which one it is."
            raise MicrosoftError(text, permanent=False, status=answer.status, outcome_unknown=True)
        found, request = result_of(row), {"method": "POST", "path": f"/{path}", "body": body}
        return Result("accepted", found.message, found.reference, found.remote, request, answer.redactor.data(row))

    def poll(self, capability: str, reference: str) -> Result:
        """See Responder."""
        if capability not in {COLLECT, RUN}:
            return super().poll(capability, reference)
        row = self.action(capability, reference)
        found = result_of(row)
        if found.state == "failed":
            return Result("failed", _why(row) or found.message, reference, found.remote)
        if found.state != "done":
            return found
        return self._collected(row, reference) if capability == COLLECT else self._ran(reference)

    def recall(self, capability: str, target: Target, *, key: str) -> Result | None:
        """See Responder."""
        if capability not in {COLLECT, RUN}:
            return super().recall(capability, target, key=key)
        identity, _ = self.machine(target, capability)
        made = self.made(identity, (TYPE,), f"{capability}.recall")
        row = next((one for one in made if bears(one, key)), None)
        if row is None:
            return None
        # Whatever it has come to is read by asking for it: what it wrote belongs to that.
        return Result("accepted", "Defender has the session.", str(row["id"]), str(row.get("status") or ""))

    def requests(self, capability: str, target: Target, params: dict[str, Any]) -> list[dict[str, Any]]:
        """See Responder."""
        if capability not in {COLLECT, RUN}:
            return super().requests(capability, target, params)
        _checked(capability, target, params)
        look = [self.preview("GET", LIBRARY)["request"]] if capability == RUN else []
        command = _command(capability, target, params, _name(params) if capability == RUN else "")
        return [*look, *self.shown(target, PATH, {"Commands": [command], "Comment": SHOWN_KEY})]

    def revealed(self, capability: str, reference: str, secret: dict[str, str]) -> dict[str, str]:
        """See Responder. A link lasts for half an hour, so there is a new one for each who asks."""
        return {"location": self._link(reference)} if capability == COLLECT else secret

    def collected(self, reference: str, data: Mapping[str, Any], secret: Mapping[str, str]) -> Collected:
        """See Responder. Not named as it was on the machine: it must not run by a click."""
        file = data.get("file")
        name = program_of(str(file.get("path") or "")) if isinstance(file, dict) else ""
        return Collected(f"{name or 'file'}.collected", fetched(self, self._link(reference), self.product))

    def _ours(self, identity: str, name: str, capability: str, key: str) -> Result:
        """The session because of which ours was refused, if it is ours. Raises MicrosoftError for another one."""
        row = next((one for one in self.made(identity, (TYPE,), capability) if bears(one, key)), None)
        if row is None:
            text = f"Another live response is under way on {name}; this waits for its end."
            raise MicrosoftError(text, permanent=False, retry_after=30.0)
        return Result("accepted", "Defender has the session.", str(row["id"]), str(row.get("status") or ""))

    def _collected(self, row: Row, reference: str) -> Result:
        path = next((str(one["value"]) for one in _params(row) if one.get("key") == "Path"), "")
        text = f"Defender has {program_of(path)}; where is shown when asked for."
        secret = {"location": self._link(reference)}
        return Result("done", text, reference, "Succeeded", data={"file": {"path": path}}, secret=secret)

    def _link(self, reference: str) -> str:
        path = f"api/machineactions/{reference}/GetLiveResponseResultDownloadLink(index=0)"
        answer = self.call("live_response.link", "GET", path, kept=False)  # whoever has the link has the file
        link = self.understood(answer).get("value")
        if not isinstance(link, str) or not link:
            raise MicrosoftError("Defender does not say where the result lies.", permanent=False)
        return link

    def _ran(self, reference: str) -> Result:
        """What the script wrote, and how it ended: that Defender ran it does not say that it did well."""
        try:
            told = json.loads(fetched(self, self._link(reference), self.product))
        except ValueError:
            told = None
        if not isinstance(told, dict):
            return Result("done", "The script ran; what it wrote cannot be read.", reference, "Succeeded")
        data = {"output": str(told.get("script_output") or ""), "errors": str(told.get("script_errors") or "")}
        data = {name: text[:LONGEST_OUTPUT].replace("\x00", "") for name, text in data.items()}
        data = {name: text for name, text in data.items() if text.strip()}
        code = told.get("exit_code")
        if code:
            text = f"The script ended with {code}. {data.get('errors', '').strip()[:500]}".strip()
            return Result("failed", text, reference, "Succeeded", data={**data, "exit_code": code})
        return Result("done", "The script ran to its end.", reference, "Succeeded", data=data)

    def _brought(self, params: dict[str, Any]) -> str:
        """The name under which the library has the script with this content, after an upload if there was none. One of
        that name with other content is left alone. Raises ConnectorError; the script did not run then."""
        content, name = str(params["text"]).encode(), _name(params)
        digest = hashlib.sha256(content).hexdigest()
        stem, _, ending = name.rpartition(".")
        try:
            there = {str(one.get("fileName") or "").lower(): one for one in self._library()}
            for candidate in (name, f"{stem}-{digest[:12]}.{ending}"):
                known = there.get(candidate.lower())
                if known is None:
                    self._upload(candidate, content, digest)
                    return candidate
                if str(known.get("sha256") or "").lower() == digest:
                    return candidate
        except ConnectorError as error:
            error.outcome_unknown = False
            raise
        raise ConnectorError(f"Defender has another script under the name {name}.", permanent=True)

    def _library(self) -> list[Row]:
        value = self.get("run_script.look", LIBRARY).get("value")
        return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []

    def _upload(self, name: str, content: bytes, digest: str) -> None:
        data = {"Description": "Soar", "HasParameters": "true", "OverrideIfExists": "false"}
        files = {"File": (name, content, "application/octet-stream")}
        self.send("run_script.upload", "POST", LIBRARY, key=f"script-{digest}", data=data, files=files)


def _checked(capability: str, target: Target, params: dict[str, Any]) -> None:
    """Raises ConnectorError, before anything is sent, for what lacks something."""
    if capability == COLLECT:
        full_path(target, params, "Defender")
        return
    text, name = params.get("text"), _name(params)
    if not isinstance(text, str) or not text or len(text.encode()) > LARGEST_SCRIPT:
        raise ConnectorError(f"There is no text of the script {name}, or it is too long.", permanent=True)
    if params.get("sha256") not in {None, "", hashlib.sha256(text.encode()).hexdigest()}:
        raise ConnectorError(f"The text of the script {name} is not what was approved.", permanent=True)
    if len(str(params.get("parameters") or "")) > LONGEST_ARGUMENTS:
        raise ConnectorError(f"Parameters of a script have at most {LONGEST_ARGUMENTS:,} characters.", permanent=True)


def _command(capability: str, target: Target, params: dict[str, Any], script: str) -> Row:
    if capability == COLLECT:
        path = full_path(target, params, "Defender")
        return {"type": "GetFile", "params": [{"key": "Path", "value": path}]}
    arguments = str(params.get("parameters") or "")
    given = [{"key": "Args", "value": arguments}] if arguments else []
    return {"type": "RunScript", "params": [{"key": "ScriptName", "value": script}, *given]}


def _name(params: dict[str, Any]) -> str:
    """The script's name with the ending that the library wants. Raises ConnectorError for none."""
    name = str(params.get("file_name") or params.get("script") or "").strip()
    if not name:
        raise ConnectorError("No script is named.", permanent=True)
    ending = ENDINGS.get(str(params.get("language") or ""), ".ps1")
    return name if name.lower().endswith((".ps1", ".sh")) else name + ending


def _params(row: Row) -> list[Row]:
    commands = row.get("commands")
    command = commands[0].get("command") if isinstance(commands, list) and commands else {}
    told = command.get("params") if isinstance(command, dict) else None
    return [one for one in told if isinstance(one, dict)] if isinstance(told, list) else []


def _why(row: Row) -> str:
    """What the machine says of the command that failed."""
    commands = row.get("commands")
    errors = commands[0].get("errors") if isinstance(commands, list) and commands else None
    said = "; ".join(str(one) for one in errors[:3]) if isinstance(errors, list) else ""
    return f"The machine says: {said[:500]}" if said else ""
