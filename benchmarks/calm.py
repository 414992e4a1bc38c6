"""Waiting until a portal that was just filled has nothing left to do: a figure is of one thing."""

from __future__ import annotations

import time

from benchmarks.mapping import cpu_of
from benchmarks.stack import Stack

SHARE = 0.1  # of a core, of all processes of the stack together
LOOK, AT_MOST = 15.0, 900.0  # seconds

CLEAN = """
from django.db import connection
connection.cursor().execute("VACUUM ANALYZE")
"""


def calm(stack: Stack) -> float:
    """Have the database look at what was filled in, and wait until the portal idles. Returns the seconds of processor
    time that it still worked. Raises RuntimeError where it does not come to rest."""
    begin = cpu_of(stack)
    stack.manage("shell", "-v0", "-c", CLEAN)
    end, before = time.monotonic() + AT_MOST, cpu_of(stack)
    while time.monotonic() < end:
        time.sleep(LOOK)
        now = cpu_of(stack)
        if now - before < SHARE * LOOK:
            return now - begin
        before = now
    raise RuntimeError("The portal does not come to rest.")
