"""Playbooks that start by the clock (python-playbooks.md 1): once for every moment their cron text names, UTC."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta

from croniter import croniter
from django.db import transaction
from django.db.models.functions import Now
from django.utils import timezone

from playbooks import catalog
from playbooks.catalog import Entry, Unloaded
from playbooks.choices import StartedBy, Trigger
from playbooks.models import Run, ScheduleSlot
from playbooks.opening import RUN_TASK
from playbooks.publishers import still_entitled
from soar.lib.queue import enqueue

# A moment missed by more than this (the scheduler was down) is not made up for.
GRACE = timedelta(minutes=10)
KEPT = timedelta(days=7)


def start_due(now: datetime | None = None) -> int:
    """Queue a run of every scheduled playbook whose last moment has no run yet. Returns how many.

    Several schedulers may do this at once: the slot's unique row decides."""
    at = now or timezone.now()
    entries = catalog.current().starting.get(Trigger.SCHEDULE, [])
    started = sum(_start(entry, _last_moment(entry, at), at) for entry in entries)
    if started:
        ScheduleSlot.objects.filter(at__lt=at - KEPT).delete()
    return started


def _last_moment(entry: Entry | Unloaded, at: datetime) -> datetime:
    moment: datetime = croniter(entry.row.cron, at + timedelta(microseconds=1)).get_prev(datetime)
    return moment


def _start(entry: Entry | Unloaded, moment: datetime, at: datetime) -> bool:
    if moment < at - GRACE or moment < entry.row.modified_at or not still_entitled(entry.row):
        return False
    with transaction.atomic():
        _, made = ScheduleSlot.objects.get_or_create(playbook=entry.row, at=moment)
        if made:
            run = Run.objects.create(
                playbook=entry.row,
                version_id=entry.version,
                trigger=StartedBy.SCHEDULE,
                acting_user=entry.row.published_by,
                cause=uuid.uuid4(),
                rung_at=Now(),
            )
            enqueue(RUN_TASK, run.pk)
    return made
