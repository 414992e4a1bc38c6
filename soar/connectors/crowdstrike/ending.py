"""Processes ended: ``ps`` tells which run the program, ``kill`` ends them one after the other."""

from __future__ import annotations

import json
import re
from typing import Any

from soar.connectors.base import ConnectorError
from soar.connectors.capabilities import Result, Target
from soar.connectors.crowdstrike.api import FalconError, Row
from soar.connectors.crowdstrike.collecting import Collecting
from soar.connectors.crowdstrike.processes import MOST, Wanted, processes_of, wanted_by
from soar.connectors.crowdstrike.sessions import ACT, BASE, READ, Outcome, Place, command_of

LIST, KILL = "ps", "kill"
LONGEST_REFERENCE = 1000
GONE = re.compile(r"cannot find a process|no such process|process .*(not found|does not exist)", re.IGNORECASE)


class Ending(Collecting):
    """The processes are looked for anew in each try, so what has ended is not ended twice. The number of a process may
    be another one's a while later, so it is used at once and never kept."""

    def perform(self, capability: str, target: Target, params: Row, *, key: str) -> Result:
        """See Responder."""
        if capability != "terminate_process":
            return super().perform(capability, target, params, key=key)
        wanted = wanted_by(target)
        host = self.host_of(target, capability)
        session = self.session_with(host, capability)
        request = self.command(capability, READ, session, LIST, key=key)
        rest = json.dumps([wanted.name, wanted.path])
        place = Place(LIST, str(host["device_id"]), session, request, rest)
        if len(str(place)) > LONGEST_REFERENCE:
            raise FalconError("The path of the program is too long.", permanent=True)
        sent = {"method": "POST", "path": f"/{BASE}/entities/{READ}/v1", "body": command_of(session, LIST)}
        return Result("accepted", f"Falcon asks the host for its processes, for {wanted.name}.", str(place), "ps", sent)

    def poll(self, capability: str, reference: str) -> Result:
        """See Responder."""
        if capability != "terminate_process":
            return super().poll(capability, reference)
        place = Place.of(reference)
        outcome = self.outcome(capability, READ if place.step == LIST else ACT, place.request)
        if not outcome.complete:
            self.keep(place, capability)
            return Result("accepted", "The host has not answered yet.", reference, place.step)
        return self._listed(place, outcome) if place.step == LIST else self._ended(place, outcome)

    def requests(self, capability: str, target: Target, params: dict[str, Any]) -> list[dict[str, Any]]:
        """See Responder."""
        if capability != "terminate_process":
            return super().requests(capability, target, params)
        wanted = wanted_by(target)
        kill = self.handing_over(ACT, f"kill (number of each process of {wanted.name})")
        return [*self.opening(target), self.handing_over(READ, LIST), kill]

    def _listed(self, place: Place, outcome: Outcome) -> Result:
        wanted = Wanted(*json.loads(place.rest))
        if outcome.stderr.strip() and not outcome.stdout.strip():
            return Result("failed", f"The host says: {outcome.stderr.strip()[:500]}", str(place), LIST)
        try:
            pids = [one.pid for one in processes_of(outcome.stdout) if wanted.fits(one)]
        except ConnectorError as error:
            return Result("failed", error.message, str(place), LIST)
        if not pids:
            return Result("done", f"Nothing was to be done: no process of {wanted.name} runs there.", str(place), LIST)
        if len(pids) > MOST:
            text = f"{len(pids)} processes of {wanted.name} run there; Falcon is asked to end {MOST} at most."
            return Result("failed", text, str(place), LIST)
        return self._next(place, [wanted.name, place.request, pids, []])

    def _ended(self, place: Place, outcome: Outcome) -> Result:
        """One process has ended, or says why not; then the next one."""
        name, listed, left, over = json.loads(place.rest)
        wrong = outcome.stderr.strip()
        if wrong and not GONE.search(wrong):
            text = f"Process {left[0]} of {name} was not ended: {wrong[:500]}"
            return Result("failed", text, str(place), KILL, data={"ended": over})
        left, over = left[1:], [*over, left[0]]
        if left:
            return self._next(place, [name, listed, left, over])
        numbers = ", ".join(map(str, over))
        text = f"Ended: {name} ({'process' if len(over) == 1 else 'processes'} {numbers})."
        return Result("done", text, str(place), KILL, data={"ended": over})

    def _next(self, place: Place, rest: list[Any]) -> Result:
        """Have the first process ended that is left. Was that asked for already, as before a lost answer, it is
        followed. Raises FalconError."""
        line = f"kill {rest[2][0]}"
        logs = self.logged(place.session, "terminate_process")
        begin = next((number for number, one in enumerate(logs) if one.get("cloud_request_id") == rest[1]), len(logs))
        asked = [one for one in logs[begin:] if one.get("command_string") == line]
        request = str(asked[-1].get("cloud_request_id")) if asked else ""
        if not request:
            key = f"kill-{rest[1]}-{rest[2][0]}"
            request = self.command("terminate_process.kill", ACT, place.session, line, key=key)
        where = Place(KILL, place.device, place.session, request, json.dumps(rest, separators=(",", ":")))
        return Result("accepted", f"Falcon ends process {rest[2][0]} of {rest[0]}.", str(where), KILL)
