"""What outgoing webhooks leave behind: old deliveries with their bodies, and secrets that were replaced."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings

from cases.models import WebhookDelivery, WebhookEndpoint
from soar.lib import clock

AT_ONCE = 10_000


def tidy() -> int:
    """Delete deliveries that were over WEBHOOK_DAYS ago, and secrets whose time is over. Returns how many deliveries.
    Scheduled every hour."""
    now = clock.now()
    WebhookEndpoint.objects.filter(old_until__lte=now).update(old_secret="", old_until=None)
    old = WebhookDelivery.objects.filter(finished_at__lt=now - timedelta(days=settings.WEBHOOK_DAYS))
    ids = list(old.order_by("finished_at").values_list("pk", flat=True)[:AT_ONCE])
    WebhookDelivery.objects.filter(pk__in=ids).delete()
    return len(ids)
