"""Many alerts into the queue or out of it by a rule: done by a worker, some at a time, again and again until none is
left. Each step may be cut off and is simply done once more."""

from __future__ import annotations

from collections.abc import Callable

from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext as _

from cases.actions.suppressed import hold_locked, release_locked
from cases.actions.suppression import in_force
from cases.actors import Actor
from cases.errors import Conflict
from cases.ingest.conditions import BadRule, read
from cases.ingest.hold import Hold
from cases.models import Alert, SuppressionRule
from cases.permissions import alert_for
from cases.querysets import AlertQuerySet
from cases.suppression_sql import meeting
from soar.lib.queue import enqueue

AT_ONCE = 100
STEPS = 100  # of one call; then the next begins, so that other tasks have their turn


def release_some(rule_id: int) -> None:
    """Put what the rule held back into the queue, oldest first. Called by a worker."""
    _work_off(rule_id, _release_step, "cases.tasks.release_suppressed")


def hold_some(rule_id: int) -> None:
    """Take out of the queue what meets the rule and is nobody's work. Called by a worker."""
    _work_off(rule_id, _hold_step, "cases.tasks.hold_open")


@transaction.atomic
def release_one(actor: Actor, alert_id: str | int) -> Alert:
    """Put one alert into the queue. Raises Conflict if nothing holds it back, Missing, Forbidden."""
    alert = alert_for(actor, alert_id, work=True, lock=True)
    if not alert.suppression_id:
        raise Conflict(_("%(number)s stands in the queue already.") % {"number": alert.number})
    return release_locked(actor, alert)


def _work_off(rule_id: int, step: Callable[[SuppressionRule], int], task: str) -> None:
    for _step in range(STEPS):
        rule = SuppressionRule.objects.filter(pk=rule_id).first()
        if rule is None or not step(rule):
            return
    enqueue(task, rule_id)


@transaction.atomic
def _release_step(rule: SuppressionRule) -> int:
    if not rule.releasing:
        return 0
    rows = rule.alerts.select_for_update(of=("self",)).order_by("pk")[:AT_ONCE]
    alerts = list(rows)
    for alert in alerts:
        alert.suppression = rule
        release_locked(Actor.system(), alert, f"{rule.name} is over")
    if not alerts:
        SuppressionRule.objects.filter(pk=rule.pk).update(releasing=False)
    return len(alerts)


@transaction.atomic
def _hold_step(rule: SuppressionRule) -> int:
    rows = waiting(rule)
    if rows is None:
        return 0
    hold = Hold(rule.pk, rule.name, rule.reason)
    alerts = list(rows.select_for_update(of=("self",)).order_by("pk")[:AT_ONCE])
    for alert in alerts:
        hold_locked(Actor.system(), alert, hold, from_queue=True)
    SuppressionRule.objects.filter(pk=rule.pk).update(held=F("held") + len(alerts))
    return len(alerts)


def waiting(rule: SuppressionRule) -> AlertQuerySet | None:
    """What stands in the queue, is nobody's, in no incident, and meets the rule. None for a rule that is not in force
    or cannot be used."""
    if not in_force(rule):
        return None
    try:
        conditions = read(rule.conditions)
    except BadRule:
        return None
    rows = Alert.objects.queued().filter(owner=None, incident=None, status=0)
    if not rule.all_teams:
        rows = rows.filter(team=rule.team_id)
    return meeting(rows, conditions)
