"""Processes of a database whose owner is gone, and the signal that makes a child die with its parent."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

from soar.lib.watchdog import signal_at_orphanage


def die_with_parent() -> Callable[[], None] | None:
    """What to run in a child before its program starts so that it stops when its parent dies; None if unknown here.

    SIGINT is PostgreSQL's fast shutdown. Everything is looked up before the fork.
    """
    return signal_at_orphanage(signal.SIGINT)


def living_in(folder: Path) -> list[int]:
    """Ids of processes whose working folder is ``folder``: a server's and its backends'. A zombie has none."""
    found = []
    for name in os.listdir("/proc") if os.path.isdir("/proc/self") else []:
        if name.isdigit():
            try:
                if os.readlink(f"/proc/{name}/cwd") == str(folder):
                    found.append(int(name))
            except OSError:  # it ended meanwhile, or it is another user's
                continue
    return found


def send(process: int, number: signal.Signals) -> None:
    """Send a signal; harmless when the process is gone."""
    try:
        os.kill(process, number)
    except ProcessLookupError:
        return
