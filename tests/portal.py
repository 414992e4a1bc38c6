"""A whole portal (`manage.py up`) on a data folder and port of its own, whose parts can be killed by name."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import httpx

ROOT = Path(__file__).parent.parent
MARKS = {  # what a part's command line has in it
    "web": "soar.up.web",
    "worker": "manage.py worker",
    "scheduler": "manage.py scheduler",
    "database": "bin/postgres -D",
}
PASSWORD = "kill-tests-only-1"


class Portal:
    """``start()`` it, use ``client``, ``kill("web" | "worker" | "scheduler" | "database" | "supervisor")``, ``stop()``.

    The demo is off and the lease is one second, so that what was killed is taken over at once.
    """

    def __init__(self, data: Path, **environment: str) -> None:
        self.data = data
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.environment = {"SOAR_DEMO": "0", "SOAR_LEASE_SECONDS": "1", "SOAR_ADMIN_PASSWORD": PASSWORD, **environment}
        self.lines: list[str] = []
        self.process: subprocess.Popen[str] | None = None
        self.client = httpx.Client(base_url=self.url, timeout=10)

    def start(self, timeout: float = 600) -> None:
        """Start and wait for the ready line. Fails with the log when it does not come."""
        self.launch()
        self.wait(lambda: any(line.startswith("ready: ") for line in self.lines), timeout, "no ready line")

    def launch(self) -> None:
        """Start without waiting."""
        self.lines = []
        self.process = subprocess.Popen(
            [sys.executable, ROOT / "manage.py", "up"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=self._environment(),
            cwd=ROOT,
            start_new_session=True,
        )
        threading.Thread(target=self._read, args=(self.process,), daemon=True).start()

    def manage(self, *arguments: str) -> str:
        """The output of a management command on this portal's data. Raises CalledProcessError."""
        done = subprocess.run(
            [sys.executable, ROOT / "manage.py", *arguments],
            capture_output=True,
            text=True,
            check=False,
            env=self._environment(),
            cwd=ROOT,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def pids(self, role: str) -> list[int]:
        """The main process of a part first, then all processes below it."""
        if role == "supervisor":
            return [self.process.pid] if self.process else []
        assert self.process is not None
        mains = [pid for pid in children(self.process.pid) if MARKS[role] in command(pid)]
        return mains + [below for main in mains for below in descendants(main)]

    def kill(self, role: str, number: signal.Signals = signal.SIGKILL) -> int:
        """Send a signal, kill -9 unless said otherwise, to the main process of a part. Returns its former id."""
        pid = self.pids(role)[0]
        os.kill(pid, number)
        return pid

    def all(self) -> list[int]:
        """Every process of this portal that lives, found by its data folder or by its descent."""
        mark = f"SOAR_DATA={self.data}".encode()
        found = []
        for pid in everything():
            try:
                ours = mark in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
            except OSError:
                continue
            if pid != os.getpid() and ours and state(pid) != "Z":
                found.append(pid)
        return found

    def is_ready(self) -> bool:
        """Whether /readyz says so."""
        try:
            return self.client.get("/readyz").status_code == 200
        except httpx.HTTPError:
            return False

    def heal(self, role: str, former: int, timeout: float = 30) -> None:
        """Wait until a part that was killed runs again as another process, and the portal is ready."""
        self.wait(lambda: self.pids(role)[:1] not in ([], [former]), timeout, f"{role} is not back")
        self.wait(self.is_ready, timeout, f"not ready after {role} was killed")

    def wait(self, until: Callable[[], bool], timeout: float, message: str) -> None:
        """Wait for something to become true; fails with the end of the log."""
        deadline = time.monotonic() + timeout
        while not until():
            ended = self.process is not None and self.process.poll() is not None
            if time.monotonic() > deadline or (ended and message == "no ready line"):
                raise AssertionError(f"{message} after {timeout} s\n" + "\n".join(self.lines[-60:]))
            time.sleep(0.02)

    def stop(self) -> int:
        """Ctrl-C, and wait for the end. Returns the exit code."""
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        return self.process.wait(60)

    def clean_up(self) -> None:
        """End whatever is left, however the test went."""
        self.client.close()
        if self.process is not None and self.process.poll() is None:
            self.stop()
        for pid in self.all():
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue

    def _environment(self) -> dict[str, str]:
        own = ("DATABASE_URL", "SECRET_KEY", "SOAR_TESTS_READY", "DJANGO_SETTINGS_MODULE", "SOAR_LOG_LEVEL")
        kept = {name: value for name, value in os.environ.items() if name not in own}
        return {**kept, **self.environment, "SOAR_DATA": str(self.data), "PORT": str(self.port)}

    def _read(self, process: subprocess.Popen[str]) -> None:
        for line in process.stdout or ():
            self.lines.append(line.rstrip("\n"))


def free_port() -> int:
    """A port that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def everything() -> list[int]:
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""


def children(parent: int) -> list[int]:
    return [pid for pid in everything() if _status(pid)[1] == parent]


def descendants(parent: int) -> list[int]:
    below = children(parent)
    return below + [deeper for pid in below for deeper in descendants(pid)]


def state(pid: int) -> str:
    """R, S, Z ... of a process; "" when it is gone."""
    return _status(pid)[0]


def _status(pid: int) -> tuple[str, int]:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return "", 0
    return fields[0], int(fields[1])
