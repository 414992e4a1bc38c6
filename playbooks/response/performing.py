"""One task, from its claim to its end: chosen by its action's group, performed, written down."""

from __future__ import annotations

import logging
from collections.abc import Callable

from django.db import transaction

from playbooks.choices import TaskStatus
from playbooks.graph.actions import ACTIONS
from playbooks.models import ResponseTask
from playbooks.response import tasks
from playbooks.response.advance import Last, after_task, end_among_others
from playbooks.response.holding_back import ask_first
from playbooks.response.locking import Held, together
from playbooks.response.tasks import Claimed, Ending, LostLease
from playbooks.steps import casework, notify, respond, ticket
from playbooks.steps.calls import acted, cancelled, withdrawn
from playbooks.steps.outcomes import AskFirst, Later, Outcome
from soar.connectors import attempts

logger = logging.getLogger(__name__)


def perform(held: Claimed) -> None:
    """Do what is due of a claimed task and write what came of it. Never raises LostLease: who lost it leaves it."""
    try:
        group = group_of(held.task)
        if group == "case":
            together(lambda: _in_the_case(held))
            return
        with attempts.only_while(tasks.hold(held)):
            outcome = _performed(held, group)
        if isinstance(outcome, AskFirst):
            why = outcome.why
            together(lambda: ask_first(held, why))
        elif isinstance(outcome, Later):
            _put_off(held, outcome)
        else:
            settle(held, outcome)
    except LostLease:
        logger.warning("Task %s is no longer ours; what became of it is for others to write.", held.task.pk)


def _performed(held: Claimed, group: str) -> Outcome:
    if held.task.action == "ticket":
        return ticket.perform(held)
    if held.lost and held.phase != "poll" and (why := _withdrawn(held)) and not acted(held.task):
        return Ending("cancelled", reason=why)  # its worker died before the call, and now it is not wanted any more
    return notify.perform(held) if group == "notify" else respond.perform(held)


def _withdrawn(held: Claimed) -> str:
    with transaction.atomic():
        return withdrawn(held.task.run_id)


def _put_off(held: Claimed, later: Later) -> None:
    """Look at the task again later; but nothing that would only then be sent waits in a run that was cancelled while
    the call was under way. Cancelling holds the run's lock: it sees the task waiting, or is seen here."""
    with transaction.atomic():
        why = "" if later.phase else withdrawn(held.task.run_id)
        if not why:
            tasks.put_off(held, later.seconds, status=later.status, phase=later.phase, **later.values)
    if why:
        settle(held, cancelled(held.task, why))


def settle(held: Claimed, ending: Ending) -> None:
    """Write how a task ended, and go on with its run if it was the last of its step, in one transaction.

    Raises LostLease if the task is no longer held by this worker."""

    def write() -> None:
        tasks.end(held, ending)

    if held.task.run_id is not None:
        try:
            with transaction.atomic():
                end_among_others(held.task, write)
            return
        except Last:  # all locks, then: in their order
            held.task.status = TaskStatus.IN_PROGRESS
    together(lambda: _settle(held, write))


def _settle(held: Claimed, write: Callable[[], None]) -> None:
    with after_task(held.task):
        write()


def group_of(task: ResponseTask) -> str:
    """case, notify, or the group of a response action; "" for an inverse, which only connectors know."""
    return ACTIONS[task.action].group if task.action in ACTIONS else ""


def _in_the_case(held: Claimed) -> None:
    """The change of the case, the end of the task and what follows: one transaction, so nothing happens twice."""
    with after_task(held.task) as run:
        if not ResponseTask.objects.filter(pk=held.task.pk, lease_owner=held.owner, status=_UNDER_WAY).exists():
            raise LostLease
        tasks.end(held, _act(run, held.task))


_UNDER_WAY = TaskStatus.IN_PROGRESS


def _act(run: Held | None, task: ResponseTask) -> Ending:
    if run is None:
        return Ending("unsuccessful", reason="It has no run whose case it could change.")
    if run.run.cancel_requested and not run.run.state.is_final:
        return Ending("cancelled", reason=run.run.error)
    return casework.act(run, task)
