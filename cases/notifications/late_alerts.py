"""Reminding of alerts that wait for somebody longer than their target (casework.md 11, 19). Nothing is stored of when
an alert is due, and no entry tells of it: working time alone does it. So it is looked for, and told as one line for all
that a person could take: again when others have become late since, and at most once in PERIOD. A flood of alerts is a
flood in the queue, and one line here."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.core.cache import cache
from django.db.models import BigIntegerField, Case, Count, F, Max, Min, Q, When

from cases.choices import Severity
from cases.models import Alert, Notification, Watch
from cases.notifications import choices, inbox, writing
from cases.notifications.writing import Receiver
from cases.querysets import AlertQuerySet
from cases.seen_by import alerts_seen_by
from cases.sla import triage
from cases.sla.calendar import before
from cases.sla.current import policy_and_time
from cases.sla.policy import Policy
from soar.accounts.membership import workers
from soar.accounts.models import User
from soar.connectors import notify
from soar.lib.queue import enqueue

KIND, REASON = inbox.LATE, "sla"
PERIOD = timedelta(hours=1)
LOOK_BACK = timedelta(days=1)  # who was never told hears of what became late within a day
PEOPLE_AT_MOST = 1_000
COUNTED = 1_000
WHOLE = timedelta(minutes=15)  # how often people are asked about all that is late, not only what became so since
LOOKED = "late_alerts.looked"  # in the cache: when that was, and when they were last asked at all
Since = dict[int, datetime | None]
TELL = "cases.tasks.notifications_late_alerts_tell"


@dataclass(frozen=True, slots=True)
class Group:
    """Late alerts of one severity that the same people see: who sees ``first`` sees all. ``newest`` is when the last of
    them came, ``muted_by`` who wants to hear nothing of them."""

    first: int
    severity: int
    count: int
    newest: datetime
    muted_by: frozenset[int]


def look() -> None:
    """Have people told if alerts have become late. Scheduled every minute; one or two quick queries while none has."""
    policy, now = policy_and_time()
    if Alert.objects.filter(_late_since(policy, now, now - LOOK_BACK)).exists():
        enqueue(TELL)


def tell() -> int:
    """Write the lines that are due. Returns how many people were told. Called by a worker; again it changes nothing.
    How many statements it takes does not depend on how many people there are."""
    policy, now = policy_and_time()
    whole, looked = _looked(now)
    waiting = _waiting(now, looked)
    groups = _groups(policy, now) if waiting else []
    edges = {since: _edges(policy, since) for since in set(waiting.values())}
    new = {to: [one for one in groups if _is_new(one, edges[since])] for to, since in waiting.items()}
    lines = [(to, _line(own)) for to, own in _told({to: own for to, own in new.items() if own}, groups)]
    writing.add_lines(f"{KIND}:{int(now.timestamp()) // int(PERIOD.total_seconds())}", lines)
    cache.set(LOOKED, (whole, now), int(WHOLE.total_seconds()))
    return len(lines)


def _looked(now: datetime) -> tuple[datetime, datetime | None]:
    """When people were last asked about all that is late, and when about what had become so since: now and never, if it
    is time to do so again. In between somebody may have been let in, or an alert given back."""
    whole, looked = cache.get(LOOKED) or (now, None)
    return (whole, looked) if looked is not None and looked <= now < whole + WHOLE else (now, None)


def _waiting(now: datetime, looked: datetime | None) -> dict[Receiver, datetime]:
    """Who may be told at this moment, and since when what became late is new to them. Who could be told when all
    ``looked`` and was not saw nothing new."""
    people = list(workers().filter(is_service=False)[:PEOPLE_AT_MOST])
    chosen = choices.settings_of_all(user.pk for user in people)
    last = _last_told(people)
    mail = notify.mail_account() is not None
    found = {}
    for user in people:
        told = last.get(user.pk)
        if not choices.is_off(chosen[user.pk], REASON) and _is_time(told, now):
            asked = looked if looked is not None and _is_time(told, looked) else None
            since = max(one for one in (now - LOOK_BACK, told, asked) if one is not None)
            found[Receiver(user, chosen[user.pk], mail=mail)] = since
    return found


def _told(new: dict[Receiver, list[Group]], groups: list[Group]) -> Iterator[tuple[Receiver, list[Group]]]:
    """Those who see something of what is new to them and did not mute it, with all that they see. Everybody is asked
    about what is new to somebody, and who is told about the rest."""
    first = {one.first for own in new.values() for one in own}
    seen = alerts_seen_by([to.user for to in new], first)
    hit = {to for to, own in new.items() if any(_hears(to, one, seen) for one in own)}
    rest = alerts_seen_by([to.user for to in hit], {one.first for one in groups} - first)
    for pk, alerts in rest.items():
        seen[pk] |= alerts
    for to in hit:
        yield to, [one for one in groups if _hears(to, one, seen)]


def _hears(to: Receiver, group: Group, seen: dict[int, set[int]]) -> bool:
    return group.first in seen[to.user.pk] and to.user.pk not in group.muted_by


def _last_told(people: Iterable[User]) -> dict[int, datetime]:
    rows = Notification.objects.filter(user__in=[user.pk for user in people], kind=KIND).order_by()
    return dict(rows.values_list("user").annotate(last=Max("created_at")))


def _is_time(last: datetime | None, now: datetime) -> bool:
    return last is None or now - last >= PERIOD


def _groups(policy: Policy, now: datetime) -> list[Group]:
    """All alerts that are late, those together that the same people see and want to hear of: some hundred of many."""
    late = Alert.objects.filter(triage.condition("breached", (policy, now))).order_by()
    muted: dict[int, set[int]] = defaultdict(set)
    mutes = Watch.objects.filter(choices.current(), muted=True, alert__in=late.values("pk"))
    for alert, user in mutes.values_list("alert", "user"):
        muted[alert].add(user)
    alone = Case(When(pk__in=list(muted), then=F("pk")), default=None, output_field=BigIntegerField())
    found = late.annotate(alone=alone).values_list(*AlertQuerySet.SEEN_BY, "alone", "severity")
    first: dict[tuple[object, ...], int] = {}
    return [
        Group(first.setdefault(tuple(of), pk), severity, number, newest, frozenset(muted.get(alone or 0, ())))
        for *of, alone, severity, pk, number, newest in found.annotate(Min("pk"), Count("pk"), Max("received_at"))
    ]


def _is_new(group: Group, since: Since) -> bool:
    """Whether one of the alerts has become late since."""
    edge = since[group.severity]
    return edge is None or group.newest > edge


def _edges(policy: Policy, since: datetime) -> Since:
    """For each severity: what came until then was late already, ``since`` or earlier."""
    found = {}
    for severity in Severity:
        target = policy.target(severity, "triage")
        found[int(severity)] = None if target is None else before(policy.calendar(severity), since, target)
    return found


def _line(groups: list[Group]) -> Notification:
    """The line of who sees these. It counts all that are late."""
    count, severity = sum(one.count for one in groups), max(one.severity for one in groups)
    return Notification(
        reason=REASON, kind=KIND, data={"count": min(count, COUNTED + 1), "severity": Severity(severity).word}
    )


def _late_since(policy: Policy, now: datetime, since: datetime) -> Q:
    """Alerts that wait for somebody and became late between two moments: for each severity those that came between the
    moments that lie a target before, in working time."""
    found = Q(pk__in=[])
    for severity in Severity:
        target, calendar = policy.target(severity, "triage"), policy.calendar(severity)
        until = None if target is None else before(calendar, now, target)
        begin = None if target is None else before(calendar, since, target)
        if until is not None:
            after = Q(received_at__gt=begin) if begin else Q()
            found |= Q(severity=severity, received_at__lte=until) & after
    return triage.UNTAKEN & found
