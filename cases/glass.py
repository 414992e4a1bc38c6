"""Telling owners and managers of a restricted incident that an admin broke the glass (rulings 20)."""

from __future__ import annotations

import logging

from django.conf import settings
from django.db.models import Q

from cases.models import Incident, IncidentUserPermission, TimelineEntry
from soar.accounts.models import User
from soar.accounts.models.grant import current
from soar.connectors import notify
from soar.connectors.errors import ConnectorError
from soar.connectors.messages import Message
from soar.lib.clock import iso

logger = logging.getLogger(__name__)
TOLD_AT_MOST = 100


def tell(incident_id: int, entry_id: int) -> None:
    """Write once to those who own or manage the incident, where e-mail is set up; the timeline says it in any case.
    Called by a worker, outside of any transaction. Raises ConnectorError when it should be tried again later."""
    incident = Incident.objects.filter(pk=incident_id).first()
    entry = TimelineEntry.objects.filter(pk=entry_id, incident=incident_id).first()
    account = notify.mail_account()
    if incident is None or entry is None or account is None:
        return
    recipients = _concerned(incident, but=entry.actor_id)
    if not recipients:
        return
    message = Message(
        title=f"{entry.actor_name} broke the glass of {incident.number}",
        text=f"{incident.number} is restricted. {entry.actor_name} let themselves in to manage it.",
        facts=(("Reason", entry.text), ("When", iso(entry.recorded_at) or "")),
        link=f"{settings.SOAR_URL}/incidents/{incident.number}/access/",
        thread=f"{incident.number}-access",
        recipients=recipients,
    )
    try:
        notify.send(account, message, key=f"glass-{entry.pk}", cause=entry.cause)
    except ConnectorError as error:
        if not (error.permanent or error.outcome_unknown):
            raise
        logger.warning("Nobody could be told that the glass of %s was broken: %s", incident.number, error.message)


def _concerned(incident: Incident, *, but: int | None) -> tuple[str, ...]:
    managing = IncidentUserPermission.objects.filter(
        current(), content_object=incident, permission__codename="manage_incident"
    )
    people = User.objects.filter(Q(owned_rows__incident=incident) | Q(pk__in=managing.values("user")), is_active=True)
    rows = people.exclude(pk=but or 0).exclude(email="").order_by("pk").values_list("email", flat=True).distinct()
    return tuple(dict.fromkeys(rows[:TOLD_AT_MOST]))
