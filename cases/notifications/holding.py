"""What goes in one message: deliveries that a worker takes together, under a batch that names them in every try."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F, QuerySet

from cases.models import NoticeState, NotificationDelivery
from cases.notifications.reasons import AT_ONCE
from soar.lib import clock

OPEN = (NoticeState.WAITING, NoticeState.SENDING)
LEASE = timedelta(minutes=15)  # more than any call may take
TOGETHER_OVER = 5  # more than these at once go in one message
AT_MOST = 1000  # in one message, which lists the newest and counts the others
# Before the next try; after the last of them it has failed.
PAUSES = (60, 300, 1800, 7200, 21600)


@dataclass(frozen=True, slots=True)
class Batch:
    """Deliveries of one person by one channel. ``broken``: a worker was stopped while it was sending them."""

    key: uuid.UUID
    rows: list[NotificationDelivery]
    broken: bool

    @property
    def attempts(self) -> int:
        """How often it was begun, this time too."""
        return max(row.attempts for row in self.rows)


@transaction.atomic
def take(user: int, channel: str) -> Batch | None:
    """The next batch that is due, taken for LEASE; None when nothing is, or another worker has it."""
    now = clock.now()
    rows = _due(user, channel, now).select_for_update(of=("self",), skip_locked=True)
    first = rows.order_by("due_at", "pk").first()
    if first is None:
        return None
    found = _with(first, list(rows.order_by("pk")[:AT_MOST]))
    key = first.batch or uuid.uuid4()
    ids = [row.pk for row in found]
    NotificationDelivery.objects.filter(pk__in=ids).update(
        state=NoticeState.SENDING, batch=key, attempts=F("attempts") + 1, due_at=now + LEASE
    )
    for row in found:
        row.attempts += 1
    return Batch(key, found, broken=first.state == NoticeState.SENDING)


def _due(user: int, channel: str, now: datetime) -> QuerySet[NotificationDelivery]:
    rows = NotificationDelivery.objects.select_related("notification")
    return rows.filter(user=user, channel=channel, state__in=OPEN, due_at__lte=now)


def _with(first: NotificationDelivery, rows: list[NotificationDelivery]) -> list[NotificationDelivery]:
    """Those that go with the first: of its batch, or new ones of its kind. A few that are to be told at once go one by
    one, each under its own subject."""
    if first.batch is not None:
        return [row for row in rows if row.batch == first.batch]
    alike = [row for row in rows if row.batch is None and (row.mode == AT_ONCE) == (first.mode == AT_ONCE)]
    return alike if first.mode != AT_ONCE or len(alike) > TOGETHER_OVER else [first]


def sent(batch: Batch, said: str) -> None:
    """It went out."""
    _open(batch).update(state=NoticeState.SENT, said=said[:500], finished_at=clock.now())


def failed(batch: Batch, said: str) -> None:
    """It will not go out."""
    _open(batch).update(state=NoticeState.FAILED, said=said[:500], finished_at=clock.now())


def skip(rows: list[NotificationDelivery], said: str) -> None:
    """These need not go out."""
    found = NotificationDelivery.objects.filter(pk__in=[row.pk for row in rows], state__in=OPEN)
    found.update(state=NoticeState.SKIPPED, said=said, finished_at=clock.now())


def again(batch: Batch, said: str, wait: float, fit: Callable[[datetime], datetime]) -> None:
    """Another try after a pause, the longer the more there were, at the moment that ``fit`` makes of its end; after the
    last one it has failed."""
    if batch.attempts > len(PAUSES):
        failed(batch, said)
        return
    pause = timedelta(seconds=max(PAUSES[batch.attempts - 1], min(wait, PAUSES[-1])))
    _open(batch).update(state=NoticeState.WAITING, said=said[:500], due_at=fit(clock.now() + pause))


def _open(batch: Batch) -> QuerySet[NotificationDelivery]:
    return NotificationDelivery.objects.filter(batch=batch.key, state=NoticeState.SENDING)
