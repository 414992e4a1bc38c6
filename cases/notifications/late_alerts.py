"""Reminding of alerts that wait for somebody longer than their target (casework.md 11, 19). Nothing is stored of when
an alert is due, and no entry tells of it: working time alone does it. So it is looked for, and told as one line for all
that a person could take: again when others have become late since, and at most once in PERIOD. A flood of alerts is a
flood in the queue, and one line here."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db.models import Exists, Max, OuterRef, Q

from cases.choices import Severity
from cases.models import Alert, Notification, Watch
from cases.notifications import choices, inbox, writing
from cases.notifications.writing import Receiver
from cases.querysets import AlertQuerySet
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
TELL = "cases.tasks.notifications_late_alerts_tell"


def look() -> None:
    """Have people told if alerts have become late. Scheduled every minute; one or two quick queries while none has."""
    policy, now = policy_and_time()
    if Alert.objects.filter(_late_since(policy, now, now - LOOK_BACK)).exists():
        enqueue(TELL)


def tell() -> int:
    """Write the lines that are due. Returns how many people were told. Called by a worker; again it changes nothing."""
    policy, now = policy_and_time()
    people = list(workers().filter(is_service=False)[:PEOPLE_AT_MOST])
    chosen = choices.settings_of_all(user.pk for user in people)
    last = _last_told(people)
    mail = notify.mail_account() is not None
    waiting = [
        user for user in people if not choices.is_off(chosen[user.pk], REASON) and _is_time(last.get(user.pk), now)
    ]
    return sum(
        _tell(Receiver(user, chosen[user.pk], mail=mail), policy, now, last.get(user.pk, now - LOOK_BACK))
        for user in waiting
    )


def _last_told(people: Iterable[User]) -> dict[int, datetime]:
    rows = Notification.objects.filter(user__in=[user.pk for user in people], kind=KIND).order_by()
    return dict(rows.values_list("user").annotate(last=Max("created_at")))


def _is_time(last: datetime | None, now: datetime) -> bool:
    return last is None or now - last >= PERIOD


def _tell(to: Receiver, policy: Policy, now: datetime, since: datetime) -> bool:
    """A line, if alerts that the person sees have become late since the last one. It counts all that are late."""
    rows = _takeable(to.user)
    if not rows.filter(_late_since(policy, now, max(since, now - LOOK_BACK))).exists():
        return False
    late = rows.filter(triage.condition("breached", (policy, now)))
    severities = list(late.order_by().values_list("severity", flat=True)[: COUNTED + 1])
    data = {"count": len(severities), "severity": Severity(max(severities, default=0)).word}
    key = f"{KIND}:{int(now.timestamp()) // int(PERIOD.total_seconds())}"
    writing.add_line(to, Notification(reason=REASON, key=key, kind=KIND, data=data))
    return True


def _takeable(user: User) -> AlertQuerySet:
    """What the person sees of the queue, without what they muted."""
    muted = Watch.objects.filter(alert=OuterRef("pk"), user=user, muted=True)
    return Alert.objects.visible_to(user).filter(triage.UNTAKEN).filter(~Exists(muted))


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
