"""What ``ps`` of Real Time Response writes, and which of it is the process that a target means. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from soar.connectors.base import ConnectorError
from soar.connectors.capabilities import PROCESS, Target
from soar.connectors.paths import is_full, program_of

MOST = 50  # of one program
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
    """``path`` is empty where the sensor tells none."""

    pid: int
    name: str
    path: str = ""


@dataclass(frozen=True, slots=True)
class Wanted:
    """The program that is to be ended: its name, and its path if that is known."""

    name: str
    path: str = ""

    def fits(self, process: Process) -> bool:
        """Whether the process runs this program. A path that is known has to be the very one."""
        if self.path:
            return process.path.casefold() == self.path.casefold()
        return _plain(process.name) == _plain(self.name)


def wanted_by(target: Target) -> Wanted:
    """Raises ConnectorError for a target that tells no program, and for one without which a host does not run."""
    told = target.facts.get("file_path")
    text = str(told).strip() if isinstance(told, str) and told.strip() else target.value.strip()
    path = text if is_full(text) else ""
    name = program_of(text)
    if target.kind != PROCESS or not name or not text.isprintable():
        raise ConnectorError("Falcon ends processes by the name of their program; it is not told.", permanent=True)
    if _plain(name) in VITAL and (not path or path.casefold().startswith(SYSTEM_FOLDERS)):
        raise ConnectorError(f"A host does not run without {name}: Falcon is not asked to end it.", permanent=True)
    return Wanted(name, path)


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
        if len(words) == len(header) and words[place].isdigit():
            program = words[-1].split()[0]
            yield Process(int(words[place]), program_of(program), program if program.startswith("/") else "")


def _plain(name: str) -> str:
    return name.casefold().removesuffix(".exe")
