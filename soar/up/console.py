"""What the supervisor says, and what its children say, a line at a time."""

from __future__ import annotations

import sys
import threading
import time

from soar import env
from soar.lib.log_lines import FORMATS, from_process

WIDTH = 10
_json = env.choice("SOAR_LOG_FORMAT", FORMATS) == "json"
_began = time.monotonic()
_lock = threading.Lock()


def say(text: str) -> None:
    """A line of the supervisor's own, with the seconds since the start."""
    write("soar", f"[{time.monotonic() - _began:5.1f} s] {text}")


def write(name: str, line: str) -> None:
    """``line`` with the name of who says it. A closed terminal is no reason to die."""
    put(from_process(name, line) if _json else f"{name:<{WIDTH}}| {line}")


def put(line: str) -> None:
    """``line`` as it is."""
    with _lock:
        try:
            sys.stdout.write(line + "\n")
            sys.stdout.flush()
        except (OSError, ValueError):
            return
