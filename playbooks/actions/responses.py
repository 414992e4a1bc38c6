"""Response actions by hand: one task per object, queued or waiting for an approval (spec 17b)."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from cases import timeline
from cases.actions.base import text_of
from cases.actors import Actor
from cases.errors import Refused
from cases.merged import check_not_merged
from cases.models import Alert, Incident
from cases.permissions import alert_for, incident_for
from playbooks.actions.approvals import described, subjects_of
from playbooks.actions.response_plan import MAY_NOT, Plan, Planned, plan
from playbooks.actions.rights import needs, works_on_case
from playbooks.choices import TaskStatus
from playbooks.models import Approval, ResponseTask
from playbooks.response import asking, tasks
from playbooks.response.locking import hold_case, together
from playbooks.response.objects import Target
from soar.lib.queue import enqueue

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
    """The case for somebody who may respond on it. Raises Missing, Forbidden, Refused for both at once,
    Conflict for an incident that was merged."""
    needs(actor, "respond", _(MAY_NOT))
    if alert and incident:
        raise Refused(_("It is about an alert or about an incident, not about both."), field="alert")
    found = alert_for(actor, alert, work=True) if alert else None
    about = incident_for(actor, incident) if incident else None
    check_not_merged(actor, about)
    works_on_case(actor, None, about)
    return Case(origin or ("alert" if found else "incident" if about else "api"), found, about)


def start(
    actor: Actor, case: Case, *, action: str, targets: Sequence[Target], params: Mapping[str, Any], comment: str = ""
) -> list[ResponseTask]:
    """Make one task per object and queue what may run. What the never-touch list holds waits for an approval.

    Raises as ``plan``."""
    said = comment_of(comment)
    planned = plan(actor, action, targets, params)
    return make(actor, case, planned, said)


def comment_of(text: str) -> str:
    """Why somebody responds, as it may be kept. Raises Refused for one that is too long."""
    return text_of(text or "", "comment", most=COMMENT_AT_MOST, required=False)


def make(actor: Actor, case: Case, made: Plan, comment: str) -> list[ResponseTask]:
    """The tasks of a plan, with the approvals that they wait for, and one entry on the timelines of the case."""

    def write() -> list[ResponseTask]:
        alert, incident = hold_case(case.alert.pk if case.alert else None, case.incident.pk if case.incident else None)
        works_on_case(actor, alert, incident if case.incident else None)
        cause = case.cause
        approvals = _approvals(actor, case, made, comment, cause)
        saved = tasks.create(_draft(actor, case, made, one, approvals, cause, comment) for one in made.planned)
        announce(actor, case, "response.requested", saved, comment)
        for approval in approvals.values():
            about = {"approval": approval.pk, "title": approval.title, "reason": approval.reason}
            own = [task for task in saved if task.approval_id == approval.pk]
            announce(actor, case, "approval.requested", own, approval.reason, **about)
            enqueue(asking.TELL_TASK, approval.pk)
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
    )


def announce(actor: Actor, case: Case, kind: str, done: Sequence[ResponseTask], text: str = "", **more: Any) -> None:
    """One entry on the timelines of the case, whose rows are locked."""
    data = {"tasks": [described(task) for task in done[:20]], "count": len(done), **more}
    alert, incident = case.alert, case.incident
    for subject in subjects_of(alert.pk if alert else None, incident.pk if incident else None):
        timeline.record(kind, subject, actor, text=text, data=data, cause=done[0].cause)
