"""What workers do for the clocks: reminders, and reckoning after the policy was changed (casework.md 11).

A reminder is an entry of the incident's timeline, ``sla.at_risk`` or ``sla.breached``, once for each clock and each
moment at which it is due: its readers tell people. ``data``: ``clock`` (acknowledge, contain, resolve), ``target`` in
minutes, ``due_at``, ``severity``. The lock on the incident and the mark on the clock keep two workers from writing
twice."""

from __future__ import annotations

import logging

from django.db import DatabaseError, transaction
from django.db.models import Q, QuerySet

from cases import timeline
from cases.actors import Actor
from cases.choices import IncidentStatus, Severity
from cases.errors import CaseError
from cases.models import Incident, IncidentClock
from cases.sla import clocks, current
from soar.lib.clock import iso
from soar.lib.queue import enqueue

logger = logging.getLogger(__name__)
RECKON = "cases.tasks.sla_reckon"
AT_ONCE = 500  # incidents of which one call reminds
BATCH, BATCHES = 50, 20  # incidents of one transaction, transactions of one task


def look() -> None:
    """Remind of what is at risk or overdue, and queue what has to be reckoned anew. Scheduled often."""
    remind()
    if _outdated().exists():
        enqueue(RECKON)


def remind() -> int:
    """Write the reminders that are due. Returns how many incidents were looked at."""
    _policy, now = current.policy_and_time()
    waits = IncidentClock.objects.filter(stopped_at=None, incident__merged_at=None)
    due = waits.filter(breach_told_at=None, due_at__lte=now)
    risky = waits.filter(risk_told_at=None, warn_at__lte=now)
    found = {pk for rows in (due, risky) for pk in rows.order_by().values_list("incident", flat=True)[:AT_ONCE]}
    for pk in sorted(found):
        _remind(pk)
    return len(found)


@transaction.atomic
def _remind(pk: int) -> None:
    """The reminders of one incident; none if it is in other hands, or not reckoned by the policy of now."""
    rows = Incident.objects.select_for_update(skip_locked=True, of=("self",))
    incident = rows.filter(pk=pk, merged_at=None).first()
    policy, now = current.policy_and_time()
    if incident is None or incident.sla_version != policy.version:
        return
    for row in IncidentClock.objects.filter(incident=incident, stopped_at=None).order_by("pk"):
        late = row.due_at is not None and row.due_at <= now
        if late and row.breach_told_at is None:
            row.breach_told_at = now
            row.risk_told_at = row.risk_told_at or now
            _tell("sla.breached", incident, row)
        elif not late and row.risk_told_at is None and row.warn_at is not None and row.warn_at <= now:
            row.risk_told_at = now
            _tell("sla.at_risk", incident, row)


def _tell(kind: str, incident: Incident, row: IncidentClock) -> None:
    row.save(update_fields=["risk_told_at", "breach_told_at"])
    severity = Severity(incident.severity).word
    data = {"clock": row.name, "target": row.target, "due_at": iso(row.due_at), "severity": severity}
    timeline.record(kind, incident, Actor.system(), data=data)


def reckon() -> None:
    """Reckon the clocks of incidents that follow an older policy, or that have none yet; rings for itself while there
    are more. What another worker holds is left to it, and looked for again later."""
    after = 0
    for _number in range(BATCHES):
        last = _batch(after)
        if last is None:
            return
        after = last
    enqueue(RECKON)


@transaction.atomic
def _batch(after: int) -> int | None:
    """Some more of them, by id; the last id, or None when there are no more."""
    rows = _outdated().filter(pk__gt=after).order_by("pk").select_for_update(skip_locked=True, of=("self",))
    found = list(rows[:BATCH])
    for incident in found:
        try:
            with transaction.atomic():
                clocks.follow(incident, reminding=False)
        except (CaseError, DatabaseError) as error:
            logger.warning("The clocks of %s could not be reckoned: %s", incident.number, error)
    return found[-1].pk if found else None


def _outdated() -> QuerySet[Incident]:
    version = current.policy().version
    old = Q(sla_version=None) | Q(sla_version__lt=version, status__lt=IncidentStatus.RESOLVED)
    return Incident.objects.filter(old, merged_at=None)
