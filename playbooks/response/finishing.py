"""The status of a run while it goes on, and its end (response-playbooks.md 8, 24, 25; rulings 4)."""

from __future__ import annotations

from collections import Counter

from django.db.models import Count
from django.db.models.functions import Now

from playbooks.announce import announce, relock
from playbooks.choices import RunStatus, StepStatus, TaskStatus
from playbooks.models import ResponseTask, Run
from playbooks.response import incident
from playbooks.response.facts import graph_of
from playbooks.response.locking import Held
from playbooks.response.reading import status_of
from playbooks.response.report import report_of

_WAITING = {
    StepStatus.IN_PROGRESS: RunStatus.IN_PROGRESS,
    StepStatus.PENDING_APPROVAL: RunStatus.PENDING_APPROVAL,
    StepStatus.NEEDS_DECISION: RunStatus.NEEDS_DECISION,
}


def conclude(held: Held, counts: Counter[str] | None = None) -> None:
    """Set the run's status to what its tasks make it; end it if none of them is open. ``counts``: its tasks by their
    status, where they are known."""
    counts = counts_of(held.run) if counts is None else counts
    if held.run.cancel_requested:  # what nobody knows can be decided on afterwards
        counts[TaskStatus.UNKNOWN_OUTCOME] = 0
    status = status_of(counts)
    if status in _WAITING:
        _wait(held, _WAITING[status])
    else:
        _end(held, _final(held, counts))


def counts_of(run: Run) -> Counter[str]:
    """The run's tasks by their status."""
    rows = ResponseTask.objects.filter(run=run).order_by().values("status").annotate(number=Count("pk"))
    return Counter({row["status"]: row["number"] for row in rows})


def _wait(held: Held, status: RunStatus) -> None:
    """Go on waiting; no lease, no doorbell."""
    if held.run.status == status and not held.run.lease_owner:
        return
    asks = status == RunStatus.NEEDS_DECISION and held.run.status != status
    held.run.status, held.run.lease_owner, held.run.lease_until = status, "", None
    if not held.run.cancel_requested:
        held.run.error = _undecided(held.run) if status == RunStatus.NEEDS_DECISION else ""
    held.run.save(update_fields=["status", "lease_owner", "lease_until", "error"])
    if asks:
        _say(held, "run.needs_decision", text=held.run.error)


def _undecided(run: Run) -> str:
    """Why a person must say what happened."""
    task = ResponseTask.objects.filter(run=run, status=TaskStatus.UNKNOWN_OUTCOME).order_by("position").first()
    return task.reason if task else ""


def _final(held: Held, counts: Counter[str]) -> RunStatus:
    if held.run.cancel_requested:
        return RunStatus.CANCELLED
    failed = sum(counts[word] for word in ("unsuccessful", "rejected", "expired", "cancelled"))
    if not failed and not incident.problems(held):
        return RunStatus.SUCCESSFUL
    return RunStatus.PARTIALLY_SUCCESSFUL if counts["successful"] else RunStatus.UNSUCCESSFUL


def _end(held: Held, status: RunStatus) -> None:
    run = held.run
    if status == RunStatus.SUCCESSFUL and run.version:
        incident.close(held, graph_of(run.version))
    run.status, run.lease_owner, run.lease_until = status, "", None
    run.error = run.error if status == RunStatus.CANCELLED else " ".join(incident.problems(held))
    run.save(update_fields=["status", "lease_owner", "lease_until", "error"])
    Run.objects.filter(pk=run.pk).update(finished_at=Now())
    run.refresh_from_db(fields=["finished_at"])
    run.report = report_of(run)
    run.result = run.report["summary"]
    run.save(update_fields=["report", "result"])
    _say(held, "run.finished", text=run.error, status=status.value, results=run.report["summary"])


def _say(held: Held, kind: str, *, text: str = "", **data: object) -> None:
    """On the alert and on its incident (response-playbooks.md 8)."""
    for subject in held.subjects:
        announce(kind, held.run, relock(subject), text=text, **data)
