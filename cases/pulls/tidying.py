"""Rows that reading and telling leave behind all day long, and that nobody asks for after a while."""

from __future__ import annotations

from datetime import timedelta

from cases.models import AlertPull, AlertPush
from cases.models.pull import PushState
from soar.connectors.models import Attempt
from soar.connectors.reader import READ
from soar.lib import clock

CALLS = timedelta(days=1)
PUSHES = timedelta(days=30)


def tidy() -> None:
    """Delete good calls that read alerts after a day, and what was told after a month. Scheduled every hour."""
    now = clock.now()
    accounts = AlertPull.objects.exclude(account=None).values_list("account", flat=True)
    Attempt.objects.filter(
        account__in=list(accounts), operation=READ, status="successful", started_at__lt=now - CALLS
    ).delete()
    AlertPush.objects.filter(state=PushState.DONE, finished_at__lt=now - PUSHES).delete()
