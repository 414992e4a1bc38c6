"""Every change of an incident's checklist (casework.md 10). The incident's row lock guards all its tasks, so that a
required task cannot come in while the incident is being resolved."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext as _

from cases import timeline
from cases.actions.base import shown
from cases.actions.task_access import check_fresh, check_open, task_for
from cases.actions.task_fields import checked
from cases.actors import Actor
from cases.choices import TaskStatus
from cases.errors import Refused
from cases.holds import check_incidents
from cases.models import Incident, IncidentTask
from cases.models.task import TASKS_AT_MOST
from cases.permissions import incident_for
from soar.accounts.models import User
from soar.lib import clock

PLAIN = ("title", "description", "due_at", "required")


@transaction.atomic
def add(
    actor: Actor,
    incident_id: int | str,
    *,
    title: str,
    description: str = "",
    assignee: User | str | None = None,
    due_at: datetime | str | None = None,
    required: bool = False,
) -> IncidentTask:
    """Put a task at the end of the list. Raises Refused beside the field that is wrong, Conflict when the incident
    has ended, Missing, Forbidden."""
    incident = incident_for(actor, incident_id, level="edit", lock=True)
    check_open(incident)
    given = {"title": title, "description": description, "assignee": assignee, "due_at": due_at, "required": required}
    task = append(incident, [checked(given, incident)])[0]
    _tell("task.added", task, actor, **_facts(task))
    return task


def append(incident: Incident, wanted: list[dict[str, Any]]) -> list[IncidentTask]:
    """Tasks of checked values behind those of a locked incident; the caller writes the timeline.

    Raises Refused for more than 200 in all."""
    have = IncidentTask.objects.filter(incident=incident).count()
    if have + len(wanted) > TASKS_AT_MOST:
        raise Refused(
            _("An incident has at most %(tasks_at_most)s tasks; this would make %(have)s.")
            % {"tasks_at_most": TASKS_AT_MOST, "have": have + len(wanted)}
        )
    now = clock.now()
    rows = [
        IncidentTask(incident=incident, position=have + number, created_at=now, updated_at=now, **values)
        for number, values in enumerate(wanted, 1)
    ]
    return IncidentTask.objects.bulk_create(rows)


@transaction.atomic
def update(actor: Actor, task_id: int, *, changes: dict[str, Any], expected_version: int | None = None) -> IncidentTask:
    """Several fields at once, all or nothing: title, description, assignee, due_at, required, position, status.

    Raises Refused beside the field that is wrong, Stale, Conflict, Missing, Forbidden."""
    only_status = changes.keys() == {"status"}
    task = _working_on(actor, task_id, expected_version, level="tick" if only_status else "edit")
    values = checked(changes, task.incident)
    changed = [name for name in PLAIN if name in values and _set(task, actor, name, values[name])]
    if "assignee" in values:
        changed += _assign(task, actor, values["assignee"])
    if "status" in values:
        changed += _set_status(task, actor, values["status"])
    if "position" in values:
        changed += _move(task, actor, values["position"])
    return _saved(task, changed)


def assign(
    actor: Actor, task_id: int, assignee: User | str | None, *, expected_version: int | None = None
) -> IncidentTask:
    """Give it to somebody who sees the incident; None is nobody."""
    return update(actor, task_id, changes={"assignee": assignee}, expected_version=expected_version)


def complete(actor: Actor, task_id: int, *, expected_version: int | None = None) -> IncidentTask:
    """Tick it; the first who does stays the one who did. The assignee may with the level *comment*."""
    return update(actor, task_id, changes={"status": TaskStatus.DONE}, expected_version=expected_version)


def reopen(actor: Actor, task_id: int, *, expected_version: int | None = None) -> IncidentTask:
    """Untick it."""
    return update(actor, task_id, changes={"status": TaskStatus.OPEN}, expected_version=expected_version)


@transaction.atomic
def move(actor: Actor, task_id: int, steps: int) -> IncidentTask:
    """Up (negative) or down the list by some places; beyond its ends nothing happens."""
    task = _working_on(actor, task_id, None)
    return _saved(task, _move(task, actor, max(task.position + steps, 1)))


@transaction.atomic
def delete(actor: Actor, task_id: int, *, expected_version: int | None = None) -> Incident:
    """Take it off the list; the timeline keeps its title. Raises Held for an incident on legal hold."""
    task = _working_on(actor, task_id, expected_version)
    check_incidents([task.incident_id])
    _tell("task.removed", task, actor, was=TaskStatus(task.status).word)
    IncidentTask.objects.filter(incident=task.incident, position__gt=task.position).update(position=F("position") - 1)
    task.delete()
    return task.incident


def _working_on(actor: Actor, task_id: int, expected: int | None, level: str = "edit") -> IncidentTask:
    task = task_for(actor, task_id, level=level, lock=True)
    check_open(task.incident)
    check_fresh(task, expected)
    return task


def _set(task: IncidentTask, actor: Actor, field: str, new: Any) -> bool:
    old = getattr(task, field)
    if old == new:
        return False
    data = {"field": field, "old": _plain(old), "new": _plain(new)}
    _tell("task.changed", task, actor, **data)
    setattr(task, field, new)
    return True


def _plain(value: Any) -> Any:
    return clock.iso(value) if isinstance(value, datetime) else shown(value)


def _assign(task: IncidentTask, actor: Actor, user: User | None) -> list[str]:
    if task.assignee == user:
        return []
    _tell("task.assigned", task, actor, old=shown(task.assignee), new=shown(user), new_id=user.pk if user else None)
    task.assignee = user
    return ["assignee"]


def _set_status(task: IncidentTask, actor: Actor, status: TaskStatus) -> list[str]:
    if task.status == status:
        return []
    done = status == TaskStatus.DONE
    task.status = status
    task.done_at = clock.now() if done else None
    task.done_by, task.done_by_name = (actor.user, actor.name[:200]) if done else (None, "")
    _tell("task.completed" if done else "task.reopened", task, actor)
    return ["status", "done_at", "done_by", "done_by_name"]


def _move(task: IncidentTask, actor: Actor, position: int) -> list[str]:
    rows = IncidentTask.objects.filter(incident=task.incident)
    new, old = min(position, rows.count()), task.position
    if new == old:
        return []
    up = new < old
    between = (
        rows.filter(position__gte=new, position__lt=old) if up else rows.filter(position__gt=old, position__lte=new)
    )
    between.update(position=F("position") + (1 if up else -1))
    _tell("task.moved", task, actor, old=old, new=new)
    task.position = new
    return ["position"]


def _saved(task: IncidentTask, changed: Iterable[str]) -> IncidentTask:
    fields = list(changed)
    if fields:
        task.version += 1
        task.updated_at = clock.now()
        task.save(update_fields=[*fields, "version", "updated_at"])
    return task


def _facts(task: IncidentTask) -> dict[str, Any]:
    """What else the entry of a new task says."""
    told = {"assignee": shown(task.assignee), "due_at": clock.iso(task.due_at), "required": task.required}
    return {**told, "assignee_id": task.assignee.pk} if task.assignee else told


def _tell(kind: str, task: IncidentTask, actor: Actor, **more: Any) -> None:
    # The incident counts as changed, but its version stays: a tick makes nobody's form of the incident stale.
    timeline.record(kind, task.incident, actor, data={"id": task.pk, "task": task.title, **more}, touch=True)
