"""Telling people the results of a run, by mail or a channel (response-playbooks.md 23, 24)."""

from __future__ import annotations

import logging

from playbooks.models import ResponseTask
from playbooks.response.report import message_of
from playbooks.response.tasks import Claimed, Ending
from playbooks.steps.calls import begun, given_up, overdue
from playbooks.steps.outcomes import Later, Outcome, back_off, ended
from soar.connectors import notify
from soar.connectors.errors import ConnectorError
from soar.connectors.models import ConnectorAccount
from soar.lib.database import AWAY

logger = logging.getLogger(__name__)


def perform(held: Claimed) -> Outcome:
    """One attempt to send the report."""
    task = held.task
    account = account_of(task)
    if account is None:
        return Ending("unsuccessful", reason=_missing(task))
    if held.phase == "sent" and begun(task, account):
        if not notify.repeatable(account):
            return Ending("unknown_outcome", reason="Its worker stopped while the message was being sent.")
    elif overdue(task):
        return Ending("unsuccessful", reason=task.reason or "Its deadline passed before it could be sent.")
    if task.dry_run:
        return Ending("successful", message="Dry run: nothing was sent.")
    return _send(task, account)


def account_of(task: ResponseTask) -> ConnectorAccount | None:
    """The channel of the task, or the account that sends mail."""
    return notify.mail_account() if task.action == "email" else notify.channel_named(task.target_value)


def _missing(task: ResponseTask) -> str:
    if task.action == "email":
        return "No connector for e-mail is set up."
    return f"There is no enabled channel {task.target_value:.100}."


def _send(task: ResponseTask, account: ConnectorAccount) -> Outcome:
    try:
        result = notify.send(account, message_of(task), key=str(task.idempotency_key), cause=task.cause)
    except ConnectorError as error:
        return _failed(task, account, error)
    except AWAY:  # our own database's trouble says nothing of the message
        raise
    except Exception as error:
        logger.exception("Task %s failed in its channel", task.pk)
        if begun(task, account):
            return Ending("unknown_outcome", reason=f"The channel failed: {type(error).__name__}.")
        return Ending("unsuccessful", reason=f"The channel failed: {type(error).__name__}.")
    return ended(result)


def _failed(task: ResponseTask, account: ConnectorAccount, error: ConnectorError) -> Outcome:
    if error.outcome_unknown and not notify.repeatable(account):
        return Ending("unknown_outcome", reason=error.message)
    if error.permanent:
        return Ending("unsuccessful", reason=error.message)
    wait = back_off(task.attempts, error.retry_after)
    return given_up(task, wait, error.message) or Later(wait, "", {"reason": error.message})
