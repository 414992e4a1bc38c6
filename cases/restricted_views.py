"""Who looked at a restricted incident is in the audit log (access.md 7): once for a person and incident in a while."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.db import connection
from django.db.models.functions import Now

from cases.actors import Actor
from cases.models import Alert, Incident
from soar.accounts import audit
from soar.accounts.models import AuditEntry, User
from soar.lib.read_only import writing

VERB = "incident.restricted_viewed"
ONCE_IN = timedelta(minutes=15)
# Two pages that are opened at the same moment are one view.
ONE_AT_A_TIME = "SELECT pg_advisory_xact_lock(%s, %s)"
ROOM = 2**31


def note_view(who: Actor | User, incident: Incident) -> None:
    """Write that a person looks at this incident, or at something in it, if it is restricted. Playbooks and Soar itself
    are no people; of an incident that is not restricted nothing is asked or written."""
    if not incident.restricted or (isinstance(who, Actor) and who.type != "user"):
        return
    user = who.user if isinstance(who, Actor) else who
    if user is None:
        return
    looker = user.viewer or user
    if _noted(looker, incident):
        return
    with writing():
        with connection.cursor() as cursor:
            cursor.execute(ONE_AT_A_TIME, [looker.pk % ROOM, incident.pk % ROOM])
        if not _noted(looker, incident):
            audit.record(user, VERB, incident.number)


def note_rows(who: Actor | User, rows: Iterable[Any]) -> None:
    """The same for rows that are shown: incidents, alerts, or what has an ``incident`` or ``alert``. Nothing is asked
    for incidents and alerts of which none is restricted."""
    if isinstance(who, Actor) and (who.type != "user" or who.user is None):
        return
    incidents: set[int | None] = set()
    alerts: set[int | None] = set()
    for row in rows:
        if isinstance(row, Incident):
            incidents.add(row.pk if row.restricted else None)
        elif isinstance(row, Alert):
            incidents.add(row.incident_id if row.restricted else None)
        else:
            incidents.add(row.incident_id)
            alerts.add(getattr(row, "alert_id", None))
    user = who.user if isinstance(who, Actor) else who
    if user is not None:
        note_views(user, (pk for pk in incidents if pk), (pk for pk in alerts if pk))


def note_views(user: User, incidents: Iterable[int], alerts: Iterable[int]) -> None:
    """The same for all that a list tells of: the ids of the incidents, and of the alerts, that are read in it."""
    ids, of_alerts = set(incidents), set(alerts)
    if of_alerts:
        restricted = Alert.objects.filter(pk__in=of_alerts, restricted=True, incident__isnull=False)
        ids.update(restricted.values_list("incident", flat=True))
    for incident in Incident.objects.filter(pk__in=ids, restricted=True).order_by("pk") if ids else ():
        note_view(user, incident)


def _noted(looker: User, incident: Incident) -> bool:
    since = Now() - ONCE_IN
    return AuditEntry.objects.filter(at__gt=since, verb=VERB, target=incident.number, actor_id=looker.pk).exists()
