"""Calls of connectors are kept for some time only (settings.ATTEMPT_DAYS): request and answer of each are large, and
what came of them stays in tasks, runs and timelines."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.db.models import Exists, OuterRef

from cases.models import Alert, Incident, LegalHold
from playbooks.choices import FINAL as RUN_OVER
from playbooks.choices import TASK_OPEN
from playbooks.models import ResponseTask, Run
from soar.connectors.models import Attempt, ConnectorAccount
from soar.lib import clock

AT_ONCE = 2000  # rows in a transaction: none is long


def forget_calls() -> int:
    """Delete the calls that are older than settings.ATTEMPT_DAYS, but none whose cause still has a task or run that
    is not over: a person may have to look at them; and none of an incident on legal hold or of its alerts. Returns how
    many. Scheduled every hour."""
    end = clock.now() - timedelta(days=settings.ATTEMPT_DAYS)
    return sum(_forget(pk, end) for pk in ConnectorAccount.everything.values_list("pk", flat=True))


def _forget(account: int, end: object) -> int:
    tasks = ResponseTask.objects.filter(cause=OuterRef("cause"), status__in=TASK_OPEN)
    runs = Run.objects.filter(cause=OuterRef("cause")).exclude(status__in=RUN_OVER)
    held = LegalHold.objects.filter(lifted_at=None).values("incident")
    incidents = Incident.objects.filter(cause=OuterRef("cause"), pk__in=held)
    alerts = Alert.objects.filter(cause=OuterRef("cause"), incident__in=held)
    free = ~Exists(tasks), ~Exists(runs), ~Exists(incidents), ~Exists(alerts)
    old = Attempt.objects.filter(*free, account=account, started_at__lt=end)
    gone = 0
    while ids := list(old.order_by("started_at").values_list("pk", flat=True)[:AT_ONCE]):
        gone += Attempt.objects.filter(pk__in=ids).delete()[0]
    return gone
