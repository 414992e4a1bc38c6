"""Reading alerts from a product: nothing is skipped, nothing is taken twice.

A reader (soar.connectors.reader) gives pages, and with some of them the place to go on from. The place is kept only
once everything before it is stored; a crash in between reads a page again. What comes again is known by
``PulledAlert``, one row for each alert of the product, written in the transaction that stores the alert."""

from __future__ import annotations

import json
import logging
import uuid
from datetime import timedelta

from django.db import transaction

from cases.ingest import counters, dead_letters, repeats
from cases.ingest.dead_letters import Delivery, Refused
from cases.ingest.pipeline import receive, rules_of
from cases.ingest.prepare import Rules
from cases.ingest.reading import Unreadable
from cases.models import AlertPull, PulledAlert
from cases.pulls import leases
from cases.pulls.connecting import reader_of
from cases.pulls.mailing import mail_of
from soar.connectors.errors import ConnectorError
from soar.connectors.reader import AlertReader, Item, Place
from soar.lib import clock
from soar.lib.queue import enqueue_many

logger = logging.getLogger(__name__)
LONGEST_PAUSE = timedelta(minutes=15)  # between two tries while it fails
TASK = "cases.tasks.pull"
JSON = "application/json"


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
    except BaseException:
        leases.end(AlertPull, pk, lease)
        raise
    else:
        leases.end(AlertPull, pk, lease, failures=0, last_error="", last_ok_at=clock.now())


def _read(row: AlertPull, reader: AlertReader, lease: uuid.UUID) -> None:
    """All that there is by now. Raises ConnectorError, LostLease."""
    subject = reader.subject()[:300]
    first = clock.now() - timedelta(hours=row.look_back_hours)
    for page in reader.read(_place(row, subject), first):
        if not leases.keep(AlertPull, row.pk, lease):
            raise LostLease
        _store(row, page.items)
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


def _store(row: AlertPull, items: list[Item]) -> None:
    ids = [item.identity for item in items]
    known = dict(PulledAlert.objects.filter(source=row.source, remote_id__in=ids).values_list("remote_id", "changed"))
    rules = rules_of(row.source)
    for item in items:
        if item.identity and known.get(item.identity) != item.changed and take(rules, item):
            counters.note(row.source_id, accepted=1)


def take(rules: Rules, item: Item) -> bool:
    """Store an alert that was made or changed at its product. One transaction, in which what cannot be read becomes a
    dead letter: no crash in between can lose it. Returns True for an alert that was taken for the first time."""
    body, taken = json.dumps(item.payload), False
    with transaction.atomic():
        seen, fresh = PulledAlert.objects.select_for_update().get_or_create(
            source_id=rules.source_id, remote_id=item.identity, defaults={"changed": item.changed}
        )
        if not fresh and not newer(item.changed, seen.changed):
            return False
        alert = None if item.files else repeats.update(rules, item.payload, body, clock.now())
        if alert is None and fresh:  # one that was seen and is gone was purged: it does not come again
            alert, taken = _made(rules, *(mail_of(item) if item.files else (body.encode(), JSON)))
        seen.changed, seen.alert_id = item.changed, alert
        seen.save(update_fields=["changed", "alert"])
    return taken


def newer(one: str, other: str) -> bool:
    """Whether the first change (Item.changed) comes after the other; at the same time any other one does."""
    first, second = clock.moment_of(one.partition(" ")[0]), clock.moment_of(other.partition(" ")[0])
    if first is None or second is None or first == second:
        return one != other
    return first > second


def _made(rules: Rules, raw: bytes, content_type: str) -> tuple[int | None, bool]:
    """The alert that a body became, or was counted at, and whether it could be read."""
    try:
        first = receive(rules, raw, content_type)[0][0]
    except Unreadable as error:
        return None, _refused(rules.source_id, Refused(error.status, error.message, raw, len(raw)), content_type)
    if first.detail:
        return first.id, _refused(rules.source_id, Refused(first.status, first.detail, raw, len(raw)), content_type)
    return first.id, True


def _refused(source_id: int, letter: Refused, content_type: str) -> bool:
    counters.note(source_id, refused=1, error=letter.error)
    dead_letters.keep(source_id, Delivery(content_type=content_type.partition(";")[0]), [letter])
    return False


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
