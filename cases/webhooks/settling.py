"""How a try ended, written down: the attempt, the delivery with its next try, the health of the endpoint."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import F

from cases.models import DeliveryState, WebhookAttempt, WebhookDelivery, WebhookEndpoint
from cases.models.webhook import OPEN_DELIVERIES
from cases.webhooks.calling import GONE, Outcome
from cases.webhooks.switching import switch_off
from soar.lib import clock

# Seconds before the next try; after the last of them it has failed. Together about two days.
PAUSES = (5, 30, 120, 600, 1800, 7200, 21600, 43200, 86400)
LONGEST = 86400.0
JITTER = 0.2
# Failures in a row after which the endpoint itself is left alone for a while, and for how long at most.
PATIENCE, REST, REST_ASKED_FOR = 3, 300.0, 3600.0


@transaction.atomic
def begin(delivery: WebhookDelivery, span: timedelta) -> WebhookAttempt:
    """Write the attempt before the call. Until ``span`` is over nobody else begins one."""
    now = clock.now()
    delivery.attempts += 1
    rows = WebhookDelivery.objects.filter(pk=delivery.pk, state__in=OPEN_DELIVERIES)
    rows.update(state=DeliveryState.SENDING, attempts=delivery.attempts, due_at=now + span)
    return WebhookAttempt.objects.create(delivery=delivery, at=now)


@transaction.atomic
def settle(endpoint: WebhookEndpoint, delivery: WebhookDelivery, attempt: WebhookAttempt, outcome: Outcome) -> None:
    """Write how it ended. What somebody decided about the delivery during the call stands."""
    now = clock.now()
    WebhookAttempt.objects.filter(pk=attempt.pk).update(
        finished_at=now, status=outcome.status, milliseconds=outcome.milliseconds, error=outcome.error
    )
    rows = WebhookDelivery.objects.filter(pk=delivery.pk)
    if outcome.taken:
        said = f"Taken ({outcome.status})."
        rows.update(state=DeliveryState.DELIVERED, said=said, finished_at=now)
        _healthy(endpoint, outcome)
        return
    rows.filter(state=DeliveryState.SENDING).update(**_again(delivery, outcome))
    _unwell(endpoint, outcome)


def withhold(delivery: WebhookDelivery, said: str) -> None:
    """It may not be sent: what it would have said goes too."""
    rows = WebhookDelivery.objects.filter(pk=delivery.pk, state__in=OPEN_DELIVERIES)
    rows.update(state=DeliveryState.WITHHELD, said=said, body="", finished_at=clock.now())


def pause(attempts: int, wait: float = 0.0) -> float | None:
    """Seconds to the next try after this many, at least ``wait``; None: there is none."""
    if attempts > len(PAUSES):
        return None
    own = PAUSES[attempts - 1] * random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311  no secret
    return min(max(own, wait), LONGEST)


def _again(delivery: WebhookDelivery, outcome: Outcome) -> dict[str, Any]:
    seconds = pause(delivery.attempts, outcome.wait)
    now = clock.now()
    if seconds is None or outcome.status == GONE:
        return {"state": DeliveryState.FAILED, "said": outcome.error, "finished_at": now}
    return {"state": DeliveryState.WAITING, "said": outcome.error, "due_at": now + timedelta(seconds=seconds)}


def _healthy(endpoint: WebhookEndpoint, outcome: Outcome) -> None:
    WebhookEndpoint.objects.filter(pk=endpoint.pk).update(
        failures=0, failing_since=None, resume_at=None, last_ok_at=clock.now(), last_ms=outcome.milliseconds
    )


def _unwell(endpoint: WebhookEndpoint, outcome: Outcome) -> None:
    now, failures = clock.now(), endpoint.failures + 1
    since = endpoint.failing_since or now
    rest = min(5.0 * 2 ** min(failures - PATIENCE, 10), REST) if failures >= PATIENCE else 0.0
    rest = max(rest, min(outcome.wait, REST_ASKED_FOR))
    WebhookEndpoint.objects.filter(pk=endpoint.pk).update(
        failures=F("failures") + 1,
        failing_since=since,
        last_failed_at=now,
        last_error=outcome.error,
        last_ms=outcome.milliseconds,
        resume_at=now + timedelta(seconds=rest) if rest else None,
    )
    if outcome.status == GONE:
        switch_off(endpoint.pk, "The receiver said that it is gone for good (410).")
    elif now - since > timedelta(days=settings.WEBHOOK_OFF_DAYS):
        switch_off(endpoint.pk, f"Every call has failed for {settings.WEBHOOK_OFF_DAYS} days: {outcome.error}")
