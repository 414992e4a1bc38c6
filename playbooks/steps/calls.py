"""What can be known of the calls of a task from outside: their attempt rows, and the task's deadline."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from django.db import connection
from django.db.models import Q
from django.utils import timezone

from playbooks.choices import FINAL
from playbooks.models import ResponseTask
from playbooks.response.tasks import Ending
from soar.connectors.models import Attempt, ConnectorAccount

MARGIN = timedelta(seconds=5)  # between the clocks of this process and of the database
KEY = 36  # characters of a task's key; a call may add to it
READING = ("GET", "HEAD")
LEFT = "left"  # in the data of a task that is tried anew, under another key: an earlier try may have left something
MAY_BE_DONE = "An earlier call may have had its effect."
LOCK_RUN = "SELECT cancel_requested, status, error FROM playbooks_run WHERE id = %s FOR UPDATE"


def begun(task: ResponseTask, account: ConnectorAccount) -> bool:
    """Whether a call that changes something went out for the task and may have had its effect. Attempts are written
    before each call (connectors.md 3), so one that is not there was never made."""
    key = str(task.idempotency_key)
    mine = Q(idempotency_key__startswith=key)  # whenever it was: the clocks of hosts differ, the keys do not
    others = Q(idempotency_key="")  # bears nobody's key, as a sign-in: what was before this task is not of it
    if task.started_at is not None:
        others &= Q(started_at__gte=task.started_at - MARGIN)
    rows = Attempt.objects.filter(mine | others, cause=task.cause, account=account)
    return any(_may_have_happened(row, key) for row in rows.order_by("-pk")[:200])


def acted(task: ResponseTask) -> bool:
    """Whether something that the task was to do may be done, all of it or a part: what changes something bears the
    task's key, what only reads or signs in does not."""
    return bool(acted_among([task]))


def acted_among(tasks: Sequence[ResponseTask]) -> set[int]:
    """The ids of those of some tasks that ``acted``; one query, however many."""
    ids = {str(task.idempotency_key): task.pk for task in tasks}
    calls = Attempt.objects.filter(cause__in={task.cause for task in tasks}).exclude(idempotency_key="")
    rows = calls.values_list("idempotency_key", "request__method", "status", "response__status")
    return {
        ids[key]
        for whole, method, status, answered in rows.iterator()
        if (key := whole[:KEY]) in ids and _had_effect(method, status, answered, is_action=whole == key)
    }


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
    # A GET with the key of the task is its action; one that looks something up bears no key.
    answered = (row.response or {}).get("status")
    return _had_effect(row.request.get("method"), row.status, answered, is_action=row.idempotency_key == key)


def _had_effect(method: str | None, status: str, answered: int | None, *, is_action: bool) -> bool:
    """Whether a call may have changed something."""
    if str(method or "").upper() in READING and not is_action:
        return False
    return status != "unsuccessful" or int(answered or 0) >= 500


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
