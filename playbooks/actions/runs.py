"""Starting, cancelling and retrying runs."""

from __future__ import annotations

import uuid

from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from cases.actors import Actor
from cases.errors import Conflict, Forbidden, Refused
from cases.merged import check_not_merged
from cases.models import Alert, Incident
from cases.permissions import alert_for, incident_for
from playbooks.actions import response_runs
from playbooks.actions.rights import locked_run, works_on
from playbooks.announce import announce
from playbooks.choices import RunStatus, StartedBy, StepStatus, Trigger
from playbooks.claims import following_run
from playbooks.graph.actions import ACTIONS
from playbooks.models import Playbook, Run, Step
from playbooks.opening import RUN_TASK
from playbooks.permissions import playbook_for
from playbooks.response import approving
from playbooks.response.facts import graph_of
from playbooks.response.locking import hold_case, together
from playbooks.response.starting import RESPOND_TASK
from playbooks.selectors import run_for
from soar.accounts.membership import may, scopes_of
from soar.lib.queue import enqueue

RETRIABLE = (RunStatus.UNSUCCESSFUL, RunStatus.CANCELLED, RunStatus.PARTIALLY_SUCCESSFUL, RunStatus.NEEDS_DECISION)


def run_by_hand(
    actor: Actor,
    playbook: Playbook | str | int,
    *,
    alert: Alert | str | int | None = None,
    incident: Incident | str | int | None = None,
    dry_run: bool = False,
    ring: bool = True,
) -> Run:
    """Queue a run on an alert, an incident, or nothing (triggers manual and schedule), with the actor's rights.

    ``ring`` False is for a caller who executes it at once. Raises Missing, Forbidden, Conflict for a playbook that
    starts nothing or an incident that was merged, Refused for the wrong kind of subject."""
    return together(lambda: _run_by_hand(actor, playbook, alert, incident, dry_run=dry_run, ring=ring))


def _run_by_hand(
    actor: Actor,
    playbook: Playbook | str | int,
    alert: Alert | str | int | None,
    incident: Incident | str | int | None,
    *,
    dry_run: bool,
    ring: bool,
) -> Run:
    row = playbook_for(actor, playbook, "run")
    on_alert = alert_for(actor, alert.pk if isinstance(alert, Alert) else alert) if alert is not None else None
    on_incident = (
        incident_for(actor, incident.pk if isinstance(incident, Incident) else incident)
        if incident is not None
        else None
    )
    check_not_merged(actor, on_incident)
    if row.hindrance:
        raise Conflict(_("%(name)s starts nothing. %(hindrance)s") % {"name": row.name, "hindrance": row.hindrance})
    _fits(row, on_alert, on_incident)
    if row.kind == "response" and on_alert is not None and not dry_run:
        # Under the locks of incident and alert: who restricts it in this moment is waited for, or comes afterwards.
        works_on(actor, hold_case(on_alert.pk, None)[0])
        check_destructive(actor, row)
    cause = on_alert.cause if on_alert else on_incident.cause if on_incident else uuid.uuid4()
    run = Run.objects.create(
        playbook=row,
        alert=on_alert,
        incident=on_incident,
        trigger=StartedBy.MANUAL,
        started_by=actor.user,
        acting_user=actor.user,
        scopes=scopes_of(actor.user),
        dry_run=dry_run,
        cause=cause,
        rung_at=Now(),
    )
    if ring:
        enqueue(RESPOND_TASK if row.kind == "response" else RUN_TASK, run.pk)
    run.refresh_from_db()
    return run


def check_destructive(actor: Actor, row: Playbook) -> None:
    """Raise Forbidden for somebody who may not run response actions and a playbook that runs destructive ones without
    asking anybody (rulings 20)."""
    if actor.user is None or may(actor.user, "respond") or row.current is None:
        return
    for node in graph_of(row.current).nodes:
        hard = [_(ACTIONS[use.action].label) for use in node.actions if _destroys(use.action)]
        if hard and node.approval is None:
            raise Forbidden(
                _("%(name)s does “%(hard)s”: the permission to run response actions is missing.")
                % {"name": row.name, "hard": hard[0]}
            )


def _destroys(action: str) -> bool:
    return action in ACTIONS and ACTIONS[action].destructive


