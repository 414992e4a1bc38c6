"""What can be known of the calls of a task from outside: their attempt rows, and the task's deadline."""

from __future__ import annotations

from datetime import timedelta

from django.db import connection
from django.utils import timezone

from playbooks.choices import FINAL
from playbooks.models import ResponseTask
from playbooks.response.tasks import Ending
from soar.connectors.models import Attempt, ConnectorAccount

MARGIN = timedelta(seconds=5)  # between the clocks of this process and of the database
READING = ("GET", "HEAD")
MAY_BE_DONE = "An earlier call may have had its effect."
LOCK_RUN = "SELECT cancel_requested, status, error FROM playbooks_run WHERE id = %s FOR UPDATE"


def begun(task: ResponseTask, account: ConnectorAccount) -> bool:
    """Whether a call that changes something went out for the task and may have had its effect. Attempts are written
    before each call (connectors.md 3), so one that is not there was never made."""
    rows = Attempt.objects.filter(cause=task.cause, account=account)
    if task.started_at is not None:
        rows = rows.filter(started_at__gte=task.started_at - MARGIN)
    return any(_may_have_happened(row, str(task.idempotency_key)) for row in rows.order_by("-pk")[:200])


def acted(task: ResponseTask) -> bool:
    """Whether something that the task was to do may be done, all of it or a part: what changes something bears the
    task's key, what only reads or signs in does not."""
    key = str(task.idempotency_key)
    rows = Attempt.objects.filter(cause=task.cause, idempotency_key__startswith=key).order_by("-pk")[:200]
    return any(_may_have_happened(row, key) for row in rows)


def unfinished(task: ResponseTask) -> str:
    """The status of a task that is not tried any more, and did not succeed (rulings 6)."""
    return "unknown_outcome" if acted(task) else "unsuccessful"


def withdrawn(run_id: int | None) -> str:
    """Why a task must begin nothing any more: its run is being cancelled; "" if it is not. A run that has ended says
    nothing: what is done of it then, a person has decided. In a transaction, it locks the run."""
    if run_id is None:
        return ""
    with connection.cursor() as cursor:
        cursor.execute(LOCK_RUN, [run_id])
        requested, status, error = cursor.fetchone() or (False, "", "")
    return (error or "Its run was cancelled.") if requested and status not in FINAL else ""


def cancelled(task: ResponseTask, why: str) -> Ending:
    """The end of a task that is not done because its run was cancelled."""
    if acted(task):
        return Ending("unknown_outcome", reason=f"{why} {MAY_BE_DONE}")
    return Ending("cancelled", reason=why)


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
    """The end of a task whose next try would come after its deadline; None if there is time. It is not *unsuccessful*
    where an earlier call may have had its effect."""
    if task.deadline_at is None or timezone.now() + timedelta(seconds=wait) < task.deadline_at:
        return None
    if status == "unsuccessful":
        status = unfinished(task)
    return Ending(status, reason=f"{why} Given up after {minutes(task)} minutes.")


def minutes(task: ResponseTask) -> int:
    """How long the task may take."""
    return round(float(task.data.get("minutes") or 30))
