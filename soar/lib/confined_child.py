"""Begins a script that is not trusted with the machine: ``python -I confined_child.py SCRIPT seconds MiB MiB``.

Alone: nothing of ours is imported, no setting and no secret is read. Limits are set before the first byte of input.
"""

from __future__ import annotations

import ctypes
import resource
import runpy
import signal
import sys

MIB = 1024 * 1024
PR_SET_PDEATHSIG = 1  # linux/prctl.h


def limit(seconds: int, memory: int, output: int) -> None:
    """CPU seconds, MiB of memory and of any file; no core dump, and the end with whoever began it."""
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
    resource.setrlimit(resource.RLIMIT_AS, (memory * MIB, memory * MIB))
    resource.setrlimit(resource.RLIMIT_FSIZE, (output * MIB, output * MIB))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    except (OSError, AttributeError):  # not Linux: the limits end it in time
        return


if __name__ == "__main__":
    limit(*map(int, sys.argv[2:5]))
    runpy.run_path(sys.argv[1], run_name="__main__")
