"""Workers of bulk jobs that are killed: somebody else goes on, each alert is done once, and the undo is right."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone

from cases.actions import bulk_work
from cases.choices import Severity
from cases.models import Alert, BulkBatch, BulkJob, TimelineEntry
from soar.accounts.models import User
from soar.models import QueuedTask
from tests.api import Api
from tests.bulk import asked, chains_hold, work
from tests.factories import make_source
from tests.playbook_files import _environment, until

pytestmark = pytest.mark.django_db(transaction=True)
MANY = 4_000
WAITING = "SELECT 1 FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY(pg_blocking_pids(pid))"


@pytest.fixture
def many(db: None) -> None:
    """Some thousand open alerts."""
    source, now = make_source(), timezone.now()
    times = dict.fromkeys(("occurred_at", "first_seen", "last_seen", "received_at", "updated_at"), now)
    Alert.objects.bulk_create(
        Alert(source=source, title=f"Alert {n}", dedup_key=f"key-{n}", key_digest=n.to_bytes(16, "big"),
              severity=Severity.LOW if n % 2 else Severity.MEDIUM, **times)
        for n in range(MANY)
    )  # fmt: skip


@contextmanager
def elsewhere(job: int) -> Iterator[subprocess.Popen[bytes]]:
    """A worker in a process of its own, that is killed at the end: kill -9, in whatever it does."""
    code = f"import django; django.setup()\nfrom cases import tasks\ntasks.work_off({job})"
    worker = subprocess.Popen([sys.executable, "-c", code], env=_environment(), cwd=Path(__file__).parents[1])
    try:
        yield worker
        assert worker.poll() is None, "it was over before it could be killed"
    finally:
        worker.kill()
        worker.wait()


def killed(job: int, after: int) -> None:
    """Have a worker begin, and kill it when it has changed a batch and only waits for the job's row to say so."""
    with elsewhere(job):
        until(lambda: BulkJob.objects.get(pk=job).position >= after, 60)
        with transaction.atomic():
            BulkJob.objects.select_for_update().get(pk=job)
            until(lambda: _any(WAITING), 60)
    until(lambda: not _any("SELECT 1 FROM pg_locks WHERE relation = 'cases_bulkbatch'::regclass AND granted"), 60)


def _any(sql: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchone() is not None


def entries(**fields: Any) -> dict[int, int]:
    """How often each alert's timeline tells of a change."""
    found: dict[int, int] = {}
    for pk in TimelineEntry.objects.filter(kind="changed", **fields).values_list("alert_id", flat=True):
        found[pk] = found.get(pk, 0) + 1
    return found


def test_killed_twice_it_is_done_once_and_undone_once(analyst: User, many: None) -> None:
    before = dict(Alert.objects.values_list("pk", "severity"))
    job = asked(analyst, "severity", {"status": "open"}, severity="critical")
    killed(job, after=bulk_work.SIZE)
    first = BulkJob.objects.get(pk=job)
    assert bulk_work.SIZE <= first.position < MANY
    told = Alert.objects.filter(severity=Severity.CRITICAL).count()
    assert told == first.position == len(entries()), "what a dead worker had not committed, it has not done"
    assert QueuedTask.objects.filter(task="cases.tasks.work_off", args=[job]).exists()
    killed(job, after=first.position + bulk_work.SIZE)
    assert first.position < BulkJob.objects.get(pk=job).position < MANY

    work()
    done = BulkJob.objects.get(pk=job)
    assert (done.status, done.done, done.changed, done.position, done.refused) == ("successful", MANY, MANY, MANY, [])
    assert set(Alert.objects.values_list("severity", flat=True)) == {Severity.CRITICAL}
    assert entries() == dict.fromkeys(before, 1)

    answer = Api(analyst).post(f"/jobs/{job}/undo/", {})
    assert answer.status_code == 202
    undo = answer.json()["job"]
    killed(undo, after=bulk_work.SIZE)
    assert BulkJob.objects.get(pk=undo).status == "in_progress"
    work()
    back = BulkJob.objects.get(pk=undo)
    assert (back.status, back.done, back.refused) == ("successful", MANY, [])
    assert dict(Alert.objects.values_list("pk", "severity")) == before
    assert entries() == dict.fromkeys(before, 2)
    assert not BulkBatch.objects.filter(done_at=None).exists()
    chains_hold()


def test_killed_while_it_collects_it_begins_anew(analyst: User, many: None) -> None:
    job = asked(analyst, "claim", {"status": "open"})
    with elsewhere(job), transaction.atomic():
        BulkJob.objects.select_for_update().get(pk=job)
        until(lambda: _any(WAITING), 60)
    work()
    done = BulkJob.objects.get(pk=job)
    assert (done.status, done.done, done.total) == ("successful", MANY, MANY)
    assert sum(len(batch.alerts) for batch in done.batches.all()) == MANY
    assert TimelineEntry.objects.filter(kind="alert.claimed").count() == MANY
