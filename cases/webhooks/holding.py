"""One worker at a time for an endpoint, and slow endpoints never have all workers."""

from __future__ import annotations

import uuid
from datetime import timedelta

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Q
from django.db.models.functions import Now

from cases import leases
from cases.models import WebhookEndpoint
from soar.lib import clock

SPARE = 45.0  # seconds of a lease beyond the longest call
SLOW = 1000  # milliseconds of the last call
SLOTS_LOCK = 0x77656268  # of pg_advisory_xact_lock: so that two slow ones are not counted at the same moment


def take(pk: int) -> uuid.UUID | None:
    """Lease the endpoint. None if it is off, pausing, held by another worker, or slow while as many slow ones are
    being sent to as may be: half of the workers, so that the others are never held up."""
    now, lease = clock.now(), uuid.uuid4()
    ready = Q(resume_at=None) | Q(resume_at__lte=now)
    rows = WebhookEndpoint.objects.filter(leases.free(), ready, pk=pk, enabled=True)
    with transaction.atomic():
        if rows.filter(last_ms__gt=SLOW).exists() and not _slot():
            return None
        return lease if rows.update(lease=lease, leased_until=Now() + span()) == 1 else None


def keep(pk: int, lease: uuid.UUID, version: int) -> WebhookEndpoint | None:
    """Hold it for one more call. The endpoint with its owner as they are now; None if it is held by somebody else by
    now, was switched off or changed, or is to be left alone for a while."""
    now = clock.now()
    ready = Q(resume_at=None) | Q(resume_at__lte=now)
    rows = WebhookEndpoint.objects.filter(ready, pk=pk, lease=lease, version=version, enabled=True)
    if rows.update(leased_until=Now() + span()) != 1:
        return None
    return WebhookEndpoint.objects.select_related("owner").filter(pk=pk).first()


def let_go(pk: int, lease: uuid.UUID) -> None:
    """End the lease, if it is still ours."""
    WebhookEndpoint.objects.filter(pk=pk, lease=lease).update(lease=None, leased_until=None)


def span() -> timedelta:
    """How long a lease lasts: a worker that was killed is replaced after it."""
    return timedelta(seconds=settings.WEBHOOK_SECONDS + SPARE)


def _slot() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [SLOTS_LOCK])
    busy = WebhookEndpoint.objects.filter(leased_until__gt=Now(), last_ms__gt=SLOW).count()
    return busy < max(1, settings.TASK_WORKERS // 2)
