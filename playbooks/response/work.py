"""A run from its beginning to its end in this process: for the command line."""

from __future__ import annotations

import time

from playbooks.choices import RunStatus
from playbooks.models import Run
from playbooks.response import beginning
from playbooks.response.crew import Crew

BETWEEN = 0.2  # seconds


def through(run_id: int, seconds: float = 1800) -> None:
    """Work on the run until it is over, waits for people, or the time is up; then the workers go on with it."""
    beginning.begin(run_id)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        Crew.work(seconds=1)
        if Run.objects.values_list("status", flat=True).get(pk=run_id) != RunStatus.IN_PROGRESS:
            return
        time.sleep(BETWEEN)
