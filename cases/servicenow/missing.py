"""Tickets that are gone, between two looks at all of them, and lost ones that can be seen again (servicenow.md 8, 9).

No poll tells of a deleted ticket: nothing changes. But there are fewer with our ids by then."""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction
from django.db.models import Count

from cases import timeline
from cases.actors import Actor
from cases.models import LinkState, ServiceNowInstance, TicketLink
from cases.servicenow import correlation
from cases.servicenow.agreeing import locked
from cases.servicenow.linking import named
from soar.connectors.servicenow.connector import ServiceNow
from soar.lib import clock

EVERY = timedelta(minutes=5)
SHOWN = "ServiceNow shows the ticket again. The link stays broken until a person links it again."


def fewer(instance: ServiceNowInstance, connector: ServiceNow, last_look: timedelta) -> bool:
    """Whether fewer tickets bear our ids than before, compared with our links: then one was deleted, and all have to be
    looked at. Asked every few minutes, and after a call of the webhook; one request a table. ``last_look``: how long
    ago all were looked at, so that this is not done too often. Raises ConnectorError."""
    if last_look < EVERY or not (_heard(instance) or _time_has_come(instance)):
        return False
    now: dict[str, int] = {}
    for table, links in _linked(instance).items():
        now[table] = connector.count(table, correlation.prefix(instance.installation)) - links
    before = instance.counted or {}
    less = any(now[table] < before[table] for table in now.keys() & before.keys())
    ServiceNowInstance.objects.filter(pk=instance.pk).update(counted=now)
    return less


def shown_again(instance: ServiceNowInstance, connector: ServiceNow) -> None:
    """Look for tickets of broken links: a hidden one may be shown again. Nothing is linked by that; people are told.
    Raises ConnectorError."""
    rows = TicketLink.objects.filter(instance=instance, state=LinkState.BROKEN).exclude(sys_id="").order_by("table")
    by_table: dict[str, dict[str, int]] = {}
    for pk, table, sys_id in rows.values_list("pk", "table", "sys_id"):
        by_table.setdefault(table, {})[sys_id] = pk
    for table, links in by_table.items():
        seen = connector.records(table, links, ())
        for sys_id, pk in links.items():
            _keep(pk, shown=sys_id in seen)


@transaction.atomic
def _keep(link_id: int, *, shown: bool) -> None:
    incident, link = locked(link_id)
    if link.state != LinkState.BROKEN or shown == (link.shown_again_at is not None):
        return
    link.shown_again_at = clock.now() if shown else None
    link.save(update_fields=["shown_again_at"])
    if shown:
        timeline.record("servicenow.shown", incident, Actor.system(), text=SHOWN, data=named(link))


def _heard(instance: ServiceNowInstance) -> bool:
    """Whether the webhook has called since the last good poll."""
    heard, read = instance.heard_at, instance.in_ok_at
    return heard is not None and (read is None or heard >= read)


def _time_has_come(instance: ServiceNowInstance) -> bool:
    """Whether one of the moments between two looks at all has passed since the last good poll."""
    left, read = instance.reconcile_at - clock.now(), instance.in_ok_at
    return read is None or left // EVERY != (instance.reconcile_at - read) // EVERY


def _linked(instance: ServiceNowInstance) -> dict[str, int]:
    """By table, how many links bear an id of ours and have a ticket, or had one."""
    rows = TicketLink.objects.filter(instance=instance, ours_correlation=True).exclude(sys_id="")
    return dict(rows.order_by().values_list("table").annotate(Count("pk")))
