"""Runs for the demo's alerts: the shipped playbooks really run, through the engine, at moments of the past."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import cast

from django.conf import settings

from cases.models import Alert
from playbooks import catalog, engine, opening
from playbooks.conditions import matches
from playbooks.incoming import read
from playbooks.models import Run, Sequence, Step
from playbooks.opening import Opening
from playbooks.subject import alert_view

CALL = timedelta(milliseconds=37)  # a moment between two recorded calls, since all of them happen now


class Past:
    """Called with the entry that opened an alert and the moment at which it came in (``DEMO_RUNS``).

    Only the shipped playbooks run: those of the house may call other products, and demo data must not."""

    def __init__(self) -> None:
        """Load the playbooks before the caller begins its transaction: loading may have to write rows."""
        catalog.current()

    def __call__(self, entry_id: int, moment: datetime) -> int:
        """Run what the entry triggers and date it back to ``moment``. Returns how many runs there were."""
        for entry in read([entry_id], ["alert.opened"]):
            matched = [one for one in _shipped() if matches(one.row.conditions, alert_view(cast(Alert, entry.subject)))]
            if matched:
                engine.go_on(opening.begin(Opening(entry, [*matched], 0), matched[0]))
        sequences = Sequence.objects.filter(entry_id=entry_id)
        sequences.update(created_at=moment)
        runs = Run.objects.filter(sequence__in=sequences).order_by("position")
        begin = moment
        for run in runs:
            begin = _date_back(run, begin + CALL)
        return len(runs)


def _shipped() -> list[catalog.Entry]:
    """The playbooks of the library that start on alerts, in their order."""
    library = str(settings.BASE_DIR / "playbooks" / "library")
    starting = catalog.current().starting.get("webhook", [])
    return [one for one in starting if isinstance(one, catalog.Entry) and one.row.folder == library]


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
