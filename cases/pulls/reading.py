"""Reading alerts from a product: nothing is skipped, nothing is taken twice.

Each reading begins ``OVERLAP`` before the place that the last one came to, and that place moves only once everything
before it is stored. What comes again by that is known by ``PulledAlert``, one row for each alert of the product,
written in the transaction that stores the alert."""

from __future__ import annotations

import json
import logging
import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.db import transaction

from cases.ingest import counters, repeats
from cases.ingest.pipeline import receive, rules_of
from cases.ingest.prepare import Rules
from cases.ingest.reading import Unreadable
from cases.models import AlertPull, PulledAlert
from cases.pulls import leases
from soar.connectors import registry
from soar.connectors.desk import AlertDesk
from soar.connectors.errors import ConnectorError
from soar.lib import clock
from soar.lib.queue import enqueue_many

logger = logging.getLogger(__name__)
OVERLAP = timedelta(minutes=15)
STEP = timedelta(hours=24)  # read at once at most, after a long silence
LONGEST_PAUSE = timedelta(minutes=15)  # between two tries while it fails
TASK = "cases.tasks.pull"


class LostLease(Exception):
    """Somebody else reads this source by now."""


def ring() -> None:
    """Queue what is due. Scheduled every few seconds."""
    now = clock.now()
    with transaction.atomic():
        due = AlertPull.objects.select_for_update(skip_locked=True).filter(
            enabled=True, source__enabled=True, due_at__lte=now
        )
        rows = list(due.only("pk", "every_seconds")[:100])
        for row in rows:
            row.due_at = now + timedelta(seconds=row.every_seconds)
        AlertPull.objects.bulk_update(rows, ["due_at"])
        enqueue_many((TASK, (row.pk,)) for row in rows)


def pull(pk: int) -> None:
    """Read one source up to now, if nobody else does so. What goes wrong is kept with the source."""
    lease = leases.take(AlertPull.objects.filter(pk=pk, enabled=True, source__enabled=True))
    if lease is None:
        return
    row = AlertPull.objects.select_related("source", "account").get(pk=pk)
    try:
        desk = desk_of(row)
        while _step(row, desk, lease):
            pass
    except ConnectorError as error:
        _failed(row, lease, error)
    except LostLease:
        logger.info("The reading of source %s is done by somebody else", row.source_id)
    except BaseException:
        leases.end(AlertPull, pk, lease)
        raise
    else:
        leases.end(AlertPull, pk, lease, failures=0, last_error="", last_ok_at=clock.now())


def desk_of(row: AlertPull) -> AlertDesk:
    """The connector that a source is read with. Raises ConnectorError when there is none that can."""
    if row.account is None:
        raise ConnectorError("The connector that it was read with is gone. Choose another one.", permanent=True)
    if not row.account.enabled:
        raise ConnectorError(f"The connector {row.account.name} is disabled.", permanent=True)
    connector = registry.of(row.account)
    if not isinstance(connector, AlertDesk):
        raise ConnectorError(f"The connector {row.account.name} keeps no alerts.", permanent=True)
    return connector


def _step(row: AlertPull, desk: AlertDesk, lease: uuid.UUID) -> bool:
    """Read the next part and move on. Returns whether there is more to read before now."""
    now = clock.now()
    begin = row.read_until or now - timedelta(hours=row.look_back_hours)
    end = min(begin + STEP, now)
    start = min(begin, end) - OVERLAP if row.read_until else begin
    for page in desk.alert_pages(start, end):
        if not leases.keep(AlertPull, row.pk, lease):
            raise LostLease
        _page(row, page, desk.identify)
    # By the product's clock, if ours is ahead of it: what it makes now would bear a time that was read already.
    reached = max(begin, min(end, desk.server_time or end))
    row.read_until = reached
    if not AlertPull.objects.filter(pk=row.pk, lease=lease).update(read_until=reached):
        raise LostLease
    return end < now and reached > begin


def _page(row: AlertPull, page: list[dict[str, Any]], identify: Callable[[dict[str, Any]], tuple[str, str]]) -> None:
    named = [(identify(item), item) for item in page]
    ids = [identity for (identity, _), _ in named]
    known = dict(PulledAlert.objects.filter(source=row.source, remote_id__in=ids).values_list("remote_id", "changed"))
    rules = rules_of(row.source)
    for (identity, changed), item in named:
        if identity and known.get(identity) != changed:
            _count(row.source_id, take(rules, identity, changed, item))


def take(rules: Rules, identity: str, changed: str, item: dict[str, Any]) -> str:
    """Store an alert that was made or changed at its product. One transaction.

    Returns "" for a new one, "known" for one that was there, else why it was refused."""
    body = json.dumps(item)
    with transaction.atomic():
        seen, fresh = PulledAlert.objects.select_for_update().get_or_create(
            source_id=rules.source_id, remote_id=identity, defaults={"changed": changed}
        )
        if not fresh and not newer(changed, seen.changed):
            return "known"
        said = "known"
        alert = repeats.update(rules, item, body, clock.now())
        if alert is None and fresh:  # one that was seen and is gone was purged: it does not come again
            alert, said = _made(rules, body)
        seen.changed, seen.alert_id = changed, alert
        seen.save(update_fields=["changed", "alert"])
    return said


def newer(one: str, other: str) -> bool:
    """Whether the first change (AlertDesk.identify) comes after the other; at the same time any other one does."""
    first, second = clock.moment_of(one.partition(" ")[0]), clock.moment_of(other.partition(" ")[0])
    if first is None or second is None or first == second:
        return one != other
    return first > second


def _made(rules: Rules, body: str) -> tuple[int | None, str]:
    try:
        outcomes, _several = receive(rules, body.encode(), "application/json")
    except Unreadable as error:
        return None, error.message
    return outcomes[0].id, outcomes[0].detail


def _count(source_id: int, said: str) -> None:
    if said == "known":
        return
    if said:
        counters.note(source_id, refused=1, error=said)
    else:
        counters.note(source_id, accepted=1)


def _failed(row: AlertPull, lease: uuid.UUID, error: ConnectorError) -> None:
    now = clock.now()
    pause = min(timedelta(seconds=row.every_seconds * 2 ** min(row.failures, 6)), LONGEST_PAUSE)
    asked = timedelta(seconds=error.retry_after or 0)
    leases.end(
        AlertPull,
        row.pk,
        lease,
        failures=row.failures + 1,
        last_error=error.message[:1000],
        last_error_at=now,
        due_at=now + max(pause, min(asked, LONGEST_PAUSE)),
    )
