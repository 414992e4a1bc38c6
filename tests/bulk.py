"""Bulk jobs in tests: the worker's work, here and now; what every kept row must look like afterwards."""

from __future__ import annotations

from typing import Any

from cases import tasks, verify
from cases.models import BulkJob
from soar.accounts.models import User
from soar.models import QueuedTask
from tests.api import Api


def work() -> None:
    """What workers do with the jobs that are queued, slice by slice."""
    while row := QueuedTask.objects.filter(task="cases.tasks.work_off").order_by("pk").first():
        tasks.work_off(*row.args)
        row.delete()


def asked(user: User, action: str, given: dict[str, Any], **fields: Any) -> int:
    """A job for all alerts that match a filter, not yet worked at."""
    answer = Api(user).post("/alerts/bulk/", {"filter": given, "action": action, **fields})
    assert answer.status_code == 202, answer.content
    job: int = answer.json()["job"]
    return job


def done(user: User, action: str, given: dict[str, Any], **fields: Any) -> BulkJob:
    """The same, finished."""
    job = asked(user, action, given, **fields)
    work()
    return BulkJob.objects.get(pk=job)


def chains_hold() -> None:
    """Every timeline is whole."""
    assert verify.report_of_all().findings == []
