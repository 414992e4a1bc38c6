"""What a decision does to the tasks that wait for it (response-playbooks.md 20, 21). Who may decide, and the votes
themselves, are the business of ``playbooks.actions.approvals``."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db.models import F
from django.db.models.functions import Now

from playbooks.choices import APPROVAL_OPEN, ApprovalStatus, TaskStatus
from playbooks.models import Approval, ResponseTask, Vote
from playbooks.response import protecting, tasks
from playbooks.response.advance import after_decision
from playbooks.response.locking import hold, hold_case


@dataclass(frozen=True, slots=True)
class Decided:
    """Ids of the tasks that a decision queued, rejected, and left waiting."""

    approved: tuple[int, ...] = ()
    rejected: tuple[int, ...] = ()
    waiting: tuple[int, ...] = ()


def locked(approval_id: int) -> Approval | None:
    """The approval with all locks that a decision needs, in a transaction of the caller (``locking.together``): its
    case, its run, itself. None if it is gone. Raises locking.Moved."""
    found = Approval.objects.filter(pk=approval_id).values_list("run", "alert", "incident").first()
    if found is None:
        return None
    run, alert, incident = found
    if run:
        hold(run)
    else:
        hold_case(alert, incident)
    rows = Approval.objects.select_for_update(of=("self",)).select_related("run", "step", "requested_by")
    return rows.filter(pk=approval_id).first()


def decide(approval: Approval, votes: Iterable[Vote]) -> Decided:
    """Bring the tasks of a locked approval in line with all its votes, and let its run go on.

    One rejection rejects a task; ``needed`` different people approve it; tasks that are in no vote stay pending
    (rulings 3). For a Python playbook's question (no tasks) the votes without task count. The caller has checked
    that it is open and not expired. In a transaction of the caller."""
    said: dict[int | None, list[Vote]] = defaultdict(list)
    for vote in votes:
        said[vote.task_id].append(vote)
    pending = list(approval.tasks.filter(status=TaskStatus.PENDING_APPROVAL).order_by("pk"))
    for task in pending:
        task.approval = approval
    rejected = [task for task in pending if _rejected(said[task.pk])]
    approved = [task for task in pending if task not in rejected and _approved(said[task.pk], approval.needed)]
    for task in rejected:
        _reject(task, said[task.pk])
    protecting.allow(approved, approval.run.targets if approval.run else None)
    tasks.release(task.pk for task in approved)
    waiting = [task for task in pending if task not in rejected and task not in approved]
    _conclude(approval, said, waiting)
    after_decision(approval)
    return Decided(tuple(t.pk for t in approved), tuple(t.pk for t in rejected), tuple(t.pk for t in waiting))


def expire(approval: Approval) -> int:
    """Expire what still waits of a locked, open approval; the branch goes on as failed. Returns how many tasks."""
    text = "Nobody decided before the approval expired."
    number = _end_pending(approval, TaskStatus.EXPIRED, text)
    approval.status, approval.decided_at = ApprovalStatus.EXPIRED, None
    approval.save(update_fields=["status", "decided_at"])
    after_decision(approval)
    return number


def cancel(run_id: int, text: str) -> None:
    """Cancel the open approvals of a locked run, and the tasks that wait for them."""
    for approval in Approval.objects.filter(run=run_id, status__in=APPROVAL_OPEN).order_by("pk"):
        _end_pending(approval, TaskStatus.CANCELLED, text)
        approval.status = ApprovalStatus.CANCELLED
        approval.save(update_fields=["status"])


def _end_pending(approval: Approval, status: TaskStatus, text: str) -> int:
    return ResponseTask.objects.filter(approval=approval, status=TaskStatus.PENDING_APPROVAL).update(
        status=status, reason=text, finished_at=Now(), version=F("version") + 1, updated_at=Now()
    )


def _rejected(votes: Sequence[Vote]) -> bool:
    return any(not vote.approve for vote in votes)


def _approved(votes: Sequence[Vote], needed: int) -> bool:
    return len({vote.user_id for vote in votes if vote.approve}) >= needed


def _reject(task: ResponseTask, votes: Sequence[Vote]) -> None:
    no = next(vote for vote in votes if not vote.approve)
    text = f"Rejected by {no.user.display_name()}."
    task.status, task.reason = TaskStatus.REJECTED, f"{text} {no.comment}".strip()
    ResponseTask.objects.filter(pk=task.pk).update(
        status=task.status, reason=task.reason, finished_at=Now(), version=F("version") + 1, updated_at=Now()
    )


def _conclude(approval: Approval, said: dict[int | None, list[Vote]], waiting: Sequence[ResponseTask]) -> None:
    """The approval's own status: by its tasks, or by the votes on a question."""
    subjects: list[int | None] = list(approval.tasks.values_list("pk", flat=True)) or [None]
    no = sum(_rejected(said[one]) for one in subjects)
    yes = sum(not _rejected(said[one]) and _approved(said[one], approval.needed) for one in subjects)
    if waiting or not (yes or no):
        approval.status = ApprovalStatus.PARTLY if yes or no else ApprovalStatus.PENDING
    elif yes and no:
        approval.status = ApprovalStatus.MIXED
    else:
        approval.status = ApprovalStatus.APPROVED if yes else ApprovalStatus.REJECTED
    decided = approval.status not in APPROVAL_OPEN
    Approval.objects.filter(pk=approval.pk).update(status=approval.status, decided_at=Now() if decided else None)
