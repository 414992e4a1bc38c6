"""What a delivery does to an alert that is stored already (ingest-and-api.md 8, rulings 16)."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import F
from django.db.models.functions import Greatest

from cases import timeline
from cases.actions.alert_state import findings_of, reopen_locked, resolve_locked
from cases.actions.base import save
from cases.actions.suppressed import hold_locked, release_locked
from cases.actors import Actor
from cases.choices import AlertStatus, Determination, RepeatRule
from cases.ingest import asset_rows
from cases.ingest.prepare import Row, Rules
from cases.ingest.store import observable_ids
from cases.ingest.verdicts import is_closed
from cases.models import Alert, AlertObservable, AlertPayload
from soar.lib.readers import silence

QUIET = timedelta(hours=24)


def wants_new(alert: Alert, rules: Rules) -> bool:
    """Whether the repeat of this resolved alert is a new alert by the source's rule."""
    return alert.status == AlertStatus.RESOLVED and rules.repeat_rule == RepeatRule.NEW


def hand_over_key(alert: Alert) -> None:
    """The alert gives its key to a newer one. What it was is still shown (``dedup_key``)."""
    Alert.objects.filter(pk=alert.pk).update(key_digest=None)


def repeat(alert: Alert, row: Row, rules: Rules, now: datetime) -> Alert:
    """Count a repeat of a locked alert, keep its payload, reopen it if the rule says so. Never re-runs
    playbooks unless it reopened: only ``alert.reopened`` has readers."""
    rows = Alert.objects.filter(pk=alert.pk)
    rows.update(count=F("count") + row.count, last_seen=Greatest("last_seen", row.last_seen), updated_at=now)
    alert.refresh_from_db(fields=["count", "last_seen", "updated_at"])
    AlertPayload.objects.filter(alert=alert).update(latest_body=row.latest or row.body, latest_at=now)
    actor = Actor.source(rules.source_name, rules.source_id)
    _link_new(alert, row)
    if row.assets:
        asset_rows.link_new(alert, row, now)
    _state(alert, row, actor)
    closed = row.alert.closed or is_closed(row.alert.source_state)
    if alert.status == AlertStatus.RESOLVED:
        if not closed and _reopens(alert, rules, now):
            _reopen(actor, alert, row)
    elif _closes(row, rules):
        _close(actor, alert, row, rules)
    elif alert.suppression_id and not row.hold:
        release_locked(actor, alert)  # the rule that held it back is over: it is news now
    return alert


def _reopen(actor: Actor, alert: Alert, row: Row) -> None:
    """Into the queue, which starts playbooks; or, where a rule meets the repeat, open but held back, which starts none.
    What is in an incident is somebody's work and is not held back."""
    said = f"Seen again, {alert.count} times in all"
    if not row.hold or alert.incident_id:
        if alert.suppression_id:
            alert.suppression = None
            save(alert, "suppression")
        reopen_locked(actor, alert, None, said)
        return
    with silence():
        reopen_locked(actor, alert, None, said)
        hold_locked(actor, alert, row.hold)


def source_state(alert: Alert, row: Row, rules: Rules) -> Alert:
    """A delivery that only tells the state at the source: noted, and, where the source is set so, the alert
    is resolved with the determination that the admin chose for it (ingest-and-api.md 2)."""
    actor = Actor.source(rules.source_name, rules.source_id)
    _state(alert, row, actor)
    if rules.close_on_resolved and alert.status != AlertStatus.RESOLVED:
        verdict = Determination(rules.resolved_determination or Determination.BENIGN)
        return resolve_locked(actor, alert, verdict, findings_of(verdict, ""), "Resolved at its source")
    return alert


def update(rules: Rules, row: Row, known: int | None, now: datetime) -> int | None:
    """What the source changed at an alert that is stored and that it still holds: new objects, its state. It counts no
    repeat and reopens nothing; closed there, the alert is resolved here where the source is set so.

    The alert is the one of the id ``known``, whatever its key is by now; without, the one of the row's key. Returns its
    id, None if there is none. The caller's transaction."""
    rows = Alert.objects.select_for_update().filter(source_id=rules.source_id)
    alert = rows.filter(pk=known).first() if known else rows.filter(key_digest=row.digest).first()
    if alert is None:
        return None
    actor = Actor.source(rules.source_name, rules.source_id)
    AlertPayload.objects.filter(alert=alert).update(latest_body=row.body, latest_at=now)
    _link_new(alert, row)
    if row.assets:
        asset_rows.link_new(alert, row, now)
    _state(alert, row, actor)
    if alert.status != AlertStatus.RESOLVED and _closes(row, rules):
        _close(actor, alert, row, rules)
    return alert.pk


def _closes(row: Row, rules: Rules) -> bool:
    """Whether the source says that it is resolved, and an admin wants that to count here."""
    return rules.close_on_resolved and is_closed(row.alert.source_state)


def _close(actor: Actor, alert: Alert, row: Row, rules: Rules) -> Alert:
    verdict = Determination(row.determination or rules.resolved_determination or Determination.BENIGN)
    return resolve_locked(actor, alert, verdict, findings_of(verdict, ""), "Resolved at its source")


def _reopens(alert: Alert, rules: Rules, now: datetime) -> bool:
    if rules.repeat_rule == RepeatRule.AUTO:
        calm = alert.determination == Determination.BENIGN or alert.resolved_by_playbook
        return not (calm and alert.resolved_at and now - alert.resolved_at < QUIET)
    return rules.repeat_rule == RepeatRule.REOPEN


def _state(alert: Alert, row: Row, actor: Actor) -> None:
    new = row.alert.source_state
    if new and new != alert.source_state:
        data = {"field": "source_state", "old": alert.source_state, "new": new}
        alert.source_state = new
        timeline.record("alert.source_state", alert, actor, data=data)
        save(alert, "source_state")


def _link_new(alert: Alert, row: Row) -> None:
    """Observables that the first delivery did not have."""
    have = set(alert.observable_links.values_list("observable__type", "observable__value"))
    new = [one for one in row.observables if (one.type, one.value) not in have][: max(0, 500 - len(have))]
    if not new:
        return
    row.observables = new
    ids = observable_ids([row])
    AlertObservable.objects.bulk_create(
        [
            AlertObservable(
                alert=alert, observable_id=ids[one.type, one.value], role=one.role[:30], highlighted=one.highlighted
            )
            for one in new
        ],
        ignore_conflicts=True,
    )
    Alert.objects.filter(pk=alert.pk).update(observable_count=alert.observable_links.count())
