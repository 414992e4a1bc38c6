"""Running a custom script: Vision One gets the script first if it does not have that name with that content."""

from __future__ import annotations

import hashlib
from typing import Any, ClassVar

from soar.connectors.base import ConnectorError
from soar.connectors.capabilities import Result, Target
from soar.connectors.visionone.client import Api, ascii_header, quoted
from soar.connectors.visionone.commands import COMMANDS, body_of
from soar.connectors.visionone.errors import understood
from soar.connectors.visionone.part import Requests
from soar.connectors.visionone.running import SHOWN_KEY, Running

ENDINGS = {"powershell": ".ps1", "bash": ".sh"}
PATH = "response/customScripts"


class Scripts(Running):
    """``params``: ``script`` (its name here), ``text``, ``language``, ``sha256``, ``parameters``. Without ``text`` the
    script of that name at Vision One is run as it is."""

    serves: ClassVar[frozenset[str]] = frozenset({"run_script"})
    repeatable: ClassVar[frozenset[str]] = frozenset()

    def perform(self, capability: str, target: Target, params: dict[str, Any], key: str) -> Result:
        """See Part."""
        body_of(COMMANDS[capability], target, params, "")  # nothing is sent for a target that lacks something
        try:
            name = self._brought(params)
        except ConnectorError as error:  # the script did not run, whatever became of its upload
            error.outcome_unknown = False
            raise
        return super().perform(capability, target, {**params, "file_name": name}, key)

    def requests(self, capability: str, target: Target, params: dict[str, Any]) -> Requests:
        """The look for the script, and the run."""
        name = _name(params)
        look = self.preview("GET", PATH, headers=_filter(name))
        command = COMMANDS[capability]
        run = body_of(command, target, {**params, "file_name": name}, SHOWN_KEY)
        return [look, self.preview("POST", command.path, json=run)]

    def _brought(self, params: dict[str, Any]) -> str:
        """The name under which Vision One has the script with this content, after an upload if there was none.

        A script there that has the same name and other content is left alone: ours gets a name with its digest."""
        name, text = _name(params), params.get("text")
        if not isinstance(text, str) or not text:
            return name
        content = text.encode()
        digest = hashlib.sha256(content).hexdigest()
        if params.get("sha256") not in {None, "", digest}:
            raise ConnectorError(f"The text of the script {name} is not what was approved.", permanent=True)
        own = _numbered(name, digest)
        for candidate in (name, own):
            state = self._has(candidate, digest)
            if state == "same":
                return candidate
            if state == "none":
                self._upload(candidate, content, str(params.get("language") or ""), digest)
                return candidate
        raise ConnectorError(f"Vision One has another script under the name {own}.", permanent=True)

    def _has(self, name: str, digest: str) -> str:
        """``none``, ``same`` or ``other``."""
        known = [
            one
            for one in self.api.items("run_script.look", PATH, headers=_filter(name))
            if str(one.get("fileName", "")).lower() == name.lower()
        ]
        for one in known:
            content = downloaded(self.api, str(one.get("id") or ""))
            if hashlib.sha256(content).hexdigest() == digest:
                return "same"
        return "other" if known else "none"

    def _upload(self, name: str, content: bytes, language: str, digest: str) -> None:
        kind = language if language in ENDINGS else ("bash" if name.lower().endswith(".sh") else "powershell")
        data = {"fileType": kind, "description": "Soar"}
        files = {"file": (name, content, "application/octet-stream")}
        self.api.send("run_script.upload", "POST", PATH, key=f"script-{digest}", data=data, files=files)


def downloaded(api: Api, identity: str) -> bytes:
    """The content of a script at Vision One. Raises ConnectorError."""
    answer = api.call("run_script.read", "GET", api.path(f"{PATH}/{identity}"))
    if not answer.ok:
        understood(answer)
    return answer.body


def _name(params: dict[str, Any]) -> str:
    """The script's name with the ending that Vision One wants."""
    name = str(params.get("file_name") or params.get("script") or "").strip()
    if not name:
        raise ConnectorError("No script is named.", permanent=True)
    ending = ENDINGS.get(str(params.get("language") or ""), "")
    return name if name.lower().endswith((".ps1", ".sh")) else name + ending


def _numbered(name: str, digest: str) -> str:
    stem, _, ending = name.rpartition(".")
    return f"{stem or ending}-{digest[:12]}.{ending}" if stem else f"{name}-{digest[:12]}"


def _filter(name: str) -> dict[str, str]:
    return {"TMV1-Filter": ascii_header(f"fileName eq '{quoted(name)}'")}
