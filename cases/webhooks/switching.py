"""Soar itself switches an endpoint off: its owner lost the rights, it said 410, or it has failed for days."""

from __future__ import annotations

from django.db import transaction

from cases.models import DeliveryState, WebhookDelivery, WebhookEndpoint
from cases.models.webhook import OPEN_DELIVERIES
from cases.webhooks import telling
from soar.accounts import audit
from soar.lib import clock
from soar.lib.queue import enqueue


@transaction.atomic
def switch_off(pk: int, reason: str) -> None:
    """Switch it off with a note and a mail; what waits for it failed, and can be replayed. Twice changes nothing."""
    endpoint = WebhookEndpoint.objects.select_for_update(of=("self",)).filter(pk=pk, enabled=True).first()
    if endpoint is None:
        return
    endpoint.enabled, endpoint.off_reason = False, reason
    endpoint.version += 1
    endpoint.updated_at = clock.now()
    endpoint.save(update_fields=["enabled", "off_reason", "version", "updated_at"])
    end_open(endpoint, reason)
    audit.record(None, "webhook.switched_off", f"webhook {pk} {endpoint.name}", reason=reason)
    enqueue(telling.TASK, endpoint.pk, endpoint.version)


def end_open(endpoint: WebhookEndpoint, said: str) -> None:
    """What waits for it has failed. The caller's transaction."""
    rows = WebhookDelivery.objects.filter(endpoint=endpoint, state__in=OPEN_DELIVERIES)
    rows.update(state=DeliveryState.FAILED, said=said, finished_at=clock.now())
