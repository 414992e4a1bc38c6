"""Holding an alert back from the queue, and putting it there, under the lock of the caller (ingest-and-api.md 9)."""

from __future__ import annotations

from contextlib import nullcontext

from cases import timeline
from cases.actions.base import save
from cases.actors import Actor
from cases.choices import AlertStatus
from cases.ingest.hold import Hold
from cases.models import Alert
from soar.lib.readers import silence


def hold_locked(actor: Actor, alert: Alert, hold: Hold, *, from_queue: bool = False) -> Alert:
    """Hold it back. ``from_queue``: it stood there before, so its playbooks were started already."""
    if alert.suppression_id == hold.rule:
        return alert
    alert.suppression_id = hold.rule
    timeline.record("alert.suppressed", alert, actor, data={**hold.as_data(), "from_queue": from_queue})
    save(alert, "suppression")
    return alert


def release_locked(actor: Actor, alert: Alert, reason: str = "") -> Alert:
    """Put it into the queue. That starts playbooks as its opening would have; not for what is resolved by now, nor for
    what stood in the queue before it was held back."""
    rule = alert.suppression
    if rule is None:
        return alert
    quiet = alert.status == AlertStatus.RESOLVED or _was_in_queue(alert)
    alert.suppression = None
    with silence() if quiet else nullcontext():
        timeline.record("alert.released", alert, actor, text=reason, data={"rule": rule.pk, "name": rule.name})
    save(alert, "suppression")
    return alert


def _was_in_queue(alert: Alert) -> bool:
    last = alert.timeline.filter(kind="alert.suppressed").order_by("-pk").values_list("data", flat=True).first()
    return bool(last and last.get("from_queue"))
