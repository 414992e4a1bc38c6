"""Working off rules of retention: in batches, each its own transaction with its row in the audit log.

A pass goes through the keys upwards and keeps its place in the rule's row, so one that is stopped goes on where it was.
Two workers never work on the same rule: the row's lock keeps them apart."""

from __future__ import annotations

import logging
from datetime import timedelta

from django.db import DatabaseError, transaction
from django.db.models import ProtectedError, Q

from cases.actions.retention import told
from cases.errors import CaseError
from cases.models import RetentionRule
from cases.retention import Sort, delete, found, sorts
from soar.accounts import audit
from soar.lib import clock
from soar.lib.queue import enqueue

logger = logging.getLogger(__name__)
TASK = "cases.tasks.retain"
BATCHES = 50  # of one task: then it makes room for others
AGAIN = timedelta(hours=1)  # after a pass has ended


def ring() -> None:
    """Queue the rules that are due, in the order in which sorts go. Scheduled every few minutes."""
    due = Q(finished_at=None) | Q(finished_at__lt=clock.now() - AGAIN)
    rules = list(RetentionRule.objects.filter(due, enabled=True))
    order = list(sorts())
    for rule in sorted(rules, key=lambda one: order.index(one.what) if one.what in order else len(order)):
        enqueue(TASK, rule.pk)


def work_off(pk: int) -> None:
    """Go on with a rule's pass; rings for itself while there is more."""
    for _number in range(BATCHES):
        if not _batch(pk):
            return
    enqueue(TASK, pk)


@transaction.atomic
def _batch(pk: int) -> bool:
    """Delete some; whether there may be more. A rule that is off, gone or in other hands is let be."""
    rule = RetentionRule.objects.select_for_update(skip_locked=True, of=("self",)).filter(pk=pk, enabled=True).first()
    sort = sorts().get(rule.what) if rule else None
    if rule is None or sort is None or not _begun(rule):
        return False
    rows = found(rule).filter(**{f"{sort.key}__gt": rule.position}).order_by(sort.key)
    keys = list(rows.values_list(sort.key, flat=True)[: sort.batch])
    if not keys:
        _end(rule)
        return False
    gone = _delete(rule, sort, keys)
    rule.position = keys[-1]
    rule.deleted_now += gone
    rule.deleted += gone
    rule.save(update_fields=["position", "deleted_now", "deleted", "error"])
    if gone:
        audit.record(None, "retention.deleted", str(rule), count=gone, first=keys[0], last=keys[-1], **told(rule))
    return True


def _begun(rule: RetentionRule) -> bool:
    """Begin a pass, or go on with the one under way; False when the last one has just ended."""
    if rule.started_at is not None:
        return True
    if rule.finished_at is not None and rule.finished_at > clock.now() - AGAIN:
        return False
    rule.started_at, rule.finished_at, rule.position, rule.deleted_now, rule.error = clock.now(), None, 0, 0, ""
    rule.save(update_fields=["started_at", "finished_at", "position", "deleted_now", "error"])
    return True


def _end(rule: RetentionRule) -> None:
    rule.started_at, rule.finished_at, rule.position = None, clock.now(), 0
    rule.save(update_fields=["started_at", "finished_at", "position"])
    if rule.deleted_now:
        audit.record(None, "retention.finished", str(rule), count=rule.deleted_now, error=rule.error[:300])


def _delete(rule: RetentionRule, sort: Sort, keys: list[int]) -> int:
    """All together; if something refuses, one by one, and those that refuse stay, with the reason in the rule."""
    try:
        with transaction.atomic():
            return delete(rule, keys)
    except (CaseError, ProtectedError, DatabaseError) as error:
        if len(keys) == 1:
            logger.warning("Retention keeps %s %s: %s", sort.name, keys[0], error)
            rule.error = f"{keys[0]}: {error}"[:1000]
            return 0
    return sum(_delete(rule, sort, [key]) for key in keys)
