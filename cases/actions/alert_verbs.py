"""What a verb does to an alert that is locked already: one at a time (``alerts``) or many together (``bulk_verbs``)."""

from __future__ import annotations

from django.utils.translation import gettext as _

from cases import timeline
from cases.actions.alert_state import reopen_locked
from cases.actions.base import ALERT_TAGS_AT_MOST, _Keep, change, check_worker, save, tags_of
from cases.actors import Actor
from cases.choices import AlertStatus, Severity
from cases.errors import Conflict, Refused
from cases.models import Alert
from soar.accounts.models import Team, User
from soar.lib import clock


def claim_locked(actor: Actor, alert: Alert) -> Alert:
    """Assign to the actor and set in progress. Raises Refused for no person, Conflict for a resolved alert."""
    if actor.user is None:
        raise Refused(_("Only a person can claim an alert."))
    if alert.status == AlertStatus.RESOLVED:
        raise Conflict(_("The alert is resolved. Reopen it first."))
    if alert.owner_id == actor.user.pk and alert.status == AlertStatus.IN_PROGRESS:
        return alert
    old = alert.owner.display_name() if alert.owner else None
    alert.owner, alert.status = actor.user, AlertStatus.IN_PROGRESS
    alert.acknowledged_at = alert.acknowledged_at or clock.now()
    timeline.record("alert.claimed", alert, actor, data={"old": old, "new": actor.user.display_name()})
    save(alert, "owner", "status", "acknowledged_at")
    return alert


def assign_locked(actor: Actor, alert: Alert, owner: User | _Keep | None, team: Team | _Keep | None) -> Alert:
    """Give it to an active person, a team, or nobody. Raises Refused for somebody who may not work on it."""
    changed = False
    if not isinstance(owner, _Keep):
        check_worker(alert, owner)
        changed = change(alert, actor, "owner", owner)
        if changed and alert.owner and alert.acknowledged_at is None:
            alert.acknowledged_at = clock.now()
    if not isinstance(team, _Keep):
        changed = change(alert, actor, "team", team) or changed
    if changed:
        save(alert, "owner", "team", "acknowledged_at")
    return alert


def severity_locked(actor: Actor, alert: Alert, severity: Severity) -> Alert:
    """Set how urgent it is."""
    if change(alert, actor, "severity", severity):
        save(alert, "severity")
    return alert


def add_tags_locked(actor: Actor, alert: Alert, tags: list[str]) -> Alert:
    """Add tags, keeping those that are there. Raises Refused for more than an alert can have."""
    if change(alert, actor, "tags", tags_of([*alert.tags, *tags], ALERT_TAGS_AT_MOST)):
        save(alert, "tags")
    return alert


def reopen_if_resolved(actor: Actor, alert: Alert, reason: str) -> Alert:
    """Back to in progress (with an owner) or new; an open alert stays as it is."""
    return reopen_locked(actor, alert, None, reason) if alert.status == AlertStatus.RESOLVED else alert
