"""Reading alerts from a product: nothing is skipped, nothing is taken twice.

A reader (soar.connectors.reader) gives pages, and with some of them the place to go on from. The place is kept only
once everything before it is stored; a crash in between reads a page again. What comes again is known by
``PulledAlert``, one row for each alert of the product, written in the transaction that stores the alert."""

from __future__ import annotations

import logging
import uuid
from datetime import timedelta

from django.db import transaction

from cases import leases
from cases.ingest import counters
from cases.ingest.pipeline import rules_of
from cases.models import AlertPull, AlertSource, PulledAlert
from cases.pulls.connecting import reader_of
from cases.pulls.taking import take
from soar.connectors.errors import ConnectorError
from soar.connectors.reader import AlertReader, Item, Place
from soar.lib import clock
from soar.lib.database import AWAY
from soar.lib.queue import enqueue_many

logger = logging.getLogger(__name__)
LONGEST_PAUSE = timedelta(minutes=15)  # between two tries while it fails
TASK = "cases.tasks.pull"
OURS = "Something went wrong here while it was read; it is in the log. It is read again from the last place."


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
        _read(row, reader_of(row), lease)
    except ConnectorError as error:
        _failed(row, lease, error)
    except LostLease:
        logger.info("The reading of source %s is done by somebody else", row.source_id)
    except BaseException as error:
        if isinstance(error, AWAY) or not isinstance(error, Exception):
            leases.end(AlertPull, pk, lease)
            raise
        logger.exception("The reading of source %s failed", row.source_id)
        _failed(row, lease, ConnectorError(OURS, permanent=False))
    else:
        leases.end(AlertPull, pk, lease, failures=0, last_error="", last_ok_at=clock.now())


def _read(row: AlertPull, reader: AlertReader, lease: uuid.UUID) -> None:
    """All that there is by now. Raises ConnectorError, LostLease."""
    subject = reader.subject()[:300]
    first = clock.now() - timedelta(hours=row.look_back_hours)
    for page in reader.read(_place(row, subject), first):
        if not leases.keep(AlertPull, row.pk, lease):
            raise LostLease
        source = AlertSource.objects.filter(enabled=True, pull__pk=row.pk, pull__enabled=True).first()
        if source is None:  # somebody has switched it off meanwhile
            return
        _store(source, page.items)
        if page.place is not None:
            _come_to(row, page.place, subject, lease)


def _place(row: AlertPull, subject: str) -> Place | None:
    """Where to go on; None to begin anew: at first, and when something else is read since."""
    same = row.subject in ("", subject)
    return Place(row.read_until, row.mark) if same and (row.read_until or row.mark) else None


def _come_to(row: AlertPull, place: Place, subject: str, lease: uuid.UUID) -> None:
    rows = AlertPull.objects.filter(pk=row.pk, lease=lease)
    if not rows.update(read_until=place.until, mark=place.mark, subject=subject):
        raise LostLease


def _store(source: AlertSource, items: list[Item]) -> None:
    ids = [item.identity for item in items]
    known = dict(PulledAlert.objects.filter(source=source, remote_id__in=ids).values_list("remote_id", "changed"))
    rules = rules_of(source)
    for item in items:
        if item.identity and known.get(item.identity) != item.changed and take(rules, item):
            counters.note(source.pk, accepted=1)


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
