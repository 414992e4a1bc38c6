"""A further host of a storm, whose clock is wrong."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

from tests.chaos.storm import Clock, Site
from tests.portal import ROOT, everything, state


class FarHost:
    """A host with one worker process and a clock of its own, which is wrong for good by ``ahead`` seconds. It has the
    database, the keys and the storage of a site, and starts its worker again when it ends, as systemd does it."""

    SHARED = ("effects", "evidence", "uploads", "exports")

    def __init__(self, folder: Path, site: Site, ahead: int) -> None:
        name = f"host{ahead:+d}"
        clock, self.data, self.log = Clock(folder, f"{name}.clock"), folder / name, folder / f"{name}.log"
        clock.turn(ahead)
        self.data.mkdir()
        for shared in self.SHARED:
            (self.data / shared).symlink_to(site.data / shared)
        self.environment = {
            **site._environment(), **clock.environment, "SOAR_DATA": str(self.data), "SOAR_TASK_WORKERS": "1",
            "DATABASE_URL": f"postgresql://soar@/soar?host={site.data / 'run'}",
            "SECRET_KEY_FILE": str(site.data / "secret_key"),
            "SOAR_ENCRYPTION_KEYS_FILE": str(site.data / "encryption_key"),
        }  # fmt: skip
        self.process: subprocess.Popen[bytes] | None = None
        self.starts = 0

    def keep(self) -> None:
        """Start it, or start it again when it has ended and nothing of it is left."""
        if self.process is not None and (self.process.poll() is None or self.pids()):
            return
        with self.log.open("ab") as log:
            command = [sys.executable, str(ROOT / "manage.py"), "worker"]
            self.process = subprocess.Popen(
                command, cwd=ROOT, env=self.environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True,
            )  # fmt: skip
        self.starts += 1

    def pids(self) -> list[int]:
        """Every process of it that lives."""
        mark, found = f"SOAR_DATA={self.data}".encode(), []
        for pid in everything():
            try:
                ours = mark in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
            except OSError:
                continue
            if ours and state(pid) != "Z":
                found.append(pid)
        return found

    def remove(self) -> None:
        """Power it off."""
        for pid in self.pids():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        if self.process is not None:
            self.process.wait()
