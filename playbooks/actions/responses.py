"""Response actions by hand, and what follows on a task: again, the inverse, cancel, decide (spec 17, 17a, 17b)."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from cases import timeline
from cases.actions.base import text_of
from cases.actors import Actor
from cases.errors import Conflict, Refused
from cases.models import Alert, Incident
from cases.permissions import alert_for, holds, incident_for
from playbooks.actions.approvals import described, subjects_of
from playbooks.actions.response_plan import MAY_NOT, Plan, Planned, plan
from playbooks.actions.rights import needs
from playbooks.choices import TaskStatus
from playbooks.models import Approval, ResponseTask
from playbooks.response import asking, tasks
from playbooks.response.locking import hold_case, together
from playbooks.response.objects import Target
from playbooks.response_selectors import task_for
from playbooks.steps import routing
from soar.accounts import audit
from soar.connectors.capabilities import CAPABILITIES
from soar.connectors.models import ConnectorAccount

COMMENT_AT_MOST = 5000


@dataclass(frozen=True, slots=True)
class Case:
    """What the tasks are about: an alert, an incident, or neither. ``origin``: alert, incident, observable, asset,
    api, or task (the follow-up of one)."""

    origin: str = "api"
    alert: Alert | None = None
    incident: Incident | None = None

    @property
    def cause(self) -> uuid.UUID:
        """The cause of all that happens to the case; one of its own where there is none."""
        return self.alert.cause if self.alert else self.incident.cause if self.incident else uuid.uuid4()


def case_of(
    actor: Actor, *, alert: str | int | None = None, incident: str | int | None = None, origin: str = ""
) -> Case:
    """The case for somebody who may respond on it. Raises Missing, Forbidden, Refused for both at once."""
    needs(actor, "respond", MAY_NOT)
    if alert and incident:
        raise Refused("It is about an alert or about an incident, not about both.", field="alert")
    found = alert_for(actor, alert, work=True) if alert else None
    about = incident_for(actor, incident) if incident else None
    if about is not None and actor.user is not None and about.restricted and not holds(actor.user, about, "edit"):
        raise Refused(f"{about.number} is restricted: you may see it but not work on it.", field="incident")
    return Case(origin or ("alert" if found else "incident" if about else "api"), found, about)


def start(
    actor: Actor, case: Case, *, action: str, targets: Sequence[Target], params: Mapping[str, Any], comment: str = ""
) -> list[ResponseTask]:
    """Make one task per object and queue what may run. What the never-touch list holds waits for an approval.

    Raises as ``plan``."""
    said = text_of(comment or "", "comment", most=COMMENT_AT_MOST, required=False)
    planned = plan(actor, action, targets, params)
    return _make(actor, case, planned, said)


def _make(actor: Actor, case: Case, made: Plan, comment: str, **more: Any) -> list[ResponseTask]:
    def write() -> list[ResponseTask]:
        hold_case(case.alert.pk if case.alert else None, case.incident.pk if case.incident else None)
        cause = case.cause
        approvals = _approvals(actor, case, made, comment, cause)
        saved = tasks.create(_draft(actor, case, made, one, approvals, cause, comment, more) for one in made.planned)
        announce(actor, case, "response.requested", saved, comment)
        return saved

    return together(write)


def _approvals(actor: Actor, case: Case, made: Plan, comment: str, cause: uuid.UUID) -> dict[str, Approval]:
    """One approval for each reason of the never-touch list, by that reason."""
    held = [one for one in made.planned if one.status == TaskStatus.PENDING_APPROVAL]
    return {
        why: Approval.objects.create(
            alert=case.alert,
            incident=case.incident,
            title=_title(made, [one for one in held if one.reason == why]),
            reason=why,
            requested_by=actor.user,
            expires_at=asking.expires(),
            cause=cause,
            notify={"comment": comment} if comment else {},
        )
        for why in dict.fromkeys(one.reason for one in held)
    }


def _title(made: Plan, held: Sequence[Planned]) -> str:
    more = f" and {len(held) - 1} more" if len(held) > 1 else ""
    return f"{made.spec.label}: {held[0].target['value']}"[: 300 - len(more)] + more


def _draft(
    actor: Actor,
    case: Case,
    made: Plan,
    one: Planned,
    approvals: Mapping[str, Approval],
    cause: uuid.UUID,
    comment: str,
    more: Mapping[str, Any],
) -> ResponseTask:
    waits = one.status == TaskStatus.PENDING_APPROVAL
    # What is blocked says why; other products get the task's own mark.
    params = {**made.params, "reason": comment[:400]} if comment and made.spec.capability == "block" else made.params
    return tasks.draft(
        action=made.spec.name,
        cause=cause,
        target=one.target,
        params=params,
        alert=case.alert,
        incident=case.incident,
        account=one.account,
        status=one.status,
        reason=one.reason,
        approval=approvals[one.reason] if waits else None,
        origin=case.origin,
        created_by=actor.user,
        acting_user=actor.user,
        **more,
    )


def announce(actor: Actor, case: Case, kind: str, done: Sequence[ResponseTask], text: str = "", **more: Any) -> None:
    """One entry on the timelines of the case, whose rows are locked."""
    data = {"tasks": [described(task) for task in done[:20]], "count": len(done), **more}
    alert, incident = case.alert, case.incident
    for subject in subjects_of(alert.pk if alert else None, incident.pk if incident else None):
        timeline.record(kind, subject, actor, text=text, data=data, cause=done[0].cause)


def resend(actor: Actor, task_id: int | str) -> ResponseTask:
    """A queued task is done as soon as possible; one that failed is done again as a new task, by the rules of now.

    Raises Missing, Forbidden, Refused, Conflict for a task that is under way or over in another way."""
    task = response_task(actor, task_id)
    if task.status == TaskStatus.QUEUED:
        with transaction.atomic():
            rung = ResponseTask.objects.filter(pk=task.pk, status=TaskStatus.QUEUED).update(due_at=task.created_at)
            tasks.ring(rung)
        return task_for(actor, task.pk)
    if task.status not in (TaskStatus.UNSUCCESSFUL, TaskStatus.CANCELLED):
        raise Conflict(f"This task is {task.state.label.lower()}: only queued and failed ones are sent again.")
    if not task.capability or not task.target_kind:
        raise Conflict("It belongs to its run: retry the run instead.")
    case = case_of_task(task)
    if task.inverse_of is not None:
        return _inverse(actor, task.inverse_of, case)
    params = {name: value for name, value in task.params.items() if name != "reason"}
    made = plan(actor, task.action, [task.target], params)
    return _make(actor, case, made, str(task.params.get("reason") or ""))[0]


def inverse(actor: Actor, task_id: int | str) -> ResponseTask:
    """Undo what a task did: restore the connection, enable the account, and so on (spec 17).

    Raises Missing, Forbidden, Conflict for a task that did nothing, has no inverse, or was undone already."""
    task = response_task(actor, task_id)
    return _inverse(actor, task, case_of_task(task))


def _inverse(actor: Actor, task: ResponseTask, case: Case) -> ResponseTask:
    def write() -> ResponseTask:
        hold_case(case.alert.pk if case.alert else None, case.incident.pk if case.incident else None)
        row = ResponseTask.objects.select_for_update(of=("self",)).select_related("account").get(pk=task.pk)
        made = tasks.draft(
            action=undo_of(row),
            cause=row.cause,
            target=row.target,
            params={"undoes": row.data} if row.data else {},
            alert=case.alert,
            incident=case.incident,
            account=_undoing(actor, row),
            inverse_of=row,
            origin="task",
            created_by=actor.user,
            acting_user=actor.user,
        )
        saved = tasks.create([made])
        announce(actor, case, "response.requested", saved)
        return saved[0]

    return together(write)


def undo_of(task: ResponseTask) -> str:
    """The capability that undoes this task. Raises Conflict when there is none, or nothing to undo."""
    what = CAPABILITIES.get(task.capability)
    if what is None or not what.inverse:
        raise Conflict("This cannot be undone.")
    if task.status not in (TaskStatus.SUCCESSFUL, TaskStatus.UNKNOWN_OUTCOME):
        raise Conflict(f"This task is {task.state.label.lower()}: there is nothing to undo.")
    done = task.inverses.exclude(status__in=("unsuccessful", "cancelled")).order_by("-pk").first()
    if done is not None:
        raise Conflict(f"It is undone already, by task {done.pk} ({done.state.label.lower()}).")
    return what.inverse


def _undoing(actor: Actor, task: ResponseTask) -> ConnectorAccount | None:
    """The account that did it, or None for what our own block list did. Raises Conflict."""
    what = CAPABILITIES[task.capability].inverse
    if task.account_id is None:
        if what == "unblock":
            return None
        raise Conflict("The connector that did it is gone.")
    able = {account.pk: account for account in routing.serving(what, actor.user)}
    if task.account_id not in able:
        name = task.account.name if task.account else ""
        raise Conflict(f"{name} is disabled, not for you to use, or cannot do “{CAPABILITIES[what].label}”.")
    return able[task.account_id]


def response_task(actor: Actor, task_id: int | str) -> ResponseTask:
    """The task, for somebody who may respond on its case."""
    task = task_for(actor, task_id)
    needs(actor, "respond", MAY_NOT)
    case_of(actor, alert=task.alert_id, incident=None if task.alert_id else task.incident_id)
    return task


def case_of_task(task: ResponseTask) -> Case:
    """What the follow-ups of a task are about: the same."""
    alert = Alert.objects.select_related("source").filter(pk=task.alert_id).first() if task.alert_id else None
    incident = Incident.objects.filter(pk=task.incident_id).first() if task.incident_id and not alert else None
    return Case("task", alert, incident)


def reveal(actor: Actor, task_id: int | str) -> dict[str, str]:
    """The secret of what was collected: where it lies, the archive's password. Audited each time (spec 17a).

    Raises Missing, Forbidden, Conflict for a task without one."""
    task = response_task(actor, task_id)
    secret = {str(name): str(value) for name, value in (task.secret or {}).items()}
    if not secret:
        raise Conflict("This task has nothing to show.")
    audit.record(actor.user, "response.secret_shown", f"task {task.pk}", names=sorted(secret))
    return secret