def _fits(row: Playbook, alert: Alert | None, incident: Incident | None) -> None:
    if alert and incident:
        raise Refused(_("A run is on an alert or on an incident, not on both."), field="alert")
    if row.kind == "response" and alert is None:
        raise Refused(_("%(name)s runs on an alert.") % {"name": row.name}, field="alert")
    if row.kind == "response":
        return
    if row.trigger == Trigger.WEBHOOK and alert is None:
        raise Refused(_("%(name)s runs on an alert.") % {"name": row.name}, field="alert")
    if row.trigger == Trigger.INCIDENT and incident is None:
        raise Refused(_("%(name)s runs on an incident.") % {"name": row.name}, field="incident")
    if row.trigger == Trigger.SCHEDULE and (alert or incident):
        raise Refused(
            _("%(name)s runs by the clock and takes neither an alert nor an incident.") % {"name": row.name},
            field="alert",
        )


@transaction.atomic
def cancel(actor: Actor, run: Run | int | str) -> Run:
    """Cancel a run that is not over. One that is executing ends after the calls that are in flight: they cannot
    be called back. Raises Conflict for a run that is over."""
    if (seen := run_for(actor, run.pk if isinstance(run, Run) else run)).playbook.kind == "response":
        return response_runs.cancel(actor, seen)
    row, subject = locked_run(actor, seen)
    if row.state.is_final:
        raise Conflict(_("The run is %(label)s already.") % {"label": _(str(row.state.label)).lower()})
    silent = Run.objects.filter(pk=row.pk, lease_until__lt=Now()).exists()
    if row.status == RunStatus.IN_PROGRESS and not silent:
        row.cancel_requested = True
        row.save(update_fields=["cancel_requested"])
        return row
    _cancel_now(row, actor)
    announce("run.finished", row, subject, text=row.error, status=row.status)
    if row.sequence_id and (following := following_run(row, RunStatus.CANCELLED)):
        enqueue(RUN_TASK, following)
    return row


def _cancel_now(row: Run, actor: Actor) -> None:
    approving.cancel(row.pk, f"Cancelled by {actor.name}.")
    text = "Its worker stopped while this was in flight: it may or may not have happened."
    row.steps.filter(status=StepStatus.IN_PROGRESS).update(status=StepStatus.UNKNOWN_OUTCOME, error=text)
    row.status, row.error, row.cancel_requested = RunStatus.CANCELLED, f"Cancelled by {actor.name}.", True
    row.lease_owner, row.lease_until = "", None
    row.save(update_fields=["status", "error", "cancel_requested", "lease_owner", "lease_until"])
    Run.objects.filter(pk=row.pk).update(finished_at=Now())
    row.refresh_from_db(fields=["finished_at"])


@transaction.atomic
def retry(actor: Actor, run: Run | int | str) -> Run:
    """Run again what failed or was never done; what succeeded is kept and not done twice.

    Also how a person says "go on with the code as it is now" of a run that waits because the code changed.
    Raises Conflict for a run that succeeded, is under way, or has calls of unknown outcome to decide first."""
    if (seen := run_for(actor, run.pk if isinstance(run, Run) else run)).playbook.kind == "response":
        return response_runs.retry(actor, seen)
    row, _subject = locked_run(actor, seen)
    if row.status not in RETRIABLE:
        raise Conflict(
            _("The run is %(label)s: there is nothing to retry.") % {"label": _(str(row.state.label)).lower()}
        )
    if row.playbook.hindrance:
        raise Conflict(
            _("%(name)s starts nothing. %(hindrance)s")
            % {"name": row.playbook.name, "hindrance": row.playbook.hindrance}
        )
    if row.steps.filter(status=StepStatus.UNKNOWN_OUTCOME).exists():
        raise Conflict(_("First decide what happened to the calls of unknown outcome."))
    again = Q(status__in=(StepStatus.UNSUCCESSFUL, StepStatus.CANCELLED, StepStatus.IN_PROGRESS))
    row.steps.filter(again).update(status=StepStatus.QUEUED)
    _requeue(row, accept_code=True)
    return row


def _requeue(row: Run, *, accept_code: bool) -> None:
    if accept_code:
        row.version = None  # a person has seen that the code changed: the record is matched by names alone
    row.status, row.error, row.traceback, row.result = RunStatus.QUEUED, "", "", None
    row.cancel_requested, row.attempts = False, 0
    row.save()
    Run.objects.filter(pk=row.pk).update(finished_at=None, rung_at=Now(), lease_owner="", lease_until=None)
    row.finished_at = None
    enqueue(RUN_TASK, row.pk)


def go_on(row: Run) -> bool:
    """Queue a waiting run again once nothing is left to decide. Returns whether it was."""
    if row.status != RunStatus.NEEDS_DECISION:
        return False
    if Step.objects.filter(run=row, status=StepStatus.UNKNOWN_OUTCOME).exists():
        return False
    _requeue(row, accept_code=False)
    return True
