"""The approvals that the tasks of a node wait for (response-playbooks.md 19, 21; rulings 9)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db.models.functions import Now

from playbooks.announce import announce, relock
from playbooks.choices import TaskStatus
from playbooks.graph.model import Node
from playbooks.models import Approval, ResponseTask, Step
from playbooks.response.by_hand import named
from playbooks.response.desk import ASKED, Place
from playbooks.response.locking import Held
from soar.lib.queue import enqueue

TELL_TASK = "playbooks.tasks.tell"
NAMED = 20


def expires() -> Any:
    """When an approval that is asked for now expires: after 24 hours, or what SOAR_APPROVAL_SECONDS says."""
    return Now() + timedelta(seconds=settings.APPROVAL_SECONDS)


def approvals(held: Held, node: Node, step: Step, places: list[Place]) -> dict[str, Approval]:
    """One approval for what the node asks, and one for each reason of the never-touch list, by that reason."""
    waiting = [place for place in places if place.status == TaskStatus.PENDING_APPROVAL]
    return {why: make(held, node, step, why) for why in dict.fromkeys(place.why for place in waiting)}


def make(held: Held, node: Node, step: Step, why: str) -> Approval:
    """An approval for tasks of a node. ``why``: the reason of the never-touch list, or ASKED."""
    run, use = held.run, node.approval
    notify: dict[str, Any] = {}
    if use is not None:
        notify = {
            "method": use.method,
            "subject_prefix": use.subject_prefix,
            "recipients": list(use.recipients),
            "channels": list(use.channels),
        }
    return Approval.objects.create(
        run=run,
        step=step,
        alert=held.alert,
        title=f"{run.playbook.name}: {node.name or 'response actions'}"[:300],
        reason="" if why == ASKED else why,
        needed=2 if use is not None and use.two_people else 1,
        notify=notify,
        requested_by=run.started_by,
        expires_at=expires(),
        cause=run.cause,
    )


def tell(held: Held, made: Iterable[Approval], tasks: Sequence[ResponseTask]) -> None:
    """Write on the timelines that somebody must decide, and have the people of the node told."""
    for approval in made:
        own = [task for task in tasks if task.approval_id == approval.pk]
        data = {"approval": approval.pk, "title": approval.title, "count": len(own), "reason": approval.reason}
        listed = [named(task) for task in own[:NAMED]]
        for subject in held.subjects:
            announce("approval.requested", held.run, relock(subject), text=approval.reason, tasks=listed, **data)
        enqueue(TELL_TASK, approval.pk)
