"""The whole portal on a throw-away data folder, started as a user starts it."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PLAYBOOKS = Path(__file__).resolve().parent / "playbooks"
START_AT_MOST = 180.0


class Stack:
    """``manage.py up`` in a process group of its own."""

    def __init__(self, data: Path, *, demo: bool = False) -> None:
        self.data = data
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port: int = free.getsockname()[1]
        self.env = {
            **{
                name: value
                for name, value in os.environ.items()
                if name not in ("DATABASE_URL", "DJANGO_SETTINGS_MODULE")
            },
            "SOAR_DATA": str(data),
            "PORT": str(self.port),
            "SOAR_DEMO": str(int(demo)),
            "SOAR_ADMIN_PASSWORD": "benchmark-only",
            "SOAR_PLAYBOOK_DIRS": str(PLAYBOOKS),
            "SOAR_SOURCE_RATE": "1000000",
            "SOAR_TOKEN_RATE": "1000000",
        }
        self.lines: list[str] = []
        self.ready_after = 0.0
        self._ready = threading.Event()
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        """Start and wait for the line ``ready:``; ``ready_after`` is how long that took, in seconds."""
        begin = time.perf_counter()
        self._process = subprocess.Popen(
            [sys.executable, "manage.py", "up"],
            cwd=ROOT, env=self.env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True,
        )  # fmt: skip
        threading.Thread(target=self._read, daemon=True).start()
        if not self._ready.wait(START_AT_MOST):
            raise RuntimeError("The portal did not start:\n" + "\n".join(self.lines[-40:]))
        self.ready_after = time.perf_counter() - begin

    def _read(self) -> None:
        process = self._process
        for line in process.stdout if process and process.stdout else ():
            self.lines.append(line.rstrip())
            if line.startswith("ready:"):
                self._ready.set()

    def stop(self) -> None:
        """As Ctrl-C does."""
        if self._process and self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
            try:
                self._process.wait(60)
            except subprocess.TimeoutExpired:
                os.killpg(self._process.pid, signal.SIGKILL)

    def manage(self, *arguments: str) -> str:
        """What a management command prints."""
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=self.env,
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout

    def wait_for(self, text: str, seconds: float = 120.0) -> bool:
        """Wait until a line with ``text`` was printed."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if any(text in line for line in self.lines):
                return True
            time.sleep(0.2)
        return False

    def processes(self) -> list[int]:
        """Ids of all processes of the stack: those that carry its data folder in their environment, the database's,
        and what these have started: the database's connections, which say neither."""
        mark = f"SOAR_DATA={self.data}".encode()
        found = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    if (
                        mark in (entry / "environ").read_bytes().split(b"\0")
                        or str(self.data).encode() in (entry / "cmdline").read_bytes()
                    ):
                        found.append(int(entry.name))
                except OSError:
                    continue
        found = [pid for pid in found if pid != os.getpid()]
        return sorted({*found, *(child for pid in found for child in _children(pid))})

    def proportional_memory(self) -> int:
        """The proportional set size of all processes, in MB."""
        total = 0
        for pid in self.processes():
            try:
                text = Path(f"/proc/{pid}/smaps_rollup").read_text()
            except OSError:
                continue
            total += sum(int(line.split()[1]) for line in text.splitlines() if line.startswith("Pss:"))
        return total // 1024

    def settle(self) -> None:
        """Let the import of the lists end and switch the shipped playbooks off: a figure is of one thing."""
        self.wait_for("lists: done")
        code = (
            "from cases.actors import Actor; from playbooks import actions; from playbooks.models import Playbook\n"
            "for one in Playbook.objects.exclude(name='measured'): actions.disable(Actor.system(), one)"
        )
        self.manage("shell", "-v0", "-c", code)


def _children(pid: int) -> list[int]:
    """Those that a process has started, and that live."""
    found: list[int] = []
    for each in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            found += map(int, each.read_text().split())
        except OSError:  # it has ended meanwhile
            continue
    return found


@contextmanager
def stack(*, demo: bool = False, data: Path | None = None) -> Iterator[Stack]:
    """A running stack; its data folder is removed afterwards unless it was given."""
    folder = data or Path(tempfile.mkdtemp(prefix="soar-bench-"))
    one = Stack(folder, demo=demo)
    try:
        one.start()
        yield one
    finally:
        one.stop()
        if data is None:
            shutil.rmtree(folder, ignore_errors=True)
