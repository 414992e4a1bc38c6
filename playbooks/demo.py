"""Runs for the demo's alerts: the shipped playbooks really run, through the engine, at moments of the past."""

from __future__ import annotations

from datetime import datetime, timedelta

from playbooks import catalog, tasks
from playbooks.models import Run, Sequence, Step

CALL = timedelta(milliseconds=37)  # a moment between two recorded calls, since all of them happen now


class Past:
    """Called with a timeline entry, as a worker is, and the moment at which it came in (``DEMO_RUNS``)."""

    def __init__(self) -> None:
        """Load the playbooks before the caller begins its transaction: loading may have to write rows."""
        catalog.current()

    def __call__(self, entry_id: int, moment: datetime) -> int:
        """Run what the entry triggers and date it back to ``moment``. Returns how many runs there were."""
        tasks.consider(entry_id)
        sequences = Sequence.objects.filter(entry_id=entry_id)
        sequences.update(created_at=moment)
        runs = Run.objects.filter(sequence__in=sequences).order_by("position")
        begin = moment
        for run in runs:
            begin = _date_back(run, begin + CALL)
        return len(runs)


def _date_back(run: Run, begin: datetime) -> datetime:
    """Give the run and its steps times from ``begin`` on. Returns when it was over."""
    at = begin + CALL
    for step in Step.objects.filter(run=run):
        Step.objects.filter(pk=step.pk).update(started_at=at, finished_at=at + CALL if step.finished_at else None)
        at += 2 * CALL
    Run.objects.filter(pk=run.pk).update(
        queued_at=begin, started_at=begin + CALL / 4, finished_at=at if run.finished_at else None, rung_at=begin
    )
    return at
