"""``request_approval`` of Python playbooks: the run waits without a lease until people have decided.

The question is the recorded call's step with an approval of its own; the decision is the step's result, so a replay
returns it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from cases import timeline
from cases.actors import Actor
from cases.alert_rows import locked_alert
from cases.errors import Refused
from cases.merged import locked_end
from playbooks.announce import Subject, announce, lock_subject, relock
from playbooks.choices import ApprovalStatus, RunStatus, StepStatus
from playbooks.models import Approval, Run, Step
from soar.lib.queue import enqueue

RUN_TASK = "playbooks.tasks.run"
TELL_TASK = "playbooks.tasks.tell"
LONGEST = 30 * 24 * 3600  # seconds


def locked(run_id: int) -> tuple[Run, Subject | None]:
    """The run, and what it works on with its lock."""
    run = Run.objects.select_related("playbook", "sequence", "acting_user", "started_by").get(pk=run_id)
    return run, lock_subject(run)


def ask(run: Run, subject: Subject | None, step_id: int, given: dict[str, Any]) -> Approval:
    """Ask people, in the transaction that records the call. ``given``: question, two_people, recipients, channels,
    subject_prefix, seconds. Raises Refused for a question without text or a time that makes no sense."""
    question = str(given.get("question") or "").strip()
    if not question:
        raise Refused(_("request_approval needs a question."))
    approval = Approval.objects.create(
        run=run,
        step_id=step_id,
        alert_id=run.alert_id,
        incident_id=run.incident_id,
        title=f"{run.playbook.name}: {question}"[:300],
        question=question[:5000],
        needed=2 if given.get("two_people") else 1,
        notify=_notify(given),
        requested_by=run.started_by,
        expires_at=Now() + timedelta(seconds=_seconds(given)),
        cause=run.cause,
    )
    data = {"approval": approval.pk, "title": approval.title}
    announce("approval.requested", run, relock(subject), text=question, **data)
    enqueue(TELL_TASK, approval.pk)
    return approval


def _notify(given: dict[str, Any]) -> dict[str, Any]:
    recipients, channels = list(given.get("recipients") or ()), list(given.get("channels") or ())
    if not recipients and not channels:
        return {}
    return {
        "method": "email" if recipients else "channel",
        "subject_prefix": str(given.get("subject_prefix") or ""),
        "recipients": [str(one) for one in recipients],
        "channels": [str(one) for one in channels],
    }


def _seconds(given: dict[str, Any]) -> float:
    seconds = float(given.get("seconds") or settings.APPROVAL_SECONDS)
    if not 1 <= seconds <= LONGEST:
        raise Refused(_("An approval waits for at least a second and at most 30 days."))
    return seconds


def answered(run_id: int, approval: Approval) -> None:
    """Write the decision as the result of the call, and queue the run again. Nothing while it is still open."""
    status = ApprovalStatus(Approval.objects.values_list("status", flat=True).get(pk=approval.pk))
    if approval.step_id is None or status in (ApprovalStatus.PENDING, ApprovalStatus.PARTLY):
        return
    votes = list(approval.votes.select_related("user").order_by("pk"))
    result = {
        "approved": status == ApprovalStatus.APPROVED,
        "status": status.value,
        "by": [vote.user.display_name() for vote in votes],
        "comment": next((vote.comment for vote in reversed(votes) if vote.comment), ""),
        "approval": approval.pk,
    }
    Step.objects.filter(pk=approval.step_id, status=StepStatus.PENDING_APPROVAL).update(
        status=StepStatus.SUCCESSFUL, result=result, error="", finished_at=Now()
    )
    go_on(run_id)


def go_on(run_id: int) -> None:
    """Queue a waiting run again once none of its questions is open. Called by whoever decides, and by the worker that
    puts the run to sleep: one of the two comes second, and both hold the run's lock."""
    if Step.objects.filter(run=run_id, status=StepStatus.PENDING_APPROVAL).exists():
        return
    waiting = Run.objects.filter(pk=run_id, status=RunStatus.PENDING_APPROVAL)
    if waiting.update(status=RunStatus.QUEUED, attempts=0, rung_at=Now(), lease_owner="", lease_until=None):
        enqueue(RUN_TASK, run_id)


def say_expired(approval: Approval) -> None:
    """Write on the timelines of what it is about that nobody decided, also of actions by hand, which have no run.

    The rows are locked (approving.locked)."""
    if approval.run is not None and approval.run.dry_run:
        return
    data = {"approval": approval.pk, "title": approval.title, "count": approval.tasks.count()}
    for subject in _about(approval):
        relock(subject)
        timeline.record("approval.expired", subject, Actor.system(), data=data, cause=approval.cause)


def _about(approval: Approval) -> list[Subject]:
    """Its alert, and its or the alert's incident; the locks are held already, so their order does not matter."""
    alert = locked_alert(approval.alert_id) if approval.alert_id else None
    number = approval.incident_id or (alert.incident_id if alert else None)
    incident = locked_end(number) if number else None
    return [one for one in (alert, incident) if one is not None]
