"""What becomes of the tickets of an incident that is purged (``PURGE_HOOKS``): the links go with it, each is named in
the audit log, and the ticket is told in a work note, so that nobody there waits for an answer."""

from __future__ import annotations

import logging
import uuid
from datetime import timedelta

from cases.models import LinkState, ServiceNowInstance, TicketLink
from cases.servicenow import notes, remote
from soar.accounts import audit
from soar.connectors.errors import ConnectorError
from soar.lib import clock
from soar.lib.queue import enqueue

logger = logging.getLogger(__name__)
TASK = "cases.tasks.servicenow_farewell"
RECENT = timedelta(hours=1)  # in which a note is looked for that a try before may have left
WORDS = "{incident} was deleted in Soar. This ticket is not linked with anything there any more and stays as it is."


def forget(*, alerts: list[int], incidents: list[int]) -> None:
    """Name the tickets of these incidents (ids), and have them told once the caller's transaction holds."""
    rows = TicketLink.objects.filter(incident__in=incidents, state__in=(LinkState.LINKED, LinkState.BROKEN))
    told = []
    for link in rows.exclude(sys_id="").select_related("instance").order_by("pk"):
        incident = f"INC-{link.incident_id}"
        told.append([incident, link.instance.slug, link.table, link.number or link.sys_id])
        if link.state == LinkState.LINKED:
            enqueue(TASK, link.instance_id, link.table, link.sys_id, incident, str(uuid.uuid4()))
    if told:
        audit.record(None, "servicenow.links_purged", told[0][0] if len(told) == 1 else "", tickets=told)


def farewell(instance: int, table: str, sys_id: str, incident: str, mark: str) -> None:
    """Write the note, once however often this is called; not while people have paused what goes there. Raises
    ConnectorError that may pass, and the queue tries it again; what ServiceNow refuses for good is logged."""
    row = ServiceNowInstance.objects.filter(pk=instance).first()
    if row is None or row.out_paused:
        return
    try:
        _note(row, table, sys_id, incident, mark)
    except ConnectorError as error:
        if not error.permanent:
            raise
        logger.warning("%s of %s was not told that %s is gone: %s", sys_id, row, incident, error.message)


def _note(row: ServiceNowInstance, table: str, sys_id: str, incident: str, mark: str) -> None:
    connector = remote.connector_of(row)
    since = clock.now() + timedelta(seconds=row.skew_seconds) - RECENT
    written = (notes.found_mark(entry.value) for entry in connector.journal(table, [sys_id], since))
    if any(found is not None and str(found.uuid) == mark for found in written):
        return
    (text,) = notes.chunks(WORDS.format(incident=incident), uuid.UUID(mark))
    connector.update(table, sys_id, {"work_notes": text})
