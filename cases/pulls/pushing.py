"""Telling a product what became of its alerts: state and notes (connectors.md 4).

A reader of the timeline writes what is to be told (``consider``); a worker tells it outside of any transaction
(``send``). Nothing goes round in circles: what a source did is not told to it, what is so already there is not sent,
and reading an alert back counts no repeat and reopens nothing. Only where the connector's setting ``push`` is on."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import timedelta

from django.db import transaction

from cases import leases
from cases.choices import AlertStatus
from cases.models import Alert, AlertPush, TimelineEntry
from cases.models.pull import PushState
from cases.pulls.connecting import connector_of
from soar.connectors.desk import AlertDesk, State
from soar.connectors.errors import ConnectorError
from soar.lib import clock
from soar.lib.context import caused_by
from soar.lib.queue import enqueue_many

TASK = "cases.tasks.push"
FIELDS = ("status", "determination", "findings")
MOST_ATTEMPTS = 12  # with the pauses between them about half a day
LONGEST_PAUSE = timedelta(hours=2)


def consider(entry_ids: Iterable[int]) -> None:
    """Write down what these entries of timelines give to tell, and queue it. Twice changes nothing."""
    entries = (
        TimelineEntry.objects.filter(
            pk__in=list(entry_ids),
            alert__source__pull__account__isnull=False,
            alert__source__pull__account__enabled=True,
        )
        .exclude(actor_type="source")
        .select_related("alert__source__pull__account")
    )
    rows = [row for entry in entries if (row := _wanted(entry)) is not None]
    with transaction.atomic():
        AlertPush.objects.bulk_create(rows, ignore_conflicts=True)
        alerts = {row.alert_id for row in rows}
        waiting = AlertPush.objects.filter(alert__in=alerts, state=PushState.WAITING, due_at__lte=clock.now())
        enqueue_many((TASK, (pk,)) for pk in waiting.values_list("pk", flat=True))


def _wanted(entry: TimelineEntry) -> AlertPush | None:
    alert = entry.alert
    if alert is None or not alert.source_ref or not wants(alert):
        return None
    if entry.kind == "comment":
        return AlertPush(alert=alert, entry=entry.pk, cause=entry.cause, due_at=clock.now())
    if entry.kind == "changed" and entry.data.get("field") not in FIELDS:
        return None
    return AlertPush(alert=alert, cause=entry.cause, due_at=clock.now())


def wants(alert: Alert) -> bool:
    """Whether the connector that the alert's source is read with is to be told."""
    account = alert.source.pull.account
    return bool(account and account.enabled and account.settings.get("push"))


def ring() -> None:
    """Queue what is due again, and what was broken off. Scheduled every few seconds."""
    now = clock.now()
    with transaction.atomic():
        due = AlertPush.objects.select_for_update(skip_locked=True).filter(
            leases.free(), state__in=(PushState.WAITING, PushState.SENDING), due_at__lte=now
        )
        ids = list(due.order_by("due_at").values_list("pk", flat=True)[:200])
        AlertPush.objects.filter(pk__in=ids).update(due_at=now + timedelta(seconds=30))
        enqueue_many((TASK, (pk,)) for pk in ids)


def send(pk: int) -> None:
    """Tell one thing, if nobody else is at it. How it ended is kept with it."""
    row = AlertPush.objects.select_related("alert__source__pull__account").filter(pk=pk).first()
    if row is None or row.state not in (PushState.WAITING, PushState.SENDING):
        return
    open_rows = AlertPush.objects.filter(pk=pk, state__in=(PushState.WAITING, PushState.SENDING))
    lease = leases.take(open_rows, state=PushState.SENDING, attempts=row.attempts + 1)
    if lease is None:
        return
    row.attempts += 1
    try:
        with caused_by(row.cause):
            said = _tell(row)
    except ConnectorError as error:
        _failed(row, lease, error)
    except BaseException:
        leases.end(AlertPush, pk, lease)
        raise
    else:
        leases.end(AlertPush, pk, lease, state=PushState.DONE, said=said, finished_at=clock.now())
        _replace_failed(row)


def _replace_failed(row: AlertPush) -> None:
    """A state that was told makes those that could not be told before it old news."""
    if not row.entry:
        older = AlertPush.objects.filter(alert=row.alert_id, entry=0, state=PushState.FAILED, pk__lt=row.pk)
        older.update(state=PushState.DONE, said="A later state was told.")


def _tell(row: AlertPush) -> str:
    """Raises ConnectorError. ``wants`` is asked again: the setting may be another by now."""
    if not wants(row.alert):
        return "Not sent: the connector is not to be told."
    desk = connector_of(row.alert.source.pull)
    if not isinstance(desk, AlertDesk):
        return "Not sent: this product is not told."
    desk.cause = row.cause
    if row.entry:
        return _tell_note(row, desk)
    return desk.tell_state(row.alert.source_ref, state_of(row.alert_id))


def state_of(alert_id: int) -> State:
    """The state of the alert as it is now, whatever it was when somebody asked to tell it."""
    status, findings = Alert.objects.values_list("status", "findings").get(pk=alert_id)
    return State(AlertStatus(status).word, findings)


def _tell_note(row: AlertPush, desk: AlertDesk) -> str:
    entry = TimelineEntry.objects.get(pk=row.entry)
    text = f"{entry.actor_name}: {entry.text}"
    mark = f"[Soar {row.alert.number}, entry {entry.pk}]"
    return desk.tell_note(row.alert.source_ref, text, mark, again=row.attempts > 1)


def _failed(row: AlertPush, lease: uuid.UUID, error: ConnectorError) -> None:
    """Another try later, unless it is hopeless. A state that was asked for anew in the meantime takes its place."""
    hopeless = error.permanent or row.attempts >= MOST_ATTEMPTS
    state = PushState.FAILED if hopeless else PushState.SENDING
    pause = min(timedelta(seconds=15 * 2 ** min(row.attempts - 1, 12)), LONGEST_PAUSE)
    asked = timedelta(seconds=min(error.retry_after or 0, 7200))
    now = clock.now()
    leases.end(
        AlertPush,
        row.pk,
        lease,
        state=state,
        said=error.message[:1000],
        due_at=now + max(pause, asked),
        finished_at=now if hopeless else None,
    )
