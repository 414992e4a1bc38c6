"""The rows of calls: begun before the call, finished after it, each in a transaction of its own (connectors.md 3)."""

from __future__ import annotations

import json
import uuid
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from typing import Any

from django.db import transaction

from soar.connectors.errors import ConnectorError
from soar.connectors.models import Attempt, ConnectorAccount
from soar.lib import clock, rows
from soar.lib.database import UNHURRIED, prepared, refuse_transaction
from soar.lib.http import Answer, RemoteError

MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)
_BEGUN = (
    "account_id", "operation", "idempotency_key", "request", "response", "status", "error", "permanent", "cause",
    "thread", "started_at",
)  # fmt: skip
_FINISHED = ("response", "status", "error", "permanent", "finished_at")
# Waits for somebody who is just removing the account, and then makes no row: nothing is sent by what is gone.
BEGIN = f"""
INSERT INTO connectors_attempt ({", ".join(_BEGUN)})
SELECT {", ".join(f"%({name})s{rows.cast(Attempt, name)}" for name in _BEGUN)}
FROM connectors_connectoraccount account{{held}}
WHERE account.id = %(account_id)s AND removed_at IS NULL FOR KEY SHARE OF account RETURNING id"""  # noqa: S608
FINISH = f"UPDATE connectors_attempt SET {rows.assigned(Attempt, _FINISHED)} WHERE id = %(pk)s"  # noqa: S608
FINISH_FOLLOWED = f"{FINISH} RETURNING {UNHURRIED}"
READ_AT_MOST = 1024 * 1024  # a larger answer is a file (a feed): its beginning is enough for the record


@dataclass(slots=True)
class Hold:
    """What has to be ours for a call to be made. ``lock``: a SELECT of one row that locks it, and of none once the
    work was taken over; ``values``: its named parameters, none of them called like a column of an attempt. ``first``:
    one that also finds none when what was decided on has changed, for the first call that acts; ``acted``: it was."""

    lock: str
    values: Mapping[str, Any]
    first: str = ""
    acted: bool = False


class Superseded(Exception):
    """What the call was decided on has changed; nothing was sent. No ConnectorError: see HeldBack."""


class NotHeld(ConnectorError):
    """The work was taken over by another worker; nothing was sent."""


_hold: ContextVar[Hold | None] = ContextVar("hold", default=None)


@contextmanager
def only_while(hold: Hold) -> Iterator[None]:
    """Calls of this thread are made only while the work is ours: a worker that stood still for longer than its lease
    must not make the call that its follower makes. Beginning one raises NotHeld when it is not, Superseded when the
    first that acts would be made on what is not so any more."""
    token = _hold.set(hold)
    try:
        yield
    finally:
        _hold.reset(token)


def begin(
    account: ConnectorAccount,
    operation: str,
    request: dict[str, Any],
    *,
    key: str,
    cause: uuid.UUID | None,
    thread: str = "",
) -> Attempt:
    """Write that a call is about to be made; committed when it returns. Raises ConnectorError over the rate budget and
    for an account that was removed, NotHeld and Superseded by ``only_while``.

    ``thread``: what a mail is about; the attempts of one thread get their ids one after the other."""
    refuse_transaction()  # in one the row would not be on disk before the call, and locks would wait for the network
    row = Attempt(
        account=account,
        operation=operation[:100],
        idempotency_key=key[:200],
        request=request,
        cause=cause,
        thread=thread[:200],
        started_at=clock.now(),
    )
    if not (thread or account.rate_per_minute or account.settings.get("rate_per_day")):
        _insert(row)
        return row
    with transaction.atomic():
        # One at a time per account, or two workers would both see the last free place, or both be the first. New tasks
        # that refer to the account need not wait for that.
        ConnectorAccount.everything.select_for_update(no_key=True).only("pk").get(pk=account.pk)
        _keep_budget(account)
        row.started_at = clock.now()
        _insert(row)
    return row


