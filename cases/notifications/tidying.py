"""What is over: lines of inboxes that are old, with what was sent of them."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings

from cases.models import Notification, Watch
from soar.lib import clock

AT_ONCE = 5_000


def tidy() -> int:
    """Delete lines in which nothing was added for NOTIFICATION_DAYS, read or not, and mutes whose time is over. Returns
    how many lines. Scheduled every hour."""
    now = clock.now()
    Watch.objects.filter(until__lte=now).delete()
    old = Notification.objects.filter(at__lt=now - timedelta(days=settings.NOTIFICATION_DAYS))
    ids = list(old.order_by("at").values_list("pk", flat=True)[:AT_ONCE])
    Notification.objects.filter(pk__in=ids).delete()
    return len(ids)
