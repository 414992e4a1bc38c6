"""Who looked at a restricted incident is in the audit log (access.md 7): once for a person and incident in a while.

To look is to be told of it in words: its title, those of its alerts, or what was written, tried and kept there, be it
on a list or on a page about something else. Its number alone is none, nor is a value or an asset without a word of the
incident, nor a message that was sent, which has a log of its own."""

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
# Two pages that are opened at the same moment are one view. In the order of the array, so that none waits for another.
ONE_AT_A_TIME = "SELECT pg_advisory_xact_lock(%s, one) FROM unnest(%s::int[]) one"
ROOM = 2**31


def note_view(who: Actor | User, incident: Incident) -> None:
    """Write that a person looks at this incident, or at something in it, if it is restricted. Playbooks and Soar itself
    are no people; of an incident that is not restricted nothing is asked or written."""
    if incident.restricted:
        note_restricted(who, [incident.pk])


def note_rows(who: Actor | User, rows: Iterable[Any]) -> None:
    """The same for rows that are shown: incidents, alerts, or what has an ``incident`` or ``alert``. Nothing is asked
    for incidents and alerts of which none is restricted."""
    known: set[int] = set()
    incidents: set[int] = set()
    alerts: set[int] = set()
    for row in rows:
        if isinstance(row, Incident | Alert):
            known.add(told_of(row))
        else:
            incidents.add(row.incident_id or 0)
            alerts.add(getattr(row, "alert_id", 0) or 0)
    note_restricted(who, known | _restricted(incidents - {0}, alerts - {0}))


def note_views(user: User, incidents: Iterable[int], alerts: Iterable[int]) -> None:
    """The same for all that a list tells of: the ids of the incidents, and of the alerts, that are read in it."""
    note_restricted(user, _restricted(set(incidents), set(alerts)))


def note_restricted(who: Actor | User, incidents: Iterable[int]) -> None:
    """The same for ids of incidents that are known to be restricted; 0 (``told_of``) is none. One query for all of them
    where they were noted a while ago, and none where there are none."""
    user = who.user if isinstance(who, Actor) else who
    if user is None or (isinstance(who, Actor) and who.type != "user"):
        return
    looker = user.viewer or user
    if not (new := _not_noted(looker, set(incidents) - {0})):
        return
    with writing():
        with connection.cursor() as cursor:
            cursor.execute(ONE_AT_A_TIME, [looker.pk % ROOM, [pk % ROOM for pk in new]])
        audit.record_each(user, VERB, [_number(pk) for pk in _not_noted(looker, new)])


def told_of(row: Incident | Alert | None) -> int:
    """The id of the restricted incident that is told of where this row is shown, 0 for none. Nothing is asked."""
    if row is None or not row.restricted:
        return 0
    return row.pk if isinstance(row, Incident) else row.incident_id or 0


def _restricted(incidents: set[int], alerts: set[int]) -> set[int]:
    """Those of the incidents, and of the alerts' incidents, that are restricted."""
    ids = set(incidents)
    if alerts:
        inside = Alert.objects.filter(pk__in=alerts, restricted=True, incident__isnull=False)
        ids.update(inside.values_list("incident", flat=True))
    return set(Incident.objects.filter(pk__in=ids, restricted=True).values_list("pk", flat=True)) if ids else set()


def _not_noted(looker: User, incidents: Iterable[int]) -> list[int]:
    """Those of the incidents of which the log does not tell yet, the smallest id first."""
    asked = sorted(incidents)
    if not asked:
        return []
    numbers = [_number(pk) for pk in asked]
    since = Now() - ONCE_IN
    rows = AuditEntry.objects.filter(at__gt=since, verb=VERB, target__in=numbers, actor_id=looker.pk)
    noted = set(rows.order_by().values_list("target", flat=True))
    return [pk for pk in asked if _number(pk) not in noted]


def _number(incident: int) -> str:
    return f"INC-{incident}"
