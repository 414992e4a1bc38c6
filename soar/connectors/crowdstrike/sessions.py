"""Real Time Response: commands that Falcon hands to the sensor of a host, and what came of them.

A session is of one API client with one host. It is found again by asking for it once more, and ends after ten quiet
minutes. What a command writes comes in pieces, numbered from 0; the last one says that it is complete."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from soar.connectors.crowdstrike.api import FalconError, Row, objects
from soar.connectors.crowdstrike.containing import Containing, Host
from soar.lib import clock

BASE = "real-time-response"
SESSIONS, REFRESH = f"{BASE}/entities/sessions/v1", f"{BASE}/entities/refresh-session/v1"
QUERY, TOLD = f"{BASE}/queries/sessions/v1", f"{BASE}/entities/sessions/GET/v1"
READ, ACT, ADMIN = "command", "active-responder-command", "admin-command"  # what they need grows
OFFLINE = 40401
WAIT = 30.0
LOOK_BACK = timedelta(hours=1)
MOST_PIECES, MOST_SESSIONS = 100, 50
LONGEST_PATH = 800  # with it the reference of a task has to stay below 1000


@dataclass(frozen=True, slots=True)
class Place:
    """Where a command is found again, as the reference of a task: ``step`` of several, and what the next one needs.
    ``tag``: what the task is known by at Falcon, where something made later is to bear it."""

    step: str
    device: str
    session: str
    request: str
    rest: str = ""
    tag: str = ""

    def __str__(self) -> str:
        return "|".join((self.step, self.device, self.session, self.request, self.tag, self.rest))

    @classmethod
    def of(cls, reference: str) -> Place:
        """What ``str`` made. Raises FalconError for anything else."""
        parts = reference.split("|", 5)
        if len(parts) != 6:
            raise FalconError("The task has lost its place at Falcon.", permanent=True)
        step, device, session, request, tag, rest = parts
        return cls(step, device, session, request, rest, tag)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a command wrote so far."""

    complete: bool
    stdout: str = ""
    stderr: str = ""


class Sessions(Containing):
    """A host that is not connected gets no command, not even later: when the task is over, nothing comes after it."""

    def session_with(self, host: Host, operation: str) -> str:
        """The id of the session. Raises FalconError; temporary while the host is not connected."""
        body = {"device_id": host["device_id"], "origin": "Soar", "queue_offline": False}
        try:
            found = objects(self.look(f"{operation}.session", SESSIONS, json=body))
        except FalconError as error:
            if error.code != OFFLINE:
                raise
            text = (
                f"{host.get('hostname') or host['device_id']} is not connected to Falcon now; nothing was sent to it."
            )
            raise FalconError(text, permanent=False, status=error.status, retry_after=WAIT) from None
        identity = str(found[0].get("session_id") or "") if found else ""
        if not identity:
            raise FalconError("Falcon opened a session without naming it.", permanent=False)
        return identity

    def command(self, operation: str, level: str, session: str, line: str, *, key: str) -> str:
        """Hand a command to the host; its id at Falcon. Raises FalconError."""
        body = command_of(session, line)
        found = objects(self.send(operation, "POST", f"{BASE}/entities/{level}/v1", key=key, json=body))
        identity = str(found[0].get("cloud_request_id") or "") if found else ""
        if not identity:
            text = "Falcon took the command without naming it."
            raise FalconError(text, permanent=False, outcome_unknown=True)
        return identity

    def outcome(self, operation: str, level: str, request: str) -> Outcome:
        """What the command wrote so far, all its pieces. Raises FalconError."""
        out, wrong = "", ""
        for number in range(MOST_PIECES):
            params = {"cloud_request_id": request, "sequence_id": number}
            found = objects(self.get(f"{operation}.poll", f"{BASE}/entities/{level}/v1", params=params))
            piece = found[0] if found else {}
            told, errors = str(piece.get("stdout") or ""), str(piece.get("stderr") or "")
            out, wrong = out + told, wrong + errors
            if piece.get("complete") is True:
                return Outcome(True, _storable(out), _storable(wrong))
            if not told and not errors:
                break
        return Outcome(False, _storable(out), _storable(wrong))

    def keep(self, place: Place, operation: str) -> None:
        """Let the session live on while its command runs. That it is not to be had says nothing of the command."""
        with contextlib.suppress(FalconError):
            self.look(f"{operation}.refresh", REFRESH, json={"device_id": place.device, "origin": "Soar"})

    def logged(self, session: str, operation: str) -> list[Row]:
        """The commands of a session, the oldest first. Raises FalconError."""
        return _logs(objects(self.look(f"{operation}.sessions", TOLD, json={"ids": [session]})))

    def found_again(
        self, device: str, line: str, operation: str, after: datetime | None = None
    ) -> tuple[str, str] | None:
        """Session and id of the last command of ours on this host that begins so and is not old, nor from before
        ``after``; None for none.

        Raises FalconError."""
        params = {"filter": "user_id:'@me'", "sort": "created_at|desc", "limit": MOST_SESSIONS}
        ids = [one for one in self.get(f"{operation}.sessions", QUERY, params=params) if isinstance(one, str)]
        told = objects(self.look(f"{operation}.sessions", TOLD, json={"ids": ids})) if ids else []
        logs = _logs([one for one in told if one.get("device_id") == device])
        since = max(clock.now() - LOOK_BACK, after or datetime.min.replace(tzinfo=UTC))
        same = [one for one in logs if str(one.get("command_string") or "").startswith(line) and _time(one) >= since]
        if not same:
            return None
        return str(same[-1].get("session_id") or ""), str(same[-1].get("cloud_request_id") or "")


def command_of(session: str, line: str) -> Row:
    """The body that hands over a command line; its first word is the command."""
    return {"session_id": session, "base_command": line.partition(" ")[0], "command_string": line}


def quoted_path(path: str) -> str:
    """A path as an argument. Raises FalconError for one that could be more than an argument, and for a long one."""
    if len(path) > LONGEST_PATH:
        raise FalconError(f"Falcon is asked for no path of more than {LONGEST_PATH} characters.", permanent=True)
    if '"' in path or "`" in path or not path.isprintable():
        raise FalconError("Falcon takes no path with quotes or control characters.", permanent=True)
    return f'"{path}"'


def _storable(text: str) -> str:
    """What a program wrote, without what no database holds: NUL, and halves of characters."""
    return text.replace("\x00", "").encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _logs(sessions: list[Row]) -> list[Row]:
    found: list[Row] = []
    for session in sessions:
        found += [{"session_id": session.get("id"), **log} for log in objects(session.get("logs"))]
    return sorted(found, key=_time)


def _time(log: dict[str, Any]) -> datetime:
    try:
        found = datetime.fromisoformat(str(log.get("created_at") or ""))
    except ValueError:
        return datetime.fromisoformat("1970-01-01T00:00:00+00:00")
    return found if found.tzinfo else datetime.fromisoformat(f"{found.isoformat()}+00:00")
