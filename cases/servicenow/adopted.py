"""Tickets that people linked by hand: they bear no id of ours, so nothing but their sys_id tells them from others."""

from __future__ import annotations

from datetime import datetime

from cases.models import LinkState, ServiceNowInstance, TicketLink
from cases.servicenow.mapping import RAW_FIELDS
from soar.connectors.servicenow.connector import ServiceNow
from soar.connectors.servicenow.records import Record

FEW = 300  # are looked at one and all, in three requests


def changed(
    row: ServiceNowInstance, table: str, connector: ServiceNow, since: datetime
) -> tuple[list[Record], datetime | None]:
    """Those that may have changed since, and the time (of ServiceNow's clock) up to which the whole table was seen for
    that, None where it was not. However many there are, the requests are few: of many it is asked what has changed in
    the table at all, and only theirs are read. Raises ConnectorError."""
    links = TicketLink.objects.filter(instance=row, table=table, state=LinkState.LINKED, ours_correlation=False)
    known = dict(links.order_by("pk").values_list("sys_id", "seen_mod_count"))
    if len(known) > FEW:
        return connector.changed_among(table, known, since=since, fields=RAW_FIELDS)
    return list(connector.records(table, known, RAW_FIELDS).values()) if known else [], None
