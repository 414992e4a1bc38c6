"""A child of the supervisor: a program in a process group of its own, started again when it dies."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

from soar.lib.watchdog import VARIABLE
from soar.up.console import say, write

STEADY = 30.0  # seconds of life after which an earlier failure is forgotten
LONGEST_PAUSE = 30.0


class Lifeline:
    """The pipe whose end tells the children that the supervisor is gone (soar.lib.watchdog)."""

    def __init__(self) -> None:
        self.reading, self._writing = os.pipe()  # the writing end is inherited by nobody


class Child:
    """One program. ``start`` it, ``look`` after it often, ``stop`` it.

    ``once`` is for a program that comes to an end by itself and is not started again; ``quiet`` for one whose
    answer is for programs: only what it complains about is shown.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str | Path],
        lifeline: Lifeline,
        *,
        grace: float = 10,
        once: bool = False,
        quiet: bool = False,
    ) -> None:
        self.name = name
        self.command = command
        self.grace = grace
        self.once = once
        self.quiet = quiet
        self.process: subprocess.Popen[str] | None = None
        self.result: int | None = None
        self._lifeline = lifeline
        self._failures = 0
        self._began = 0.0
        self._due = 0.0

    def start(self, environment: Mapping[str, str] | None = None) -> None:
        """Start the program; what it writes appears with its name."""
        descriptor = self._lifeline.reading
        self._began = time.monotonic()
        self.process = subprocess.Popen(
            self.command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL if self.quiet else subprocess.PIPE,
            stderr=subprocess.PIPE if self.quiet else subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,  # Ctrl-C is for the supervisor, which stops things in order
            pass_fds=(descriptor,),
            env={**os.environ, "PYTHONUNBUFFERED": "1", VARIABLE: str(descriptor), **(environment or {})},
        )
        threading.Thread(target=self._pump, args=(self.process.stdout or self.process.stderr,), daemon=True).start()

    def look(self) -> None:
        """Notice a death, and start again when the pause after it is over."""
        if self.process is not None and self.process.poll() is not None:
            self._died(self.process.returncode)
        if self.process is None and not self.once and time.monotonic() >= self._due:
            self.start()

    def stop(self) -> None:
        """Ask the program to end, wait for ``grace`` seconds, then end its whole group."""
        if self.process is None:
            return
        self.process.terminate()
        try:
            self.process.wait(self.grace)
        except subprocess.TimeoutExpired:
            say(f"{self.name} does not stop, it is killed")
        self.kill()

    def kill(self) -> None:
        """End the whole group at once. The group outlives its leader if that was killed alone."""
        if self.process is None:
            return
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.process = None

    def _died(self, code: int) -> None:
        self.kill()
        self.result = code
        if self.once:
            return
        self._failures = 0 if time.monotonic() - self._began > STEADY else self._failures + 1
        pause = min(LONGEST_PAUSE, 0.1 * 2**self._failures)
        self._due = time.monotonic() + pause
        say(f"{self.name} ended {_how(code)}; it is started again in {pause:.1f} s")

    def _pump(self, output: IO[str] | None) -> None:
        for line in output or ():
            write(self.name, line.rstrip("\n"))


def _how(code: int) -> str:
    return f"with code {code}" if code >= 0 else f"by {signal.Signals(-code).name}"
