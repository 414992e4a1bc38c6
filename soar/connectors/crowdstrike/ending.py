"""Processes ended: ``ps`` tells which run the program, ``kill`` ends one, and ``ps`` tells what is left."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

from soar.connectors.base import ConnectorError
from soar.connectors.capabilities import Result, Target
from soar.connectors.crowdstrike.api import Row
from soar.connectors.crowdstrike.collecting import Collecting
from soar.connectors.crowdstrike.processes import MOST, Process, Wanted, processes_of, wanted, wanted_by
from soar.connectors.crowdstrike.sessions import ACT, BASE, READ, Outcome, Place, command_of
from soar.lib import clock

END, LIST, KILL = "terminate_process", "ps", "kill"
FRESH = 60  # seconds: afterwards the number of a process may be another one's
MOST_TIMES = 3  # one process
GONE = re.compile(r"cannot find a process|no such process|process .*(not found|does not exist)", re.IGNORECASE)


class Ending(Collecting):
    """The processes are looked for anew in each try and after each ``kill``: the number of a process may be another
    one's a while later, so it is used at once and never kept.

    ``rest`` of a place: the program; when the host had surely not answered yet; the processes ended so far, the last
    of them by this ``kill``."""

    def perform(self, capability: str, target: Target, params: Row, *, key: str) -> Result:
        """See Responder."""
        if capability != END:
            return super().perform(capability, target, params, key=key)
        program = wanted_by(target)
        host = self.host_of(target, END)
        self.about_host(host)
        result = self._list(str(host["device_id"]), program, [], key)
        body = command_of(Place.of(result.reference).session, LIST)
        return replace(result, request={"method": "POST", "path": f"/{BASE}/entities/{READ}/v1", "body": body})

    def poll(self, capability: str, reference: str) -> Result:
        """See Responder."""
        if capability != END:
            return super().poll(capability, reference)
        place, asked = Place.of(reference), _now()
        text, since, over = json.loads(place.rest)
        outcome = self.outcome(END, READ if place.step == LIST else ACT, place.request)
        if not outcome.complete:
            self.keep(place, END)
            waiting = replace(place, rest=_rest(wanted(text), asked, over))
            return Result("accepted", "The host has not answered yet.", str(waiting), place.step)
        if place.step == KILL:
            return self._ended(place, outcome, wanted(text), over)
        return self._listed(place, outcome, wanted(text), since, over)

    def requests(self, capability: str, target: Target, params: dict[str, Any]) -> list[dict[str, Any]]:
        """See Responder."""
        if capability != END:
            return super().requests(capability, target, params)
        kill = self.handing_over(ACT, f"kill (number of each process of {wanted_by(target).name})")
        return [*self.opening(target), self.handing_over(READ, LIST), kill]

    def _list(self, device: str, program: Wanted, over: list[int], key: str) -> Result:
        """Ask the host for what it runs now. The session may have ended meanwhile. Raises FalconError."""
        session = self.session_with({"device_id": device}, END)
        asked = _now()
        request = self.command(END, READ, session, LIST, key=key)
        place = Place(LIST, device, session, request, _rest(program, asked, over))
        return Result("accepted", f"Falcon asks the host for its processes, for {program.name}.", str(place), LIST)

    def _listed(self, place: Place, outcome: Outcome, program: Wanted, since: int, over: list[int]) -> Result:
        """End the first one that fits; none is left once none does."""
        if outcome.stderr.strip() and not outcome.stdout.strip():
            return _failed(place, f"The host says: {outcome.stderr.strip()[:500]}", over)
        try:
            running = processes_of(outcome.stdout)
        except ConnectorError as error:
            return _failed(place, error.message, over)
        pids = [one.pid for one in running if program.fits(one)]
        if not pids:
            return _none_left(place, program, running, over)
        if wrong := _too_many(program, pids, over):
            return _failed(place, wrong, over)
        return self._kill(place, program, since, pids[0], over)

    def _kill(self, place: Place, program: Wanted, since: int, pid: int, over: list[int]) -> Result:
        """Have one process ended. Was that asked for already, as before a lost answer, it is followed. A list that has
        grown old is made anew. Raises FalconError."""
        line = f"kill {pid}"
        logs = self.logged(place.session, END)
        begin = next((n for n, one in enumerate(logs) if one.get("cloud_request_id") == place.request), len(logs))
        asked = [one for one in logs[begin:] if one.get("command_string") == line]
        request = str(asked[-1].get("cloud_request_id")) if asked else ""
        if not request and _now() - since > FRESH:
            return self._list(place.device, program, over, f"ps-{place.request}")
        if not request:
            request = self.command(f"{END}.kill", ACT, place.session, line, key=f"kill-{place.request}-{pid}")
        where = Place(KILL, place.device, place.session, request, _rest(program, _now(), [*over, pid]))
        return Result("accepted", f"Falcon ends process {pid} of {program.name}.", str(where), KILL)

    def _ended(self, place: Place, outcome: Outcome, program: Wanted, over: list[int]) -> Result:
        """One process has ended, or says why not; then the host is asked for what is left."""
        wrong = outcome.stderr.strip()
        if wrong and not GONE.search(wrong):
            return _failed(place, f"Process {over[-1]} of {program.name} was not ended: {wrong[:500]}", over[:-1])
        return self._list(place.device, program, over, f"ps-{place.request}")


def _now() -> int:
    return int(clock.now().timestamp())


def _rest(program: Wanted, since: int, over: list[int]) -> str:
    return json.dumps([program.text, since, over], ensure_ascii=False, separators=(",", ":"))


def _failed(place: Place, text: str, over: list[int]) -> Result:
    return Result("failed", text, str(place), place.step, data={"ended": over} if over else {})


def _none_left(place: Place, program: Wanted, running: list[Process], over: list[int]) -> Result:
    """What came of it, when no process fits any more."""
    if over:
        ended = list(dict.fromkeys(over))
        numbers = f"{'process' if len(ended) == 1 else 'processes'} {', '.join(map(str, ended))}"
        return Result("done", f"Ended: {program.name} ({numbers}).", str(place), LIST, data={"ended": ended})
    if any(program.may_fit(one) for one in running):
        text = f"{program.name} runs there, but the host does not tell its path: nothing was ended."
        return _failed(place, text, over)
    return Result("done", f"Nothing was to be done: no process of {program.name} runs there.", str(place), LIST)


def _too_many(program: Wanted, pids: list[int], over: list[int]) -> str:
    """Why no more are ended, "" if they are."""
    if over.count(pids[0]) >= MOST_TIMES:
        return f"Process {pids[0]} of {program.name} still runs, although Falcon ended it {MOST_TIMES} times."
    if over and len(over) + len(pids) > MOST:
        return f"Falcon ended {len(over)} processes of {program.name}, and {len(pids)} still run there."
    if len(pids) > MOST:
        return f"{len(pids)} processes of {program.name} run there; Falcon is asked to end {MOST} at most."
    return ""
