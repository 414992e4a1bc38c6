"""What can be known of the calls of a task from outside: their attempt rows, and the task's deadline."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from playbooks.models import ResponseTask
from playbooks.response.tasks import Ending
from soar.connectors.models import Attempt, ConnectorAccount

MARGIN = timedelta(seconds=5)  # between the clocks of this process and of the database
READING = ("GET", "HEAD")


def begun(task: ResponseTask, account: ConnectorAccount) -> bool:
    """Whether a call that changes something went out for the task and may have had its effect. Attempts are written
    before each call (connectors.md 3), so one that is not there was never made."""
    rows = Attempt.objects.filter(cause=task.cause, account=account)
    if task.started_at is not None:
        rows = rows.filter(started_at__gte=task.started_at - MARGIN)
    return any(_may_have_happened(row, str(task.idempotency_key)) for row in rows.order_by("-pk")[:200])


def _may_have_happened(row: Attempt, key: str) -> bool:
    if row.idempotency_key and not row.idempotency_key.startswith(key):
        return False
    # A GET with the key of the task is its action; one that looks something up bears no key.
    if str(row.request.get("method", "")).upper() in READING and row.idempotency_key != key:
        return False
    if row.status != "unsuccessful":
        return True
    return int((row.response or {}).get("status") or 0) >= 500


def overdue(task: ResponseTask) -> bool:
    """Whether the deadline has passed."""
    return task.deadline_at is not None and task.deadline_at <= timezone.now()


def given_up(task: ResponseTask, wait: float, why: str, status: str = "unsuccessful") -> Ending | None:
    """The end of a task whose next try would come after its deadline; None if there is time."""
    if task.deadline_at is None or timezone.now() + timedelta(seconds=wait) < task.deadline_at:
        return None
    return Ending(status, reason=f"{why} Given up after {minutes(task)} minutes.")


def minutes(task: ResponseTask) -> int:
    """How long the task may take."""
    return round(float(task.data.get("minutes") or 30))
