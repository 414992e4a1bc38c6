"""Sending what waits for an endpoint, by one worker at a time, at least once and always under the same ``webhook-id``.

The attempt is written before the call. A worker that is killed leaves a delivery that is due again when its lease has
run out. No transaction is open during a call."""

from __future__ import annotations

import time
from uuid import UUID

from cases.models import DeliveryState, TimelineEntry, WebhookDelivery, WebhookEndpoint
from cases.models.webhook import OPEN_DELIVERIES
from cases.timeline_read import tell_all
from cases.webhooks import calling, choosing, holding, payload, settling
from cases.webhooks.ringing import ring, ring_due
from cases.webhooks.switching import switch_off
from soar.lib import clock
from soar.lib.context import caused_by
from soar.lib.http import Client

__all__ = ["ring_due", "work"]

BUDGET = 10.0  # seconds for one endpoint, then it is another one's turn
NO_OWNER = "The account that it is sent with is off, or may no longer manage connectors and see cases."
NOT_SEEN = "Not sent: the account that it is sent with does not see it any more."
NO_ENTRY = "What it is about was deleted."


def work(pk: int) -> None:
    """Send what is due for an endpoint, the oldest first, if no other worker is at it."""
    lease = holding.take(pk)
    if lease is None:
        return
    try:
        _turn(pk, lease)
    finally:
        holding.let_go(pk, lease)
    if _next(pk) is not None:
        ring(pk)  # who is pausing is not taken then; the scheduled look rings later


def _turn(pk: int, lease: UUID) -> None:
    endpoint = WebhookEndpoint.objects.filter(pk=pk).first()
    if endpoint is None:
        return
    until = time.monotonic() + BUDGET
    with calling.client_of(endpoint) as client:
        while time.monotonic() < until:
            fresh, delivery = holding.keep(pk, lease, endpoint.version), _next(pk)
            if fresh is None or delivery is None or not _one(client, fresh, delivery):
                return


def _next(pk: int) -> WebhookDelivery | None:
    rows = WebhookDelivery.objects.filter(endpoint=pk, state__in=OPEN_DELIVERIES, due_at__lte=clock.now())
    return rows.select_related("alert__team", "alert__source", "incident__team").order_by("due_at", "pk").first()


def _one(client: Client, endpoint: WebhookEndpoint, delivery: WebhookDelivery) -> bool:
    """Send one. False when the endpoint's turn is over."""
    subject = delivery.alert or delivery.incident
    with caused_by(subject.cause if subject else ""):
        return _sent(client, endpoint, delivery)


def _sent(client: Client, endpoint: WebhookEndpoint, delivery: WebhookDelivery) -> bool:
    if not choosing.may_own(endpoint.owner):
        switch_off(endpoint.pk, NO_OWNER)
        return False
    if why_not := _why_not(endpoint, delivery):
        settling.withhold(delivery, why_not)
        return True
    if not delivery.body and not _write_body(endpoint, delivery):
        settling.withhold(delivery, NO_ENTRY)
        return True
    attempt = settling.begin(delivery, holding.span())
    outcome = calling.call(client, endpoint, delivery.event, delivery.body)
    settling.settle(endpoint, delivery, attempt, outcome)
    return outcome.milliseconds <= holding.SLOW


def _why_not(endpoint: WebhookEndpoint, delivery: WebhookDelivery) -> str:
    """Asked again for each try: rights and TLP may be others than when it was written down."""
    subject = delivery.alert or delivery.incident
    if subject is None:
        return ""
    if not choosing.visible(endpoint.owner, [subject]):
        return NOT_SEEN
    return choosing.withheld(endpoint, subject)


def _write_body(endpoint: WebhookEndpoint, delivery: WebhookDelivery) -> bool:
    """The body of one that was withheld before; False where its entry is gone."""
    entry = TimelineEntry.objects.filter(pk=delivery.entry).first()
    subject = delivery.alert or delivery.incident
    if entry is None or subject is None:
        return False
    tell_all(endpoint.owner, [entry])
    delivery.body = payload.of_entry(entry, subject)
    rows = WebhookDelivery.objects.filter(pk=delivery.pk, state__in=OPEN_DELIVERIES)
    return rows.update(body=delivery.body, state=DeliveryState.WAITING) == 1
