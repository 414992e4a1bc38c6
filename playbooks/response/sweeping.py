"""What the clock does: rings for tasks that are due, and ends approvals that nobody decided in time."""

from __future__ import annotations

from functools import partial

from django.conf import settings
from django.db.models.functions import Now

from playbooks import questions
from playbooks.choices import APPROVAL_OPEN
from playbooks.models import Approval
from playbooks.response import approving
from playbooks.response.locking import together
from playbooks.response.tasks import PERFORM_TASK
from soar.lib.database import prepared

AT_ONCE = 100
# One look at a small index. A doorbell that waits in the queue already is enough.
RING_DUE = f"""
WITH due AS (
    SELECT 1 FROM playbooks_responsetask WHERE status IN ('queued', 'in_progress') AND due_at <= clock_timestamp()
    LIMIT %(most)s
), bells AS (
    INSERT INTO soar_queue (task, args) SELECT '{PERFORM_TASK}', '[]' FROM due
    WHERE NOT EXISTS (
        SELECT 1 FROM soar_queue WHERE task = '{PERFORM_TASK}' AND started_at IS NULL AND failed_at IS NULL
    ) RETURNING 1
)
SELECT pg_notify('soar_queue', '') FROM bells LIMIT 1"""  # noqa: S608  our own names


def ring_due() -> None:
    """Ring the workers if tasks are due: another try, a question to a product, a worker that fell silent."""
    with prepared() as cursor:
        cursor.execute(RING_DUE, {"most": settings.TASK_WORKERS}, prepare=True)


def expire_due() -> int:
    """Expire what is over its time (response-playbooks.md 21), each in a transaction of its own. Returns how many."""
    late = Approval.objects.filter(status__in=APPROVAL_OPEN, expires_at__lte=Now()).order_by("expires_at")
    return sum(together(partial(_expire, pk)) for pk in late.values_list("pk", flat=True)[:AT_ONCE])


def _expire(pk: int) -> bool:
    """Under the lock it is asked again: a decision in the same moment may have come first."""
    approval = approving.locked(pk)
    if approval is None or approval.status not in APPROVAL_OPEN:
        return False
    if not Approval.objects.filter(pk=pk, expires_at__lte=Now()).exists():
        return False
    approving.expire(approval)
    questions.say_expired(approval)
    return True
