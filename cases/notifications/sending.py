"""Sending what waits for a person by one channel, by a worker and outside of any transaction.

A batch is written as begun before the call. A mail of which nobody knows whether it was taken, since the answer or
the worker was lost, goes out again under its Message-ID, by which mailboxes show it once; a chat message does not."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial

from cases.models import Channel, NotificationDelivery, NotificationSettings
from cases.notifications import choices, composing, holding, moments
from cases.notifications.holding import Batch
from cases.notifications.inbox import visible
from cases.notifications.reasons import OFF
from cases.notifications.wording import lines
from cases.notifications.writing import SEND
from soar.accounts.models import User
from soar.connectors import personal
from soar.connectors.errors import ConnectorError
from soar.lib import clock
from soar.lib.queue import enqueue

BATCHES = 20  # of one person, then others have their turn
UNKNOWN = "It is not known whether it arrived: the worker was stopped, or the answer was lost, while it was sent."


def work(user_id: int, channel: str) -> None:
    """Send what is due for the person by the channel."""
    if channel not in Channel.values:
        return
    for _turn in range(BATCHES):
        batch = holding.take(user_id, channel)
        if batch is None:
            return
        _send(user_id, channel, batch)
    enqueue(SEND, user_id, channel)


def _send(user_id: int, channel: str, batch: Batch) -> None:
    user = User.objects.filter(pk=user_id, is_active=True).first()
    chosen = choices.settings_of(user_id)
    if user is None:
        holding.skip(batch.rows, "The account is switched off.")
        return
    way = personal.way_of(user, chosen, channel)
    if way is None:
        holding.failed(batch, _no_way(channel))
        return
    if batch.broken and not way.repeatable:
        holding.failed(batch, UNKNOWN)
        return
    wanted = _wanted(user, chosen, batch)
    if wanted:
        _tell(user, way, batch, wanted, partial(_after_quiet, user, chosen))


def _wanted(user: User, chosen: NotificationSettings, batch: Batch) -> list[NotificationDelivery]:
    """Those of the batch that the person has not read since, still sees, and still wants."""
    about = {row.notification_id for row in batch.rows}
    seen = set(visible(user).filter(pk__in=about).order_by().values_list("pk", flat=True))
    paused = choices.is_paused(chosen, clock.now())
    kept = []
    for row in batch.rows:
        line = row.notification
        if row.notification_id not in seen:
            holding.skip([row], "Not sent: it may not be seen any more.")
        elif line.listed and line.read_at is not None:
            holding.skip([row], "Not sent: it was read before.")
        elif paused or choices.mode_of(chosen, line.reason, row.channel) == OFF:
            holding.skip([row], "Not sent: it is not wanted any more.")
        else:
            kept.append(row)
    return kept


def _after_quiet(user: User, chosen: NotificationSettings, moment: datetime) -> datetime:
    """``moment``, or the end of the person's quiet hours: they hold for another try as for the first one."""
    quiet = choices.quiet_hours(chosen)
    return moments.after_quiet(moment, moments.zone_of(user.time_zone), quiet) if quiet else moment


def _tell(
    user: User,
    way: personal.Way,
    batch: Batch,
    rows: list[NotificationDelivery],
    fit: Callable[[datetime], datetime],
) -> None:
    newest = sorted((row.notification for row in rows), key=lambda one: one.pk, reverse=True)
    told = lines(user, newest)
    message = composing.message(told, way.cleared, recipients=way.recipients)
    try:
        way.send(message, key=f"notification-{batch.key}")
    except ConnectorError as error:
        if error.outcome_unknown and not way.repeatable:
            holding.failed(batch, UNKNOWN)
        elif error.permanent and not error.outcome_unknown:
            holding.failed(batch, error.message)
        else:
            holding.again(batch, error.message, error.retry_after or 0.0, fit)
    else:
        holding.sent(batch, "Sent.")


def _no_way(channel: str) -> str:
    if channel == Channel.EMAIL:
        return "E-mail is not set up, or you have no address."
    return "Your chat is not set up, or its connector is off."
