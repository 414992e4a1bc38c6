"""Ends a process whose supervisor is gone, however that happened.

The supervisor keeps the writing end of a pipe; its children have the reading end as descriptor ``SOAR_ALIVE_FD``.
Nothing is ever written: reading returns when the last writer is dead, also after kill -9, on every Unix.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading
import time
from collections.abc import Callable

VARIABLE = "SOAR_ALIVE_FD"
PR_SET_PDEATHSIG = 1
GRACE = 1.0  # seconds between the polite and the hard end


def watch_supervisor() -> None:
    """In a child's main process: end this process group when the supervisor dies. Without one, nothing is done."""
    if descriptor := os.environ.get(VARIABLE):
        threading.Thread(target=_wait_for_end, args=(int(descriptor),), name="watchdog", daemon=True).start()


def watch_parent() -> None:
    """In a child's own children, which have no pipe: end when the parent process is another than at the start."""
    if os.environ.get(VARIABLE):
        threading.Thread(target=_wait_for_orphanage, args=(os.getppid(),), name="watchdog", daemon=True).start()


def signal_at_orphanage(number: signal.Signals) -> Callable[[], None] | None:
    """What to run in a child so that the kernel sends it a signal when the thread that made it ends; None where there
    is no such thing. All is looked up before the fork."""
    if sys.platform != "linux":
        return None
    prctl = ctypes.CDLL(None, use_errno=True).prctl

    def ask() -> None:
        prctl(PR_SET_PDEATHSIG, number, 0, 0, 0)

    return ask


def forks_die_with_us() -> None:
    """Whatever this process forks, and what that forks, is killed when its parent is gone: the supervisor may be
    killed before it has seen that a child of its own was. No thread does it, as none survives a fork."""
    if ask := signal_at_orphanage(signal.SIGKILL):
        os.register_at_fork(after_in_child=ask)


def _wait_for_end(descriptor: int) -> None:
    try:
        os.read(descriptor, 1)
    except OSError:  # the descriptor was not given to us: nobody to watch
        return
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(GRACE)
    if os.getpgrp() == os.getpid():
        os.killpg(0, signal.SIGKILL)
    os._exit(1)


def _wait_for_orphanage(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)