def _insert(row: Attempt) -> None:
    values = rows.given(Attempt, {name: getattr(row, name) for name in _BEGUN})
    hold = _hold.get()
    lock = hold.lock if hold else ""
    if hold:
        values |= hold.values
        if hold.first and row.idempotency_key and not hold.acted:
            lock = hold.first
    with prepared() as cursor:
        found = cursor.execute(_statement(lock), values, prepare=True).fetchone()
    if found is not None and hold and row.idempotency_key:
        hold.acted = True
    if found is None and hold and lock == hold.first and ConnectorAccount.objects.filter(pk=row.account_id).exists():
        raise Superseded
    if found is None and hold and ConnectorAccount.objects.filter(pk=row.account_id).exists():
        raise NotHeld("Another worker has taken this over; nothing was sent.", permanent=True)
    if found is None:
        raise ConnectorError(f"The connector {row.account.name} was removed.", permanent=True)
    row.pk, row._state.adding, row._state.db = found[0], False, "default"


@cache
def _statement(lock: str) -> str:
    # The lock and the row in one statement: whoever takes the work over sees the row, or we see that it is taken.
    return f"WITH held AS ({lock}) {BEGIN.format(held=', held')}" if lock else BEGIN.format(held="")


def finish(
    attempt: Attempt, answer: Answer, fine: Collection[int] = (), *, kept: bool = True, followed: bool = False
) -> None:
    """Keep the answer; of a good one the body only if ``kept``. Any status but 2xx and those that are ``fine`` is
    unsuccessful. ``followed``: the caller commits at once what came of it, and that commit waits for this one too."""
    ok = answer.ok or answer.status in fine
    redactor = answer.redactor
    attempt.response = {
        "status": answer.status,
        "content_type": answer.media_type,
        "body": redactor.data(_body(answer)) if kept or not ok else None,
        "tries": answer.tries,
        "request_id": answer.request_id,
    }
    attempt.status = "successful" if ok else "unsuccessful"
    attempt.error = "" if ok else f"answered {answer.status}"
    _save(attempt, followed=followed)


def succeed(attempt: Attempt, response: dict[str, Any]) -> None:
    """Keep the answer of what is not HTTP; it must hold no secret."""
    attempt.response, attempt.status, attempt.error = response, "successful", ""
    _save(attempt)


def fail(attempt: Attempt, error: RemoteError) -> None:
    """Keep why there is no answer."""
    attempt.status = "unknown_outcome" if error.outcome_unknown else "unsuccessful"
    attempt.error, attempt.permanent = error.message, error.permanent
    _save(attempt)


def lose(attempt: Attempt) -> None:
    """The call was broken off in this process (a stop, a time limit): nobody knows what it did."""
    attempt.status, attempt.error = "unknown_outcome", "broken off before the answer"
    _save(attempt)


def _save(attempt: Attempt, *, followed: bool = False) -> None:
    attempt.finished_at = clock.now()
    values = {name: getattr(attempt, name) for name in _FINISHED}
    with prepared() as cursor:
        statement = FINISH_FOLLOWED if followed else FINISH
        cursor.execute(statement, {"pk": attempt.pk, **rows.given(Attempt, values)}, prepare=True)


def _body(answer: Answer) -> Any:
    if len(answer.body) > READ_AT_MOST:
        return answer.body[:4000].decode("utf-8", errors="replace").replace("\x00", "")
    try:
        return json.loads(answer.body)
    except (ValueError, RecursionError):
        return answer.text.replace("\x00", "")


def _keep_budget(account: ConnectorAccount) -> None:
    """Calls a minute of every account; calls a day of the kinds that have the setting ``rate_per_day``."""
    day = account.settings.get("rate_per_day") or 0
    limits = [(most, span, word) for most, span, word in (
        (account.rate_per_minute, MINUTE, "minute"), (day, DAY, "day")
    ) if most]  # fmt: skip
    for most, span, word in limits:
        since = clock.now() - span
        recent = account.attempts.filter(started_at__gt=since).order_by("-started_at")
        oldest = recent.values_list("started_at", flat=True)[most - 1 : most].first()
        if oldest is not None:
            text = f"The budget of {most} calls a {word} of {account.name} is spent."
            raise ConnectorError(text, permanent=False, retry_after=max(0.0, (oldest - since).total_seconds()))
