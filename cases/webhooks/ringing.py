"""Bells of the webhooks' worker: at once for what is new, and again for what is due or was broken off."""

from __future__ import annotations

from django.db import connection, transaction
from django.db.models import Exists, OuterRef, Q

from cases import leases
from cases.models import WebhookDelivery, WebhookEndpoint
from cases.models.webhook import OPEN_DELIVERIES
from soar.lib import clock
from soar.lib.queue import enqueue, enqueue_many

TASK = "cases.tasks.webhooks_send"
AT_ONCE = 200
# One that a worker has taken is none: the worker may have been killed.
QUEUED = "SELECT args->>0 FROM soar_queue WHERE task = %s AND failed_at IS NULL AND ready_at <= now()"


def ring(endpoint_id: int) -> None:
    """Have a worker look at the endpoint. In the caller's transaction."""
    enqueue(TASK, endpoint_id)


@transaction.atomic
def ring_due() -> int:
    """Ring for each endpoint for which something is due that no worker holds. Returns for how many."""
    now = clock.now()
    due = WebhookDelivery.objects.filter(endpoint=OuterRef("pk"), state__in=OPEN_DELIVERIES, due_at__lte=now)
    ready = Q(resume_at=None) | Q(resume_at__lte=now)
    rows = WebhookEndpoint.objects.filter(leases.free(), ready, Exists(due), enabled=True)
    found = list(rows.order_by("pk").values_list("pk", flat=True)[:AT_ONCE])
    if not found:
        return 0
    with connection.cursor() as cursor:
        cursor.execute(QUEUED, [TASK])
        queued = {str(pk) for (pk,) in cursor.fetchall()}
    wanted = [pk for pk in found if str(pk) not in queued]
    enqueue_many((TASK, (pk,)) for pk in wanted)
    return len(wanted)
