"""What the case is told of tasks that people made by hand (response-playbooks.md 17b)."""

from __future__ import annotations

from typing import Any

from cases import timeline
from cases.actors import Actor
from cases.models import Alert, Incident
from playbooks.announce import relock
from playbooks.choices import TaskStatus
from playbooks.models import ResponseTask
from playbooks.response_words import label_of


def tell(task: ResponseTask, subject: Alert | Incident | None) -> None:
    """Write how the task ended on its case, whose row is locked."""
    if subject is None or task.dry_run or not (TaskStatus(task.status).is_final or task.status == "unknown_outcome"):
        return
    data = {"tasks": [named(task)], "count": 1, "status": task.status}
    actor = Actor.of(task.created_by) if task.created_by else Actor.system()
    relock(subject)
    timeline.record("response.finished", subject, actor, text=task.reason[:2000], data=data, cause=task.cause)


def named(task: ResponseTask) -> dict[str, Any]:
    """A task as entries of the timeline name it."""
    return {
        "id": task.pk,
        "label": label_of(task.action, task.capability),
        "value": task.target_value[:300],
        "type": task.target.get("type") or task.target_kind,
    }
