"""Acting on an object through a connector, outside of any transaction (connectors.md 3).

A call that may have happened is never simply made again: first the product is asked what became of it, then it is
repeated only where the product takes both for one, else a person must say (rulings 6)."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from functools import partial
from typing import Any, cast

from django.utils import timezone

from playbooks.models import ResponseTask
from playbooks.never_touch import Rule
from playbooks.response import changes
from playbooks.response.objects import RATED
from playbooks.response.protecting import against, asked_of, hold_found
from playbooks.response.tasks import Claimed, Ending, hold
from playbooks.response_words import label_of
from playbooks.steps import blocking
from playbooks.steps.calls import begun, given_up, minutes, overdue, unfinished
from playbooks.steps.outcomes import AskFirst, Later, Outcome, back_off, ended, poll_pause
from playbooks.steps.params import params_for
from playbooks.steps.routing import serves
from soar.connectors import attempts, registry
from soar.connectors.capabilities import CAPABILITIES, SENDER, Result, Target
from soar.connectors.errors import ConnectorError, HeldBack
from soar.connectors.intelligence.lookup import look_up, reason_of
from soar.connectors.responder import Responder
from soar.lib.database import AWAY

logger = logging.getLogger(__name__)
# They leave everything as it is: what a product took and did not finish may be ordered again.
HARMLESS = frozenset({"find_messages", "collect_file", "sandbox_file", "sandbox_url", "scan_endpoint"})
UNKNOWN = "The call may or may not have had its effect: its answer was lost"


def perform(held: Claimed) -> Outcome:
    """One attempt, or one question to the product."""
    task = held.task
    if held.phase == "" and (protected := _protected(task)):
        return Ending("no_action", reason=f"Not done: {protected}")
    listed = asked_of(held)
    if listed and (why := against(task, listed)):
        return AskFirst(why)
    hindrance, attempt = _hindrance(task), None
    try:
        attempt = None if hindrance else _Attempt(held, listed)
    except ConnectorError as error:  # its secrets cannot be read, or its kind is not known any more
        hindrance = error.message
    try:
        return _done(held, attempt, listed) or _without_account(held, hindrance)
    except attempts.Superseded:  # the never-touch list is asked anew
        return Later(0, "")


def _done(held: Claimed, attempt: _Attempt | None, listed: Sequence[Rule] | None) -> Outcome | None:
    """Our own list, then the product; None where that cannot be reached. Raises Superseded."""
    if held.task.capability in blocking.CAPABILITIES and held.phase != "poll":
        if attempt is not None and listed is not None and (why := attempt.seen()):
            return AskFirst(why)
        if said := blocking.locally(held.task, listed):
            return said
    return attempt.run() if attempt is not None else None


def _protected(task: ResponseTask) -> str:
    """Why a benign list or exception forbids it now, where it waited for people since it was looked at (13)."""
    known = CAPABILITIES.get(task.capability)
    type = str(task.target.get("type") or "")
    if task.approval_id is None or known is None or not known.destructive or task.target_kind not in (*RATED, SENDER):
        return ""
    return reason_of(look_up([(type, task.target_value)])[type, task.target_value])


def _hindrance(task: ResponseTask) -> str:
    """Why the connector cannot be used (response-playbooks.md 15); empty if it can."""
    label = label_of(task.action, task.capability)
    if task.account is None:
        return f"No connector is set up for “{label}” any more."
    if task.account.removed_at is not None:
        return f"The connector {task.account.name} was removed."
    if not task.account.enabled:
        return f"The connector {task.account.name} is disabled."
    return "" if serves(task.account, task.capability) else f"The connector {task.account.name} cannot do “{label}”."


def _without_account(held: Claimed, hindrance: str) -> Outcome:
    if held.phase == "":
        return Ending(unfinished(held.task), reason=hindrance)
    if overdue(held.task):
        return Ending("unknown_outcome", reason=f"{hindrance} What became of the call could not be asked.")
    return Later(30, held.phase, {"reason": hindrance})  # a connector may be enabled again


class _Attempt:
    """One look at a task whose connector is there."""

    def __init__(self, held: Claimed, listed: Sequence[Rule] | None) -> None:
        """``listed``: the never-touch list that the task was judged by; None if it was not."""
        self.held, self.task, self.listed = held, held.task, listed
        self.looked = listed is None
        assert self.task.account is not None
        self.account = self.task.account
        self.connector = cast("Responder", registry.of(self.account, cause=self.task.cause))  # it serves the capability
        self.connector.followed = True  # by ``performing``: put off or settled
        self.target = Target(self.task.target_kind, self.task.target_value, dict(self.task.target.get("facts") or {}))
        self.key = str(self.task.idempotency_key)
        self.connector.guard = partial(hold_found, self.task)

    def seen(self) -> str:
        """Why people have to be asked, by what the product knows of the target. Our own list does not wait for one that
        cannot be asked now; that one is asked again before it is told."""
        try:
            self.connector.look_first(self.task.capability, self.target)
        except HeldBack as found:
            return found.why
        except ConnectorError:
            return ""
        self.looked = True
        return ""

    def run(self) -> Outcome:
        if self.task.dry_run:
            return self._dry()
        if not changes.by_product(changes.undone_of(self.task)):
            return Ending("successful", message=changes.STAYS, data={"changed": False})
        if self.held.phase == "poll":
            return self._poll()
        if self.held.phase == "sent" and begun(self.task, self.account):
            return self._recover(UNKNOWN + ".")
        return self._call()

    def _dry(self) -> Outcome:
        try:
            sent = self.connector.requests(self.task.capability, self.target, params_for(self.task))
        except ConnectorError as error:
            return Ending("unsuccessful", reason=error.message)
        return Ending("successful", message="Dry run: nothing was sent.", request=sent)

    def _call(self) -> Outcome:
        if overdue(self.task):
            why = self.task.reason or "Its deadline passed before it could be done."
            return Ending(unfinished(self.task), reason=why)
        try:
            params = params_for(self.task)
            rules = None if self.listed is None else [rule.id for rule in self.listed]
            with attempts.only_while(hold(self.held, rules)):
                if not self.looked:
                    self.connector.look_first(self.task.capability, self.target)
                result = self.connector.perform(self.task.capability, self.target, params, key=self.key)
        except HeldBack as found:
            return AskFirst(found.why)
        except attempts.Superseded:
            raise
        except ConnectorError as error:
            return self._failed(error)
        except AWAY:  # our own database's trouble says nothing of the product: whoever has the task next looks there
            raise
        except Exception as error:
            logger.exception("Task %s failed in its connector", self.task.pk)
            if begun(self.task, self.account):
                return self._recover(f"{UNKNOWN} ({type(error).__name__}).")
            return Ending("unsuccessful", reason=f"The connector failed: {type(error).__name__}.")
        return self._result(result)

    def _failed(self, error: ConnectorError) -> Outcome:
        if error.outcome_unknown:
            return self._recover(error.message)
        if error.permanent:
            return Ending("unsuccessful", reason=error.message)
        return self._again(error, "", "unsuccessful")

    def _again(self, error: ConnectorError, phase: str, at_the_end: str) -> Outcome:
        """Later, if there is a later before the deadline."""
        wait = back_off(self.task.attempts, error.retry_after)
        if over := given_up(self.task, wait, error.message, at_the_end):
            return over
        return Later(wait, phase, {"reason": error.message})

    def _result(self, result: Result) -> Outcome:
        if result.state != "accepted":
            return ended(result)
        values: dict[str, Any] = {"reason": "", "message": result.message, "remote": result.remote}
        values["reference"] = result.reference or self.task.reference
        values |= {"data": {**self.task.data, **result.data}} if result.data else {}
        if result.request:
            values["request"] = result.request
        if result.answer is not None:
            values["answer"] = result.answer
        taken = self.task.accepted_at or timezone.now()
        return Later(poll_pause((timezone.now() - taken).total_seconds()), "poll", {**values, "accepted_at": taken})

    def _poll(self) -> Outcome:
        try:
            result = self.connector.poll(self.task.capability, self.task.reference)
        except ConnectorError as error:
            return self._unanswered(error)
        except AWAY:
            raise
        except Exception as error:
            logger.exception("Task %s could not be asked for", self.task.pk)
            return self._unanswered(ConnectorError(f"The connector failed: {type(error).__name__}.", permanent=False))
        if result.state == "accepted" and overdue(self.task):
            last = f"; it last said “{result.remote}”" if result.remote else ""
            text = f"The product took it but did not finish within {minutes(self.task)} minutes{last}."
            end = "unsuccessful" if self.task.capability in HARMLESS else "unknown_outcome"
            return Ending(end, reason=text, remote=result.remote)
        return self._result(result)

    def _unanswered(self, error: ConnectorError) -> Outcome:
        """It was taken; only the question failed. Even a refusal of it says nothing of the task."""
        if overdue(self.task):
            text = f"The product took it, but could not be asked what became of it: {error.message}"
            return Ending("unknown_outcome", reason=text)
        wait = error.retry_after if error.retry_after is not None else 30 if error.permanent else None
        return Later(back_off(min(self.task.attempts, 5), wait), "poll", {"reason": error.message})

    def _recover(self, why: str) -> Outcome:
        """What became of a call whose answer was lost."""
        try:
            result = self.connector.recall(self.task.capability, self.target, key=self.key)
        except ConnectorError as error:
            if not error.permanent:
                return self._again(error, "sent", "unknown_outcome")
            result = None
        if result is not None:
            return self._result(result)
        if self.connector.may_repeat(self.task.capability) and not overdue(self.task):
            return Later(back_off(self.task.attempts), "", {"reason": why})
        return Ending("unknown_outcome", reason=why)
