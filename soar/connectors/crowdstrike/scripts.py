"""A script run on a host: it goes up under a name of its own for each task, is run, and is taken off again."""

from __future__ import annotations

import hashlib
from typing import Any

from soar.connectors.base import ConnectorError
from soar.connectors.capabilities import Result, Target
from soar.connectors.crowdstrike.api import Row, quoted
from soar.connectors.crowdstrike.containing import Host
from soar.connectors.crowdstrike.ending import Ending
from soar.connectors.crowdstrike.sessions import ADMIN, BASE, Outcome, Place, command_of

SCRIPTS, QUERY = f"{BASE}/entities/scripts/v1", f"{BASE}/queries/scripts/v1"
RUN, RUN_SCRIPT = "runscript", "run_script"
SECONDS = 600  # Falcon stops a script after 30, unless it is told
LONGEST_ARGUMENTS, LONGEST_OUTPUT = 8_000, 20_000
ENDINGS = {"powershell": ".ps1", "bash": ".sh"}
TAKEN = 409


class Scripts(Ending):
    """The name is made of the task's key, so the log of the session tells exactly whether it was run. It is not run a
    second time for a lost answer."""

    def perform(self, capability: str, target: Target, params: Row, *, key: str) -> Result:
        """See Responder."""
        if capability != RUN_SCRIPT:
            return super().perform(capability, target, params, key=key)
        text = _text_of(params)
        line = line_of(name_of(key, params), params)
        host = self.host_of(target, capability)
        self.about_host(host)
        platform = _platform(host, params)
        session = self.session_with(host, capability)
        self._bring(name_of(key, params), text, platform, key)
        request = self.command(capability, ADMIN, session, line, key=key)
        place = Place(RUN, str(host["device_id"]), session, request, name_of(key, params))
        sent = {"method": "POST", "path": f"/{BASE}/entities/{ADMIN}/v1", "body": command_of(session, line)}
        return Result("accepted", "Falcon hands the script to the host.", str(place), RUN, sent)

    def poll(self, capability: str, reference: str) -> Result:
        """See Responder."""
        if capability != RUN_SCRIPT:
            return super().poll(capability, reference)
        place = Place.of(reference)
        outcome = self.outcome(capability, ADMIN, place.request)
        if not outcome.complete:
            self.keep(place, capability)
            return Result("accepted", "The script runs, or waits for the host.", reference, RUN)
        result = _ran(outcome, reference)
        result.data.update(self._take_off(place.rest))
        return result

    def recall(self, capability: str, target: Target, *, key: str) -> Result | None:
        """See Responder."""
        if capability != RUN_SCRIPT:
            return super().recall(capability, target, key=key)
        host = self.host_of(target, f"{capability}.recall")
        device = str(host["device_id"])
        for one in ENDINGS:
            name = name_of(key, {"language": one})
            found = self.found_again(device, f'{RUN} -CloudFile="{name}"', f"{capability}.recall")
            if found is not None:
                return Result("accepted", "The host has the script.", str(Place(RUN, device, *found, name)), RUN)
        return None

    def requests(self, capability: str, target: Target, params: dict[str, Any]) -> list[dict[str, Any]]:
        """See Responder."""
        if capability != RUN_SCRIPT:
            return super().requests(capability, target, params)
        name = f"soar-(key of the task){_ending(params)}"
        fields = {"name": name, "description": "Soar", "permission_type": "private", "content": _text_of(params)}
        up = self.preview("POST", SCRIPTS, data=fields)["request"]
        return [*self.opening(target), up, self.handing_over(ADMIN, line_of(name, params))]

    def _bring(self, name: str, text: str, platform: str, key: str) -> None:
        """Give Falcon the script, once. Raises FalconError; the script did not run, whatever became of its upload."""
        data = {"name": name, "description": "Soar", "permission_type": "private", "platform": platform}
        files = {"file": (name, text.encode(), "application/octet-stream")}
        try:
            self.send("run_script.upload", "POST", SCRIPTS, key=f"script-{key}", data=data, files=files)
        except ConnectorError as error:
            error.outcome_unknown = False
            if error.status != TAKEN:  # an earlier try of this task brought it
                raise

    def _take_off(self, name: str) -> Row:
        """Take the script off Falcon; what is left to do by hand if that fails, as data of the task."""
        try:
            for one in self.get("run_script.found", QUERY, params={"filter": f"name:{quoted(name)}"}):
                self.send("run_script.remove", "DELETE", SCRIPTS, key=f"remove-{name}", params={"ids": str(one)})
        except ConnectorError as error:
            return {} if error.status == 404 else {"left_at_falcon": name}
        return {}


def name_of(key: str, params: Row) -> str:
    """The name under which the script of one task is at Falcon."""
    return f"soar-{hashlib.sha256(key.encode()).hexdigest()[:24]}{_ending(params)}"


def line_of(name: str, params: Row) -> str:
    """The command that runs it. Raises ConnectorError for arguments that could be more than arguments."""
    arguments = str(params.get("parameters") or "")
    if len(arguments) > LONGEST_ARGUMENTS:
        raise ConnectorError(f"Parameters of a script have at most {LONGEST_ARGUMENTS:,} characters.", permanent=True)
    if "```" in arguments or not arguments.isprintable():
        raise ConnectorError("Falcon takes no parameters with ``` or control characters.", permanent=True)
    given = f" -CommandLine=```{arguments}```" if arguments else ""
    return f'{RUN} -CloudFile="{name}" -Timeout={SECONDS}{given}'


def _text_of(params: Row) -> str:
    text, digest = params.get("text"), params.get("sha256")
    if not isinstance(text, str) or not text:
        raise ConnectorError("No script is given.", permanent=True)
    if digest not in {None, "", hashlib.sha256(text.encode()).hexdigest()}:
        name = str(params.get("file_name") or params.get("script") or "")
        raise ConnectorError(f"The text of the script {name} is not what was approved.", permanent=True)
    return text


def _platform(host: Host, params: Row) -> str:
    """Falcon's word for the host's system. Raises ConnectorError for a script of another one."""
    system = str(host.get("platform_name") or "Windows").lower()
    language = str(params.get("language") or "powershell")
    if (system == "windows") != (language == "powershell"):
        name = host.get("hostname") or host["device_id"]
        kind = "PowerShell" if language == "powershell" else "Bash"
        raise ConnectorError(f"{name} runs {system.capitalize()}; the script is one of {kind}.", permanent=True)
    return system


def _ending(params: Row) -> str:
    return ENDINGS.get(str(params.get("language") or ""), ".ps1")


def _ran(outcome: Outcome, reference: str) -> Result:
    """What the script wrote. Falcon tells no exit code: whatever stands among the errors counts as a failure."""
    data = {"output": outcome.stdout[:LONGEST_OUTPUT], "errors": outcome.stderr[:LONGEST_OUTPUT]}
    data = {name: text for name, text in data.items() if text.strip()}
    if outcome.stderr.strip():
        return Result("failed", f"The script says: {outcome.stderr.strip()[:500]}", reference, RUN, data=data)
    return Result("done", "The script ran to its end without errors.", reference, RUN, data=data)
