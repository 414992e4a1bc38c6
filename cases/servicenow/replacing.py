"""Between our look at a ticket and our write somebody may have written there: ServiceNow takes no condition with a
write. Its count of changes tells that this has happened, and sys_audit, where it may be read, what was replaced.

That is put back, and then both sides meet as in any other conflict. Where the profile says that ours wins anyway, or
the ticket does not take it back, ours stays and people read both values."""

from __future__ import annotations

import logging

from django.db import transaction

from cases.models import TicketLink
from cases.servicenow import agreeing, outbox
from cases.servicenow.agreeing import Wanted
from cases.servicenow.history import overwritten
from cases.servicenow.mapping import ProfileRules
from cases.servicenow.rules import Raw
from soar.connectors.errors import ConnectorError
from soar.connectors.servicenow.connector import ServiceNow
from soar.connectors.servicenow.records import Record

logger = logging.getLogger(__name__)
UNSEEN = "Somebody changed it in ServiceNow in the moment in which ours was written"


def look(
    link: TicketLink,
    rules: ProfileRules,
    wanted: Wanted,
    before: Record,
    after: Record,
    writes: int,
    connector: ServiceNow,
) -> Record:
    """The ticket as it stands then. What was put back is taken out of ``wanted.fields``: it is not agreed on. What was
    asked for is written already, so nothing is raised."""
    sent = [name for name in wanted.fields if rules.takes(name)]
    try:
        lost = overwritten(link, sent, before, after, writes, connector)
    except ConnectorError as error:
        logger.warning("What was written to %s in the same moment is not known: %s", link.number, error.message)
        return after
    stays = {name: raw for name, raw in lost.items() if rules.winner(name) == "ours"}
    back = {name: raw for name, raw in lost.items() if name not in stays}
    if stays:
        agreeing.replaced(link.pk, before, rules, stays, f"{UNSEEN}.")
    return _put_back(link, rules, wanted, before, after, back, connector) if back else after


def _put_back(
    link: TicketLink,
    rules: ProfileRules,
    wanted: Wanted,
    before: Record,
    after: Record,
    back: dict[str, Raw],
    connector: ServiceNow,
) -> Record:
    try:
        stands = connector.update(link.table, link.sys_id, {key: raw[key] for raw in back.values() for key in raw})
    except ConnectorError as error:
        why = f"{UNSEEN}, and it cannot be put back: {error.message}"
        agreeing.replaced(link.pk, before, rules, back, why[:1000])
        return after
    for name in back:
        wanted.fields.pop(name)
    with transaction.atomic():
        outbox.add(link, outbox.FIELDS)
        outbox.ring_link(link.pk)
    return stands
