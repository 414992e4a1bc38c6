"""Bells for what is due: digests, tries after a pause, and what a stopped worker has left."""

from __future__ import annotations

from django.db import connection, transaction

from cases.models import NotificationDelivery
from cases.notifications.holding import OPEN
from cases.notifications.writing import SEND
from soar.lib import clock
from soar.lib.queue import enqueue_many

AT_ONCE = 200
# One that a worker has taken is none: the worker may have been killed.
QUEUED = "SELECT args->>0, args->>1 FROM soar_queue WHERE task = %s AND failed_at IS NULL AND ready_at <= now()"


@transaction.atomic
def ring_due() -> int:
    """Ring for each person and channel for whom something is due. Returns for how many."""
    rows = NotificationDelivery.objects.filter(state__in=OPEN, due_at__lte=clock.now())
    found = list(rows.order_by("user", "channel").values_list("user", "channel").distinct()[:AT_ONCE])
    if not found:
        return 0
    with connection.cursor() as cursor:
        cursor.execute(QUEUED, [SEND])
        queued = {(user, channel) for user, channel in cursor.fetchall()}
    wanted = [(user, channel) for user, channel in found if (str(user), channel) not in queued]
    enqueue_many((SEND, pair) for pair in wanted)
    return len(wanted)
