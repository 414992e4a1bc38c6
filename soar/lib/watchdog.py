"""Ends a process whose supervisor is gone, however that happened.

The supervisor keeps the writing end of a pipe; its children have the reading end as descriptor ``SOAR_ALIVE_FD``.
Nothing is ever written: reading returns when the last writer is dead, also after kill -9, on every Unix.
"""

from __future__ import annotations

import os
import signal
import threading
import time

VARIABLE = "SOAR_ALIVE_FD"
GRACE = 1.0  # seconds between the polite and the hard end


def watch_supervisor() -> None:
    """In a child's main process: end this process group when the supervisor dies. Without one, nothing is done."""
    if descriptor := os.environ.get(VARIABLE):
        threading.Thread(target=_wait_for_end, args=(int(descriptor),), name="watchdog", daemon=True).start()


def watch_parent() -> None:
    """In a child's own children, which have no pipe: end when the parent process is another than at the start."""
    if os.environ.get(VARIABLE):
        threading.Thread(target=_wait_for_orphanage, args=(os.getppid(),), name="watchdog", daemon=True).start()


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
