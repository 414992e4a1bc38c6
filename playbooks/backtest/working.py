"""A backtest in pieces: any worker takes it over where the last one was; cancelled between two pieces."""

from __future__ import annotations

import logging
import time
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Max, Min, Q
from django.db.models.functions import Now

from cases.models import Alert
from cases.querysets import AlertQuerySet
from playbooks.backtest.looking import Look
from playbooks.backtest.tally import Tally
from playbooks.choices import JobStatus
from playbooks.claims import new_owner
from playbooks.graph.schema import Graph, read
from playbooks.models import Backtest
from soar.accounts.models import User
from soar.lib.database import AWAY
from soar.lib.queue import enqueue

logger = logging.getLogger(__name__)
TASK = "playbooks.tasks.backtest"
CHUNK = 2000
SHIFT = 8.0  # seconds; then the queue's other tasks have their turn
LEAST_LEASE = 15  # seconds: longer than a piece takes
OPEN = (JobStatus.QUEUED, JobStatus.IN_PROGRESS)


# Of this process, at most one: what was read and rated in one shift serves in the next.
_looks: dict[tuple[int, datetime], Look] = {}


class _Lost(Exception):
    """Another worker has it, or it was cancelled."""


def work(pk: int, *, seconds: float = SHIFT, chunk: int = CHUNK) -> None:
    """Go on with a backtest for some ``seconds``, ``chunk`` alerts at a time, and ring again if it is not over. May be
    called at any time."""
    owner = new_owner()
    if not _claim(pk, owner):
        return
    row = Backtest.objects.select_related("started_by").get(pk=pk)
    try:
        over = _shift(row, owner, seconds, chunk)
    except _Lost:
        return
    except AWAY:
        raise
    except Exception as error:
        logger.exception("Backtest %s failed", pk)
        _write(row, owner, status=JobStatus.UNSUCCESSFUL, error=f"It failed: {type(error).__name__}.", over=True)
        return
    if not over:
        Backtest.objects.filter(pk=pk, lease_owner=owner).update(lease_owner="", lease_until=None)
        enqueue(TASK, pk)


def sweep() -> None:
    """Ring for backtests whose worker fell silent, or whose doorbell got lost. Scheduled every few seconds."""
    silent = Q(lease_until__lt=Now()) | Q(lease_until=None, created_at__lt=Now() - timedelta(seconds=30))
    for pk in Backtest.objects.filter(silent, status__in=OPEN).values_list("pk", flat=True)[:20]:
        enqueue(TASK, pk)


def _claim(pk: int, owner: str) -> bool:
    free = Q(lease_until=None) | Q(lease_until__lt=Now())
    rows = Backtest.objects.filter(free, pk=pk, status__in=OPEN)
    return rows.update(lease_owner=owner, lease_until=_until()) == 1


def _until() -> Any:
    return Now() + timedelta(seconds=max(settings.LEASE_SECONDS, LEAST_LEASE))


def _shift(row: Backtest, owner: str, seconds: float, chunk: int) -> bool:
    """Pieces until the shift is over. Returns whether the backtest is."""
    if row.cancel_requested:
        _write(row, owner, status=JobStatus.CANCELLED, over=True)
        return True
    graph = read(row.graph)[0]
    alerts = alerts_of(row, row.started_by)
    if row.status == JobStatus.QUEUED:
        _begin(row, owner, alerts)
    look, tally, end = _look(row, graph), Tally.of(row.result), time.monotonic() + seconds
    while time.monotonic() < end:
        ids = list(alerts.filter(pk__gt=row.cursor).order_by("pk").values_list("pk", flat=True)[:chunk])
        if not ids:
            _looks.clear()
            _write(row, owner, status=JobStatus.SUCCESSFUL, over=True)
            return True
        look.batch(ids, tally)
        row.cursor, row.looked_at, row.result = ids[-1], row.looked_at + len(ids), tally.as_json()
        if _write(row, owner):
            return True
    return False


def _look(row: Backtest, graph: Graph) -> Look:
    key = (row.pk, row.created_at)
    look = _looks.get(key)
    if look is None:
        _looks.clear()
        look = _looks[key] = Look(graph)
    return look


def alerts_of(row: Backtest, user: User) -> AlertQuerySet:
    """The alerts that the backtest looks at: of its days, and only what the person who started it may see now."""
    since = row.created_at - timedelta(days=row.days)
    return Alert.objects.visible_to(user).filter(received_at__gte=since, received_at__lte=row.created_at)


def _begin(row: Backtest, owner: str, alerts: AlertQuerySet) -> None:
    """Count what there is, and skip all that is older."""
    since = row.created_at - timedelta(days=row.days)
    ends = Alert.objects.filter(received_at__gte=since).aggregate(first=Min("pk"), last=Max("pk"))
    row.total, row.cursor = alerts.order_by().count(), (ends["first"] or 1) - 1
    row.status = JobStatus.IN_PROGRESS
    Backtest.objects.filter(pk=row.pk, lease_owner=owner).update(started_at=Now())
    _write(row, owner, status=JobStatus.IN_PROGRESS)


def _write(row: Backtest, owner: str, *, over: bool = False, **values: Any) -> bool:
    """Save how far it is, if it is still ours. Returns whether it was cancelled, and is over therefore.

    Raises _Lost."""
    held = Backtest.objects.filter(pk=row.pk, lease_owner=owner, status__in=OPEN)
    ending = {"finished_at": Now(), "lease_owner": "", "lease_until": None} if over else {"lease_until": _until()}
    kept = {"cursor": row.cursor, "looked_at": row.looked_at, "result": row.result, "total": row.total}
    if held.update(**kept, **ending, **values) != 1:
        raise _Lost
    if over or not Backtest.objects.filter(pk=row.pk, cancel_requested=True).exists():
        return False
    _write(row, owner, status=JobStatus.CANCELLED, over=True)
    return True
