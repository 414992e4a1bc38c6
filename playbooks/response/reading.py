"""How far a run is, node by node: for the drawing of the graph, the list of its tasks, the JSON."""

from __future__ import annotations

from collections import Counter
from typing import Any

from django.db.models import Count

from playbooks.choices import StepStatus, TaskStatus
from playbooks.models import ResponseTask, Run, Step

# A group shows its least successful status (response-playbooks.md 25): the first of these that any of its tasks has.
WORST = (
    TaskStatus.UNKNOWN_OUTCOME,
    TaskStatus.PENDING_APPROVAL,
    TaskStatus.UNSUCCESSFUL,
    TaskStatus.REJECTED,
    TaskStatus.EXPIRED,
    TaskStatus.CANCELLED,
    TaskStatus.IN_PROGRESS,
    TaskStatus.QUEUED,
    TaskStatus.NO_ACTION,
    TaskStatus.SUCCESSFUL,
)


def states(run: Run) -> dict[str, dict[str, Any]]:
    """``{node id: {"status", "arrived", "counts"}}`` of the nodes that were reached.

    ``status``: a step's (contract.md); ``arrived``: how many objects came; ``counts``: tasks by their status, and for
    a condition ``{"true": n, "false": n}``. Two queries, however many tasks."""
    counts: dict[int, Counter[str]] = {}
    rows = ResponseTask.objects.filter(run=run, step__isnull=False).order_by().values("step", "status")
    for row in rows.annotate(number=Count("pk")):
        counts.setdefault(row["step"], Counter())[row["status"]] = row["number"]
    return {step.name: _state(step, counts.get(step.pk, Counter())) for step in nodes_of(run)}


def nodes_of(run: Run) -> list[Step]:
    """The steps of the nodes that the run has reached, in their order."""
    return list(Step.objects.filter(run=run, kind="node").order_by("position", "pk"))


def least_successful(statuses: Counter[str] | list[str]) -> str:
    """The least successful of some tasks' statuses; successful for none."""
    there = set(statuses)
    return next((word.value for word in WORST if word in there), TaskStatus.SUCCESSFUL.value)


def _state(step: Step, tasks: Counter[str]) -> dict[str, Any]:
    result = step.result or {}
    counts: dict[str, int] = dict(tasks)
    if "true" in result:
        counts = {"true": len(result["true"]), "false": len(result["false"])}
    return {"status": step.status, "arrived": len(result.get("arrived", [])), "counts": counts}


def status_of(statuses: Counter[str]) -> StepStatus:
    """What a node is while its tasks are as they are: the step's word for the least successful, where a mixture of
    done and failed is *partially successful* (response-playbooks.md 25)."""
    if statuses[TaskStatus.UNKNOWN_OUTCOME]:
        return StepStatus.NEEDS_DECISION
    if statuses[TaskStatus.PENDING_APPROVAL]:
        return StepStatus.PENDING_APPROVAL
    if statuses[TaskStatus.IN_PROGRESS] or statuses[TaskStatus.QUEUED]:
        return StepStatus.IN_PROGRESS
    failed = sum(statuses[word] for word in (TaskStatus.UNSUCCESSFUL, TaskStatus.REJECTED, TaskStatus.EXPIRED))
    failed += statuses[TaskStatus.CANCELLED]
    if not failed:
        return StepStatus.SUCCESSFUL
    if statuses[TaskStatus.SUCCESSFUL]:
        return StepStatus.PARTIALLY_SUCCESSFUL
    only_cancelled = failed == statuses[TaskStatus.CANCELLED]
    return StepStatus.CANCELLED if only_cancelled else StepStatus.UNSUCCESSFUL
