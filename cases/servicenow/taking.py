"""Looking at tickets that changed: their values, notes and files come to their incidents (servicenow.md 5)."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import TypeVar

from django.db import OperationalError, transaction

from cases import leases
from cases.models import ServiceNowInstance, TicketLink
from cases.servicenow import holding, noting, outbox
from cases.servicenow.agreeing import Wanted, agree
from cases.servicenow.case import state_of
from cases.servicenow.history import touches
from cases.servicenow.mapping import RAW_FIELDS, ProfileRules
from cases.servicenow.people import with_people
from soar.connectors.errors import ConnectorError
from soar.connectors.servicenow.connector import ServiceNow
from soar.connectors.servicenow.records import Attached, JournalEntry, Record

logger = logging.getLogger(__name__)
OVERLAP = timedelta(minutes=2)
BEGINNING = datetime(2000, 1, 1, tzinfo=UTC)
T = TypeVar("T")


def parts(things: Iterable[T], size: int) -> Iterator[tuple[T, ...]]:
    """The things in parts of ``size``."""
    left = iter(things)
    while part := tuple(islice(left, size)):
        yield part


def take(
    instance: ServiceNowInstance, table: str, records: Sequence[Record], connector: ServiceNow, *, read_at: datetime
) -> list[Record]:
    """Deal with those of the records that belong to a link and were not seen as they are now. ``read_at``: when the
    reading of them began, by our clock. Returns those that have to be looked at again: somebody was at work on their
    links. Raises ConnectorError. A few queries for all that did not change."""
    by_id = {record.sys_id: record for record in records}
    rows = TicketLink.objects.filter(instance=instance, table=table, state="linked", sys_id__in=by_id)
    seen = rows.values_list("pk", "sys_id", "seen_mod_count")
    fresh = [pk for pk, sys_id, count in seen if by_id[sys_id].mod_count != count]
    if not fresh:
        return []
    links = list(TicketLink.objects.filter(pk__in=fresh).select_related("instance", "profile", "incident"))
    entries, files = _journal(links, table, connector), _files(links, table, connector)
    busy = []
    for link in links:
        record = by_id[link.sys_id]
        try:
            done = _take(link, record, entries[link.sys_id], files[link.sys_id], connector, read_at)
        except (ConnectorError, OperationalError):
            raise
        except Exception:  # one ticket does not keep the others from being read; it is looked at again
            logger.exception("The ticket %s of INC-%s could not be taken", link.number, link.incident_id)
            done = False
        if not done:
            busy.append(record)
    return busy


def take_files(instance: ServiceNowInstance, table: str, sys_ids: Sequence[str], connector: ServiceNow) -> None:
    """Take what hangs on these tickets, as far as they are linked and it was not taken. Raises ConnectorError."""
    rows = TicketLink.objects.filter(instance=instance, table=table, state="linked", sys_id__in=sys_ids)
    links = list(rows.select_related("instance", "profile"))
    files = _files(links, table, connector)
    for link in links:
        if files[link.sys_id]:
            noting.take_files(link, files[link.sys_id], connector)


def _journal(links: list[TicketLink], table: str, connector: ServiceNow) -> dict[str, list[JournalEntry]]:
    since = min((link.journal_until or BEGINNING for link in links), default=BEGINNING) - OVERLAP
    found = defaultdict(list)
    for entry in connector.journal(table, [link.sys_id for link in links], max(since, BEGINNING)):
        found[entry.record].append(entry)
    return found


def _files(links: list[TicketLink], table: str, connector: ServiceNow) -> dict[str, list[Attached]]:
    wanted = [link.sys_id for link in links if ProfileRules.of(link.profile).takes("evidence")]
    found = defaultdict(list)
    for one in connector.attachments(table, wanted) if wanted else []:
        found[one.record].append(one)
    return found


def _take(
    link: TicketLink,
    record: Record,
    entries: list[JournalEntry],
    files: list[Attached],
    connector: ServiceNow,
    read_at: datetime,
) -> bool:
    """One ticket. False if somebody else is at work on it."""
    lease = holding.take(TicketLink.objects.filter(pk=link.pk, state="linked"))
    if lease is None:
        return not TicketLink.objects.filter(pk=link.pk, state="linked").exists()
    try:
        with holding.Held(TicketLink, link.pk, lease):
            wanted = _compared(link, record, entries, files, connector, read_at)
    finally:
        leases.end(TicketLink, link.pk, lease)
    if wanted.values:
        with transaction.atomic():
            outbox.add(link, outbox.FIELDS)
            outbox.ring(link)
    elif link.changes.filter(state="waiting").exists():
        outbox.ring_link(link.pk)
    return True


def _compared(
    link: TicketLink,
    record: Record,
    entries: list[JournalEntry],
    files: list[Attached],
    connector: ServiceNow,
    read_at: datetime,
) -> Wanted:
    link.refresh_from_db()
    now = _now(link, record, connector, read_at)
    rules = with_people(ProfileRules.of(link.profile), connector, state_of(link.incident), now.fields)
    wanted = agree(link.pk, now, rules, touches(link, now, rules, connector), take=True, send=False)
    noting.take_notes(link.pk, entries, noting.Us.of(link, connector))
    noting.take_files(link, files, connector)
    _seen(link, record)
    return wanted


def _now(link: TicketLink, record: Record, connector: ServiceNow, read_at: datetime) -> Record:
    """The record as it is, if we have written to it since it was read: what it was before is no change of theirs. The
    link is leased, so nothing more is written meanwhile."""
    if link.last_out_at is None or link.last_out_at < read_at:
        return record
    return connector.record(link.table, link.sys_id, RAW_FIELDS) or record


def _seen(link: TicketLink, record: Record) -> None:
    """It is seen as far as it was read, even if it has changed since."""
    TicketLink.objects.filter(pk=link.pk).update(
        seen_mod_count=record.mod_count, seen_updated_on=record.updated_on, journal_until=record.updated_on
    )
