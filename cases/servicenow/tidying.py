"""Rows that the sync leaves behind all day long, and that nobody asks for after a while."""

from __future__ import annotations

from datetime import timedelta

from cases.models import ChangeState, ServiceNowInstance, TicketChange
from soar.connectors.models import Attempt
from soar.lib import clock

READS = (
    "record.read",
    "records.read",
    "records.changed",
    "records.count",
    "audit.read",
    "record.find",
    "journal.read",
    "zone.read",
)
CALLS = timedelta(days=1)
CHANGES = timedelta(days=90)


def tidy() -> None:
    """Delete good calls that only read after a day, and after three months what was sent. Notes are kept: by their
    rows our own are known again. Scheduled every hour."""
    now = clock.now()
    accounts = list(ServiceNowInstance.objects.values_list("account", flat=True))
    calls = Attempt.objects.filter(account__in=accounts, operation__in=READS, status="successful")
    calls.filter(started_at__lt=now - CALLS).delete()
    done = TicketChange.objects.filter(state=ChangeState.DONE, finished_at__lt=now - CHANGES)
    done.exclude(kind="note").delete()
