"""A slow look at every linked ticket: what no poll tells is found here, tickets that are missing or hidden above all
(servicenow.md 9, reference B5.9)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from django.db import transaction

from cases.models import LinkState, ServiceNowInstance, TicketLink
from cases.servicenow import linking, missing
from cases.servicenow.agreeing import locked
from cases.servicenow.mapping import RAW_FIELDS
from cases.servicenow.taking import parts, take
from soar.connectors.errors import ConnectorError
from soar.connectors.servicenow.connector import ServiceNow
from soar.lib import clock

EVERY = timedelta(hours=1)
TOGETHER = 1000
SOME, MOST = 20, 0.5  # so many missing at once, and this share of all, is a lost right
GONE = "ServiceNow has no such record any more, or hides it from the integration user."


def reconcile(instance: ServiceNowInstance, connector: ServiceNow, keep: Callable[[], None]) -> None:
    """Look at each ticket. ``keep`` is called between two parts. Raises ConnectorError, also when so many tickets
    cannot be seen that a right was lost: then no link is broken."""
    rows = TicketLink.objects.filter(instance=instance, state=LinkState.LINKED).order_by("table", "pk")
    by_table: dict[str, list[tuple[int, str]]] = {}
    for pk, table, sys_id in rows.values_list("pk", "table", "sys_id"):
        by_table.setdefault(table, []).append((pk, sys_id))
    for table, links in by_table.items():
        gone = []
        for part in parts(links, TOGETHER):
            keep()
            read_at = clock.now()
            found = connector.records(table, [sys_id for _, sys_id in part], RAW_FIELDS)
            take(instance, table, list(found.values()), connector, read_at=read_at)
            gone += [(pk, sys_id) for pk, sys_id in part if sys_id not in found]
        _missing(table, gone, len(links), connector)
    missing.shown_again(instance, connector)
    later = clock.now() + EVERY
    ServiceNowInstance.objects.filter(pk=instance.pk).update(reconcile_at=later)


def _missing(table: str, gone: list[tuple[int, str]], of: int, connector: ServiceNow) -> None:
    if len(gone) > SOME and len(gone) > MOST * of:
        text = f"{len(gone)} of {of} tickets in {table} cannot be read any more: look at the integration user's roles."
        raise ConnectorError(text, permanent=True)
    for pk, sys_id in gone:
        if connector.record(table, sys_id, ()) is None:
            with transaction.atomic():
                incident, link = locked(pk)
                if link.sys_id == sys_id:
                    linking.broken(incident, link, GONE)
