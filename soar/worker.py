"""The worker: django-q2's cluster, made safe against what hangs it or leaves parts of it behind.

Two stop signals in quick succession lock django-q2 up for ever, so the first one is acted on and others are ignored.
When its guard dies the rest would go on unseen, so the whole process group ends and the supervisor starts it anew.
"""

from __future__ import annotations

import gc
import logging
import os
import signal
import sys
import time
from collections.abc import Callable
from types import FrameType

from django.db import connections
from django_q.cluster import Cluster

from soar.lib import heartbeat
from soar.lib.database import AWAY, drop_dead_connection, forget_connection
from soar.lib.watchdog import forks_die_with_us, watch_supervisor

logger = logging.getLogger(__name__)
NICE = 5  # pages and ingest go first
# Seconds after which a thread gives way to one whose query or call was answered. With Python's own 5 ms a task's few
# trips to the database would each wait that long for every thread that computes.
GIVE_WAY = 0.001


class SafeCluster(Cluster):  # type: ignore[misc]
    """A cluster that takes one stop signal and no second."""

    stopping = False

    def sig_handler(self, signum: int, frame: FrameType | None) -> None:
        """Stop, once."""
        if self.stopping:
            return
        self.stopping = True
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        super().sig_handler(signum, frame)


def run() -> int:
    """Work until told to stop. Returns the exit code: 0 after a stop, 1 when the cluster died by itself."""
    os.nice(NICE)
    connections.close_all()  # the children must not inherit one
    sys.setswitchinterval(GIVE_WAY)
    gc.collect()
    gc.freeze()  # what is loaded stays: looking at it again would stop a task for a long moment, and copy shared pages
    forks_die_with_us()
    cluster = SafeCluster()
    cluster.start()
    watch_supervisor()  # after the fork: a thread would not survive it
    _stay(cluster)
    if cluster.stopping:
        _sign(heartbeat.leave)
        return 0
    logger.error("The worker's guard has died; the worker ends.")
    if os.getpgrp() == os.getpid():
        os.killpg(0, signal.SIGKILL)
    return 1


def _stay(cluster: SafeCluster) -> None:
    """Give signs of life as long as the guard of the cluster lives."""
    due = 0.0
    while cluster.sentinel.is_alive():
        if time.monotonic() >= due:
            _sign(heartbeat.beat)
            due = time.monotonic() + heartbeat.EVERY
        cluster.sentinel.join(0.5)


def _sign(what: Callable[[str], None]) -> None:
    drop_dead_connection()
    try:
        what("worker")
    except AWAY as error:
        forget_connection()
        logger.warning("No sign of life: %s", error)
