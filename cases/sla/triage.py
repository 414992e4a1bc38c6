"""How soon alerts are to be taken (casework.md 11). Nothing is stored for it: working time only goes on, so what is due
by now is what came until a moment that is reckoned back from now, one for each severity. A change of the policy holds
at once, and a million alerts cost nothing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q

from cases.choices import AlertStatus, Severity
from cases.models import Alert
from cases.sla.calendar import before, due
from cases.sla.current import policy_and_time
from cases.sla.policy import Policy

WORDS = ("breached", "at_risk", "ok", "urgent")  # urgent: breached or at risk
# Nobody has taken it, it stands in the queue, and in no incident: there the clocks of the incident count.
UNTAKEN = Q(status=AlertStatus.NEW, acknowledged_at=None, incident=None, suppression=None)


@dataclass(frozen=True, slots=True)
class Wait:
    """How long an alert may still wait for somebody: ``state`` is breached, at_risk or ok, ``now`` the database's."""

    due: datetime
    now: datetime
    state: str


def waits_of(alerts: Iterable[Alert]) -> dict[int, Wait]:
    """By id, those of the alerts that wait for somebody and have a target. One query for all, none if nobody waits."""
    waiting = [alert for alert in alerts if _is_untaken(alert)]
    if not waiting:
        return {}
    policy, now = policy_and_time()
    found = ((alert.pk, _wait(alert, policy, now)) for alert in waiting)
    return {pk: wait for pk, wait in found if wait is not None}


def _is_untaken(alert: Alert) -> bool:
    """UNTAKEN, of a row that is read."""
    free = alert.acknowledged_at is None and alert.incident_id is None and alert.suppression_id is None
    return free and alert.status == AlertStatus.NEW


def _wait(alert: Alert, policy: Policy, now: datetime) -> Wait | None:
    target, calendar = policy.target(alert.severity, "triage"), policy.calendar(alert.severity)
    late = None if target is None else due(calendar, alert.received_at, target)
    if target is None or late is None:
        return None
    risky = due(calendar, alert.received_at, policy.warning(target))
    return Wait(late, now, "breached" if late <= now else "at_risk" if risky and risky <= now else "ok")


def condition(word: str, at: tuple[Policy, datetime] | None = None) -> Q:
    """Alerts that wait for somebody and are overdue, at risk, either, or in time. Raises KeyError for another word.
    ``at``: what ``policy_and_time`` said, where it is known."""
    policy, now = at or policy_and_time()
    found = Q(pk__in=[])
    for severity in Severity:
        target = policy.target(severity, "triage")
        if target is None:
            continue
        calendar = policy.calendar(severity)
        risky, late = before(calendar, now, policy.warning(target)), before(calendar, now, target)
        found |= Q(severity=severity) & _received(word, risky, late)
    return UNTAKEN & found


def edges(at: tuple[Policy, datetime] | None = None) -> dict[Severity, datetime]:
    """For each severity with a target: those that came until then and wait for somebody are overdue or at risk."""
    policy, now = at or policy_and_time()
    found: dict[Severity, datetime] = {}
    for severity in Severity:
        target = policy.target(severity, "triage")
        edge = target and before(policy.calendar(severity), now, policy.warning(target))
        if edge:
            found[severity] = edge
    return found


def spans(word: str, at: tuple[Policy, datetime]) -> dict[Severity, tuple[datetime | None, datetime]]:
    """For each severity with a target: those that came after the first moment (if there is one) and until the second,
    and wait for somebody, are breached, or at risk. ``at``: what ``policy_and_time`` said."""
    policy, now = at
    found: dict[Severity, tuple[datetime | None, datetime]] = {}
    for severity in Severity:
        target, calendar = policy.target(severity, "triage"), policy.calendar(severity)
        if target is None:
            continue
        late = before(calendar, now, target)
        until = late if word == "breached" else before(calendar, now, policy.warning(target))
        if until:
            found[severity] = (None if word == "breached" else late, until)
    return found


def _received(word: str, risky: datetime | None, late: datetime | None) -> Q:
    """When alerts came that are in this state; None for a moment that is out of reach. Without NOT: indexes help."""
    if word == "breached":
        return Q(received_at__lte=late) if late else Q(pk__in=[])
    if word == "at_risk":
        since = Q(received_at__gt=late) if late else Q()
        return since & Q(received_at__lte=risky) if risky else Q(pk__in=[])
    if word == "urgent":
        return Q(received_at__lte=risky) if risky else Q(pk__in=[])
    return {"ok": Q(received_at__gt=risky) if risky else Q()}[word]
