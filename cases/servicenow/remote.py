"""Reaching an instance: its connector, its clock, who we are there."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta

from cases.models import ServiceNowInstance
from soar.connectors import registry
from soar.connectors.errors import ConnectorError
from soar.connectors.models import ConnectorAccount
from soar.connectors.servicenow import query
from soar.connectors.servicenow.connector import ServiceNow
from soar.connectors.servicenow.records import Record, record_of
from soar.connectors.servicenow.tables import every, wanted
from soar.connectors.servicenow.times import literal
from soar.lib import clock

WROTE_AS = "wrote_as"  # in the vocabulary: the user name that our first ticket bore


def connector_of(instance: ServiceNowInstance, cause: uuid.UUID | None = None) -> ServiceNow:
    """The connector with the settings of now. Raises ConnectorError."""
    account = ConnectorAccount.objects.get(pk=instance.account_id)
    if not account.enabled:
        raise ConnectorError(f"The connector {account.name} is disabled.", permanent=True)
    found = registry.of(account, cause=cause)
    if not isinstance(found, ServiceNow):
        raise ConnectorError(f"{account.name} is no ServiceNow connector.", permanent=True)
    return found


def by_number(connector: ServiceNow, table: str, number: str, fields: tuple[str, ...]) -> Record | None:
    """The one record with this number, or with this sys_id; None for none. Raises ConnectorError."""
    if len(number) == 32:
        return connector.record(table, number.lower(), fields)
    asked = {**wanted(fields), "sysparm_query": query.equals("number", number.upper())}
    rows = [record_of(table, row) for row in connector.page("record.find", every(table), asked, size=10).rows]
    if any(one.number.upper() != number.upper() for one in rows):
        raise query.IgnoredQuery(table, "number")
    if len(rows) > 1:
        raise ConnectorError(f"ServiceNow has {len(rows)} tickets with the number {number}.", permanent=True)
    return rows[0] if rows else None


def new_files(connector: ServiceNow, table: str, since: datetime) -> list[str]:
    """The sys_ids of records of the table, also of others' ones, to which something was attached at ``since`` (UTC,
    their clock) or later: an attachment alone changes no record. Raises ConnectorError."""
    zone = connector.zone(table)
    condition = query.both(
        query.equals("table_name", query.table_named(table)),
        query.since("sys_created_on", literal(since, zone.offset if zone else None)),
        "ORDERBYsys_created_on",
    )
    ids: dict[str, None] = {}
    for row in connector.rows("attachments.new", "api/now/attachment", {"sysparm_query": condition}):
        if row.get("table_name") != table:
            raise query.IgnoredQuery("sys_attachment", "table_name")
        ids[str(row.get("table_sys_id") or "")] = None
    return [one for one in ids if one]


def our_names(instance: ServiceNowInstance, connector: ServiceNow) -> set[str]:
    """The user names under which our notes stand there. An API key or a client has none in its settings: until a write
    of ours has told it, ServiceNow is asked. Raises ConnectorError."""
    if not _known_names(instance, connector):
        remember_us(instance, _asked_name(connector))
    return {name.casefold() for name in _known_names(instance, connector)}


def _known_names(instance: ServiceNowInstance, connector: ServiceNow) -> set[str]:
    names = {str(connector.account.settings.get("username") or ""), str(instance.vocabulary.get(WROTE_AS) or "")}
    return names - {""}


def _asked_name(connector: ServiceNow) -> str:
    try:
        me = connector.me()
    except ConnectorError as error:
        if not error.permanent:
            raise
        return ""  # it may not read who it is
    return me.name if me else ""


def remember_us(instance: ServiceNowInstance, name: str) -> None:
    """Keep under which name a write of ours stands there."""
    if name and instance.vocabulary.get(WROTE_AS) != name:
        instance.vocabulary = {**instance.vocabulary, WROTE_AS: name}
        ServiceNowInstance.objects.filter(pk=instance.pk).update(vocabulary=instance.vocabulary)


def our_time(instance: ServiceNowInstance, theirs: datetime) -> datetime:
    """A moment of their clock on ours, never in the future."""
    return min(theirs - timedelta(seconds=instance.skew_seconds), clock.now())


def measure(instance: ServiceNowInstance, connector: ServiceNow) -> None:
    """Keep how their clock differs from ours, once it differs by more than a second from what is known."""
    if connector.skew is None:
        return
    seconds = connector.skew.total_seconds()
    if abs(seconds - instance.skew_seconds) > 1:
        instance.skew_seconds = round(seconds, 1)
        ServiceNowInstance.objects.filter(pk=instance.pk).update(skew_seconds=instance.skew_seconds)
