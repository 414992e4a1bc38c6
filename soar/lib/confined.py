"""Work on content that nobody vouches for, in a process of its own with limits: it can hang, eat memory or crash there.

The child is one script that imports nothing of ours. It gets bytes on standard input and writes its result to standard
output. On standard error it may write lines ``progress 42``; before it ends with another code than 0 a line of JSON,
``{"error": "...", ...}``. It sees neither the environment of this process nor its open files.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

PATIENCE = 4
START = Path(__file__).with_name("confined_child.py")
PASSED_ON = ("PATH", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "FONTCONFIG_FILE", "FONTCONFIG_PATH", "XDG_DATA_DIRS")


@dataclass(frozen=True, slots=True)
class Limits:
    """What a child may take: seconds of CPU, MiB of memory, MiB of its result. By the clock it has PATIENCE times the
    seconds: on a busy machine it waits more than it works."""

    seconds: int
    memory: int
    output: int


class Broken(Exception):
    """The child did not do it. ``told`` is what it said of the reason, {} for one that was stopped or crashed."""

    def __init__(self, sentence: str, told: dict[str, Any] | None = None) -> None:
        super().__init__(sentence)
        self.told = told or {}


def run(script: Path, given: bytes, limits: Limits, progress: Callable[[int], None] = lambda _n: None) -> bytes:
    """What the script makes of ``given``. Raises Broken, and what ``progress`` raises; the child is gone then."""
    with tempfile.TemporaryFile() as source, tempfile.TemporaryFile() as result:
        source.write(given)
        source.seek(0)
        child = _begin(script, limits, source, result)
        last = _watched(child, limits, progress)
        if child.returncode != 0:
            raise _reason(child.returncode, last)
        result.seek(0)
        return result.read()


def _begin(script: Path, limits: Limits, source: IO[bytes], result: IO[bytes]) -> subprocess.Popen[bytes]:
    environment = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    size = map(str, (limits.seconds, limits.memory, limits.output))
    return subprocess.Popen(
        [sys.executable, "-I", "-X", "utf8", str(START), str(script), *size],
        stdin=source, stdout=result, stderr=subprocess.PIPE, env=environment, cwd="/", start_new_session=True,
    )  # fmt: skip


def _watched(child: subprocess.Popen[bytes], limits: Limits, progress: Callable[[int], None]) -> bytes:
    """Read what it says until it ends or its time is over. The last line that is no progress."""
    clock = threading.Timer(PATIENCE * limits.seconds, _stop, [child])
    clock.start()
    last = b""
    assert child.stderr is not None
    try:
        while line := child.stderr.readline(65536):
            if line.startswith(b"progress "):
                progress(int(line[9:12]))
            elif line.strip():
                last = line
        child.wait()
        return last
    finally:
        clock.cancel()
        _stop(child)
        child.stderr.close()


def _stop(child: subprocess.Popen[bytes]) -> None:
    """End it and whatever it has begun; nothing for one that has ended."""
    if child.poll() is None:
        with suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()


def _reason(code: int, last: bytes) -> Broken:
    try:
        told = json.loads(last)
        return Broken(str(told["error"]), told)
    except (ValueError, KeyError, TypeError):
        pass
    if code in (-signal.SIGKILL, -signal.SIGXCPU):
        return Broken("It took too long.")
    if code == -signal.SIGXFSZ:
        return Broken("It became too large.")
    return Broken("It ended with an error.")
