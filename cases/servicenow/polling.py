"""Reading what changed at an instance: nothing is skipped, nothing is taken twice (servicenow.md 5, reference B5.4).

``read_until`` is a time of ServiceNow's own clock. Each reading begins a while before it; what comes again by that is
known by its count of changes. It moves once everything before it is dealt with."""

from __future__ import annotations

import logging
import uuid
from datetime import datetime, timedelta
from itertools import chain

from django.db import connection, transaction
from django.db.models.functions import Least, Now

from cases import leases
from cases.models import LinkState, ServiceNowInstance, TicketLink, TicketProfile
from cases.servicenow import adopted, correlation, health, holding, missing, naming, reconciling, remote
from cases.servicenow.mapping import RAW_FIELDS, ProfileRules
from cases.servicenow.taking import OVERLAP, parts, take, take_files
from soar.connectors.errors import ConnectorError
from soar.connectors.servicenow.connector import ServiceNow
from soar.connectors.servicenow.records import Record
from soar.lib import clock
from soar.lib.queue import enqueue, enqueue_many

logger = logging.getLogger(__name__)
TASK = "cases.tasks.servicenow_poll"
QUEUED = "SELECT EXISTS (SELECT 1 FROM soar_queue WHERE task = %s AND args = %s::jsonb AND started_at IS NULL)"
TOGETHER = 100
FIRST = timedelta(minutes=10)  # before the oldest link, where the first reading begins


class LostLease(Exception):
    """Somebody else reads this instance by now."""


@transaction.atomic
def ring_due() -> None:
    """Queue the instances that are to be read. Scheduled every few seconds."""
    now = clock.now()
    rows = ServiceNowInstance.objects.select_for_update(of=("self",), skip_locked=True)
    due = list(rows.filter(due_at__lte=now, in_paused=False, account__enabled=True).only("pk", "every_seconds")[:100])
    for row in due:
        row.due_at = now + timedelta(seconds=row.every_seconds)
    ServiceNowInstance.objects.bulk_update(due, ["due_at"])
    enqueue_many((TASK, (row.pk,)) for row in due)


@transaction.atomic
def hurry(instance_id: int) -> bool:
    """Have the instance read now. At most one poll waits in the queue, however many events come; returns whether this
    call has put it there. One that is under way already may have read before the change: then another one waits."""
    rows = ServiceNowInstance.objects.filter(pk=instance_id)
    # The lock of this row lets those that come at once look into the queue one after the other.
    if not rows.update(heard_at=Now(), due_at=Least("due_at", Now())) or rows.filter(in_paused=True).exists():
        return False
    with connection.cursor() as cursor:
        cursor.execute(QUEUED, [TASK, f"[{instance_id}]"])
        if cursor.fetchone()[0]:
            return False
    enqueue(TASK, instance_id)
    return True


def poll(pk: int) -> None:
    """Read one instance, if nobody else does so. What goes wrong is kept with it."""
    now = clock.now()
    row = ServiceNowInstance.objects.filter(pk=pk, in_paused=False).first()
    if row is None:
        return
    due = now + timedelta(seconds=row.every_seconds)
    lease = holding.take(ServiceNowInstance.objects.filter(pk=pk, in_paused=False), due_at=due)
    if lease is None:
        # Whoever reads now may have read before the change that this call is about.
        ServiceNowInstance.objects.filter(pk=pk).update(due_at=now)
        return
    try:
        with holding.Held(ServiceNowInstance, pk, lease):
            _poll(row, lease)
    except ConnectorError as error:
        leases.end(
            ServiceNowInstance, pk, lease,
            in_failures=row.in_failures + 1, in_error=error.message[:1000], in_error_at=clock.now(),
            due_at=health.in_pause(row, error),
        )  # fmt: skip
        return
    except LostLease:
        logger.info("ServiceNow instance %s is read by somebody else", row)
        return
    except BaseException:
        leases.end(ServiceNowInstance, pk, lease)
        raise
    leases.end(ServiceNowInstance, pk, lease, in_failures=0, in_error="", in_error_at=None, in_ok_at=clock.now())
    # Somebody has hurried it meanwhile.
    if ServiceNowInstance.objects.filter(pk=pk, due_at__lte=clock.now()).exists():
        enqueue(TASK, pk)


def _poll(row: ServiceNowInstance, lease: uuid.UUID) -> None:
    connector = remote.connector_of(row)
    since, read_at = _since(row), clock.now()
    if since is None:
        return
    late: list[datetime] = []
    newest = row.read_until
    started = read_at + timedelta(seconds=row.skew_seconds)  # by their clock
    for table in tables_of(row):
        others, seen_until = adopted.changed(row, table, connector, since)
        if seen_until is not None:
            # All of the table was looked at up to there: nobody has to look at that again.
            newest = max([min(seen_until, started), *([newest] if newest else [])])
        changed = connector.changed(table, prefix=correlation.prefix(row.installation), since=since, fields=RAW_FIELDS)
        for records in parts(chain(changed, others), TOGETHER):
            _keep(row, lease)
            late += [record.updated_on for record in _twice(row, table, records, connector, read_at)]
            own = [record.updated_on for record in records if record.updated_on >= since]
            newest = max([*own, *([newest] if newest else [])], default=newest)
        _new_files(row, table, since, connector)
    naming.name_gaps(row, connector)
    remote.measure(row, connector)
    if newest is not None:
        reached = min([newest, *late])
        ServiceNowInstance.objects.filter(pk=row.pk, lease=lease).update(read_until=reached)
    left = row.reconcile_at - clock.now()
    if left <= timedelta() or missing.fewer(row, connector, reconciling.EVERY - left):
        reconciling.reconcile(row, connector, lambda: _keep(row, lease))


def tables_of(row: ServiceNowInstance) -> list[str]:
    """The tables in which the instance has tickets of ours."""
    links = TicketLink.objects.filter(instance=row, state=LinkState.LINKED)
    return list(links.order_by("table").values_list("table", flat=True).distinct())


def _since(row: ServiceNowInstance) -> datetime | None:
    """Where the reading begins, by their clock; None while there is nothing to read."""
    if row.read_until is not None:
        return row.read_until - OVERLAP
    oldest = TicketLink.objects.filter(instance=row).order_by("created_at").values_list("created_at", flat=True).first()
    return oldest + timedelta(seconds=row.skew_seconds) - FIRST if oldest else None


def _new_files(row: ServiceNowInstance, table: str, since: datetime, connector: ServiceNow) -> None:
    profiles = TicketProfile.objects.filter(instance=row, table=table)
    if any(ProfileRules.of(profile).takes("evidence") for profile in profiles):
        for ids in parts(remote.new_files(connector, table, since), TOGETHER):
            take_files(row, table, ids, connector)


def _twice(
    row: ServiceNowInstance, table: str, records: tuple[Record, ...], connector: ServiceNow, read_at: datetime
) -> list[Record]:
    """Take them; those at whose links somebody was at work, once more. Returns those that are still not done."""
    busy = take(row, table, records, connector, read_at=read_at)
    return take(row, table, busy, connector, read_at=read_at) if busy else []


def _keep(row: ServiceNowInstance, lease: uuid.UUID) -> None:
    if not holding.keep(ServiceNowInstance, row.pk, lease):
        raise LostLease
