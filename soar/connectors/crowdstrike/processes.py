"""What ``ps`` of Real Time Response writes, and which of it is the process that a target means. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

from soar.connectors.base import ConnectorError
from soar.connectors.capabilities import PROCESS, Target
from soar.connectors.paths import is_full, program_of

MOST = 50  # of one program
LONGEST_PROGRAM = 400  # as JSON: it has to fit in the reference of a task, beside the numbers of what was ended
COLUMNS = re.compile(r"\s*-+\s+(-+)")
OF_WINDOWS = re.compile(r"(.*?)\s+(\d+)")
WINDOWS_PATH = re.compile(r"[A-Za-z]:\\.*$")
# Without these a host is down, or out of reach.
VITAL = frozenset({
    "system", "idle", "registry", "smss", "csrss", "wininit", "winlogon", "services", "lsass", "lsaiso", "svchost",
    "csfalconservice", "csfalconcontainer", "systemd", "init", "launchd", "kernel_task", "falcond", "falcon-sensor",
    "falcon-sensor-bpf", "sshd",
})  # fmt: skip
SYSTEM_FOLDERS = (
    "c:\\windows\\",
    "/usr/",
    "/sbin/",
    "/bin/",
    "/lib/",
    "/opt/crowdstrike/",
    "c:\\program files\\crowdstrike\\",
)


@dataclass(frozen=True, slots=True)
class Process:
    """``path`` is empty where the sensor tells none. ``line``: the whole command line, where it tells that instead."""

    pid: int
    name: str
    path: str = ""
    line: str = ""


@dataclass(frozen=True, slots=True)
class Wanted:
    """The program that is to be ended: its name, and its path if that is known."""

    name: str
    path: str = ""

    @property
    def text(self) -> str:
        """What ``wanted`` makes it of again."""
        return self.path or self.name

    def fits(self, process: Process) -> bool:
        """Whether the process runs this program. A path that is known has to be the very one; in a command line, where
        a path may hold spaces, it ends with the line or before a space."""
        if not self.path:
            return self.named(process)
        path = self.path.casefold()
        return process.path.casefold() == path or f"{process.line.casefold()} ".startswith(f"{path} ")

    def may_fit(self, process: Process) -> bool:
        """Whether it is called so and its path is not told, so that nobody knows."""
        return not process.path and self.named(process)

    def named(self, process: Process) -> bool:
        """Whether it is called so."""
        return _plain(process.name) == _plain(self.name)


def wanted(text: str) -> Wanted:
    """The program that a full path, or only a name, tells."""
    return Wanted(program_of(text), text if is_full(text) else "")


def wanted_by(target: Target) -> Wanted:
    """Raises ConnectorError for a target that tells no program, and for one without which a host does not run."""
    told = target.facts.get("file_path")
    text = str(told).strip() if isinstance(told, str) and told.strip() else target.value.strip()
    found = wanted(text)
    name, path = found.name, found.path
    if target.kind != PROCESS or not name or not text.isprintable():
        raise ConnectorError("Falcon ends processes by the name of their program; it is not told.", permanent=True)
    if _plain(name) in VITAL and (not path or path.casefold().startswith(SYSTEM_FOLDERS)):
        raise ConnectorError(f"A host does not run without {name}: Falcon is not asked to end it.", permanent=True)
    if len(json.dumps(found.text, ensure_ascii=False)) > LONGEST_PROGRAM:
        raise ConnectorError("The path of the program is too long.", permanent=True)
    return found


def processes_of(text: str) -> list[Process]:
    """The processes in the table that ``ps`` wrote. Raises ConnectorError for a form that is not known: to take it for
    an empty one would say that nothing runs."""
    lines = text.splitlines()
    for number, line in enumerate(lines):
        below = lines[number + 1] if number + 1 < len(lines) else ""
        words = line.split()
        if words[:2] == ["Name", "Id"] and (match := COLUMNS.match(below)):
            return list(_of_windows(lines[number + 2 :], match.end(1)))
        if "PID" in words and words[-1] in {"CMD", "COMMAND"}:
            return list(_of_unix(lines[number + 1 :], words))
    raise ConnectorError("The list of processes has a form that is not known.", permanent=True)


def _of_windows(lines: list[str], end: int) -> Iterator[Process]:
    """The number stands on the right of its column, so names may hold spaces and numbers."""
    for line in lines:
        if match := OF_WINDOWS.fullmatch(line[:end]):
            path = WINDOWS_PATH.search(line[end:])
            yield Process(int(match[2]), match[1].strip(), path[0].strip() if path else "")


def _of_unix(lines: list[str], header: list[str]) -> Iterator[Process]:
    place = header.index("PID")
    for line in lines:
        words = line.split(None, len(header) - 1)
        if len(words) < len(header) or not words[place].isdigit() or words[-1].endswith("<defunct>"):
            continue  # a defunct one runs no more
        program = words[-1].split()[0]
        path = program if program.startswith("/") else ""
        # In brackets where the process has no command line; then the name is all that is told.
        yield Process(int(words[place]), program_of(program.strip("[]")), path, words[-1].strip())


def _plain(name: str) -> str:
    return name.casefold().removesuffix(".exe")
