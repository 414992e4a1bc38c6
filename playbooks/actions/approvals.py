"""People decide on approvals: all tasks or some, once, in time, with the right to (response-playbooks.md 20 to 22).

The locks are taken before anything is looked at, and the database's clock says whether it is too late: whoever comes
second, or after the end, is told what happened instead."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models.functions import Now
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from cases import timeline
from cases.actions.base import text_of
from cases.actors import Actor
from cases.errors import CaseError, Conflict, Forbidden, Missing, Refused
from cases.models import Alert, Incident
from cases.permissions import holds
from playbooks import never_touch, questions
from playbooks.actions.rights import needs
from playbooks.announce import relock
from playbooks.choices import APPROVAL_OPEN, TaskStatus
from playbooks.models import Approval, ResponseTask, Vote
from playbooks.response import approving, protecting
from playbooks.response.locking import together
from playbooks.response_selectors import approval_for
from playbooks.response_words import NEVER_TOUCH, named_tasks
from soar.lib.clock import iso

COMMENT_AT_MOST = 5000
MAY_NOT = gettext_noop("The permission to approve and run response actions is missing.")


@dataclass(frozen=True, slots=True)
class Decision:
    """What one person says: yes or no, to these tasks (None: all that wait), with a comment. ``reasons``: by task,
    why one that is on the never-touch list may be touched; without, the comment is the reason."""

    approve: bool
    tasks: frozenset[int] | None
    comment: str
    reasons: Mapping[int, str]


def approve(
    actor: Actor,
    approval: int | str,
    *,
    tasks: Sequence[int] | None = None,
    comment: str = "",
    reasons: Mapping[int, str] | None = None,
) -> Approval:
    """Approve all tasks that wait, or these. Returns the approval as it is then.

    Raises Missing, Forbidden without the permission to respond, Refused for tasks that are not of this approval and
    for a task on the never-touch list without a reason, Conflict when it is decided, expired, or it is for another
    person to decide (two-person rule)."""
    return _decide(actor, approval, _decision(True, tasks, comment, reasons))


def reject(actor: Actor, approval: int | str, *, tasks: Sequence[int] | None = None, comment: str = "") -> Approval:
    """Reject all tasks that wait, or these: they never run. Raises as ``approve``."""
    return _decide(actor, approval, _decision(False, tasks, comment, None))


def may_decide(actor: Actor, approval: Approval) -> str:
    """Why this person may not decide; "" if they may."""
    try:
        _check_right(actor, approval)
    except CaseError as error:
        return error.message
    return ""


def _decision(yes: bool, tasks: Sequence[int] | None, comment: str, reasons: Mapping[int, str] | None) -> Decision:
    said = text_of(comment or "", "comment", most=COMMENT_AT_MOST, required=False)
    if tasks is not None and not tasks:
        raise Refused(_("Tick at least one task."), field="tasks")
    why = {
        pk: text_of(text, f"reason-{pk}", most=COMMENT_AT_MOST, required=False) for pk, text in (reasons or {}).items()
    }
    return Decision(yes, None if tasks is None else frozenset(tasks), said, why)


def _decide(actor: Actor, pk: int | str, decision: Decision) -> Approval:
    seen = approval_for(actor, pk)
    _check_right(actor, seen)

    def write() -> CaseError | None:
        approval = approving.locked(seen.pk)
        if approval is None:
            raise Missing(_("There is no approval %(pk)s.") % {"pk": f"{pk!s:.40}"})
        _check_right(actor, approval)  # again: somebody may have restricted the incident meanwhile
        if approval.status not in APPROVAL_OPEN:
            raise Conflict(_ended(approval))
        if not Approval.objects.filter(pk=approval.pk, expires_at__gt=Now()).exists():
            approving.expire(approval)  # committed: what was late is over for everybody
            questions.say_expired(approval)
            return Conflict(_ended(approval))
        _vote(actor, approval, decision)
        return None

    if late := together(write):
        raise late
    return approval_for(actor, seen.pk)


def _check_right(actor: Actor, approval: Approval) -> None:
    if actor.user is None:
        raise Forbidden(_("Only a person can decide on an approval."))
    needs(actor, "respond", _(MAY_NOT))
    alert: Alert | None = approval.alert
    incident = alert.incident if alert is not None and alert.restricted else approval.incident
    if incident is not None and incident.restricted and not holds(actor.user, incident, "edit"):
        raise Forbidden(_("You may see %(number)s but not work on it: it is restricted.") % {"number": incident.number})


def _vote(actor: Actor, approval: Approval, decision: Decision) -> None:
    chosen = _chosen(actor, approval, decision)
    if decision.approve:
        _check_reasons(approval, chosen, decision)
    votes = [
        Vote(
            approval=approval,
            task=task,
            user=actor.user,
            approve=decision.approve,
            comment=(decision.reasons.get(task.pk) if task else "") or decision.comment,
        )
        for task in chosen
    ]
    Vote.objects.bulk_create(votes)
    approving.decide(approval, list(Vote.objects.filter(approval=approval).select_related("user").order_by("pk")))
    _announce(actor, approval, decision, [task for task in chosen if task is not None])


def _chosen(actor: Actor, approval: Approval, decision: Decision) -> list[ResponseTask | None]:
    """The tasks to vote on; ``[None]`` for a question. Raises Refused, Conflict."""
    tasks = list(approval.tasks.order_by("position", "pk"))
    voted = set(Vote.objects.filter(approval=approval, user=actor.user).values_list("task", flat=True))
    if not tasks:
        if decision.tasks is not None:
            raise Refused(_("This approval is a question; it has no tasks."), field="tasks")
        if None in voted:
            raise Conflict(_again(approval))
        return [None]
    by_id = {task.pk: task for task in tasks}
    if decision.tasks is not None and (strange := sorted(decision.tasks - by_id.keys())):
        raise Refused(_("Task %(strange)s is not of this approval.") % {"strange": strange[0]}, field="tasks")
    wanted = [task for task in tasks if decision.tasks is None or task.pk in decision.tasks]
    open_ones = [task for task in wanted if task.status == TaskStatus.PENDING_APPROVAL]
    if decision.tasks is not None and len(open_ones) < len(wanted):
        over = next(task for task in wanted if task not in open_ones)
        raise Conflict(
            _("%(named_tasks)s is %(label)s already. Nothing was decided.")
            % {"named_tasks": named_tasks([over]), "label": _(str(over.state.label)).lower()}
        )
    mine = [task for task in open_ones if task.pk not in voted]
    if not mine or (decision.tasks is not None and len(mine) < len(open_ones)):
        raise Conflict(_again(approval))
    return list(mine)


def _check_reasons(approval: Approval, chosen: Iterable[ResponseTask | None], decision: Decision) -> None:
    """What is on the never-touch list is approved with a reason (response-playbooks.md 18), also where the list has it
    only since the approval was asked for."""
    listed = never_touch.rules()
    for task in chosen:
        if task is None or decision.reasons.get(task.pk) or decision.comment:
            continue
        known = task.reason.startswith(NEVER_TOUCH)  # and has a field of its own on the page
        if known or _is_listed(approval, task, listed):
            field = f"reason-{task.pk}" if known and decision.reasons else "comment"
            raise Refused(
                _("%(target_value)s is on the never-touch list: say why it may be touched.")
                % {"target_value": task.target_value},
                field=field,
            )


def _is_listed(approval: Approval, task: ResponseTask, listed: Sequence[never_touch.Rule]) -> bool:
    return bool(protecting.reasons(task, listed, approval.run.targets if approval.run else None))


def _again(approval: Approval) -> str:
    if approval.needed > 1:
        return _("You have decided on this already. Another person must approve it too.")
    return _("You have decided on this already.")


def _ended(approval: Approval) -> str:
    """What happened to an approval that is over, and by whom."""
    if approval.status == "expired":
        return _("This approval expired at %(expires_at)s: its tasks can never run. Nothing was decided.") % {
            "expires_at": iso(approval.expires_at)
        }
    last = Vote.objects.filter(approval=approval).select_related("user").order_by("-pk").first()
    by = f" by {last.user.display_name()}" if last else ""
    return _("This approval is %(label)s already%(by)s. Nothing was decided.") % {
        "label": _(str(approval.state.label)).lower(),
        "by": by,
    }


def _announce(actor: Actor, approval: Approval, decision: Decision, tasks: list[ResponseTask]) -> None:
    """One entry on the timeline of what it is about, and of its incident."""
    if approval.run is not None and approval.run.dry_run:
        return
    data: dict[str, Any] = {
        "approval": approval.pk,
        "title": approval.title,
        "tasks": [described(task) for task in tasks[:20]],
        "count": len(tasks),
        "status": Approval.objects.values_list("status", flat=True).get(pk=approval.pk),
    }
    if decision.reasons:
        data["reasons"] = {str(pk): text for pk, text in decision.reasons.items() if text}
    kind = "approval.approved" if decision.approve else "approval.rejected"
    for subject in subjects_of(approval.alert_id, approval.incident_id):
        timeline.record(kind, subject, actor, text=decision.comment, data=data, cause=approval.cause)


def described(task: ResponseTask) -> dict[str, Any]:
    """A task as entries of the timeline name it."""
    return {
        "id": task.pk,
        "label": named_tasks([task], value=False),
        "value": task.target_value[:300],
        "type": task.target.get("type") or task.target_kind,
    }


def subjects_of(alert_id: int | None, incident_id: int | None) -> list[Alert | Incident]:
    """The alert, and its or this incident, with their locks; whoever calls holds them already (locking.hold)."""
    alert = Alert.objects.select_related("source").filter(pk=alert_id).first() if alert_id else None
    number = incident_id or (alert.incident_id if alert else None)
    incident = Incident.objects.filter(pk=number).first() if number else None
    return [one for one in (relock(incident), relock(alert)) if one is not None][::-1]
