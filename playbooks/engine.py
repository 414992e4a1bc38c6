"""Executes runs: claim, let the playbook's function run while every call is recorded, write how it ended.

All state is in rows (stack: run and step rows are the truth, the queue is a doorbell). A run that lost its
lease is left alone: whoever has it now goes on from the record."""

from __future__ import annotations

import asyncio
import inspect
import logging
import time
from collections.abc import Callable
from typing import Any

from playbooks import jsonable, waiting
from playbooks.announce import actor_of
from playbooks.calls import performing
from playbooks.choices import RunStatus
from playbooks.claims import Claim, Outcome, claim, claim_next, finish
from playbooks.effects import Case
from playbooks.heartbeat import Heartbeat
from playbooks.intelligence import own_thread
from playbooks.ledger import Cancelled, Ledger, LostLease
from playbooks.models import Step
from playbooks.opening import DRAIN_TASK
from playbooks.scribe import Scribe
from playbooks.session import Session, Suspended
from playbooks.subject import SubjectView
from soar.lib.context import caused_by
from soar.lib.database import AWAY, forget_connection
from soar.lib.queue import enqueue

logger = logging.getLogger(__name__)
PATIENCE = 1.0  # seconds
_KEPT = ("observables", "assets", "alerts", "runs")  # loaded late, but the same again after a crash


def execute(run_id: int) -> None:
    """Execute the run, and what follows it in its sequence. Returns at once if it is not to be had."""
    go_on(claim(run_id))


def go_on(held: Claim | None) -> None:
    """Execute a run that is claimed already, and what follows it in its sequence."""
    while held is not None:
        run = held.run.pk
        try:
            with caused_by(held.run.cause):
                held = finish(held, perform(held))
        except LostLease:
            logger.warning("Run %s is no longer ours; it goes on elsewhere.", run)
            return
        except AWAY as error:
            forget_connection()
            logger.warning("The database went away under run %s: %s", run, error)
            return


def drain(seconds: float = PATIENCE) -> None:
    """Execute the runs on alerts that wait for anybody. What is left after ``seconds`` is rung for again, behind
    the other tasks: fresh alerts do not wait for the end of a backlog."""
    end = time.monotonic() + seconds
    while (held := claim_next()) is not None:
        go_on(held)
        if time.monotonic() >= end:
            if waiting.any_next():
                enqueue(DRAIN_TASK)
            return


def perform(held: Claim) -> Outcome:
    """Let the playbook's function run in a thread of its own while this one writes. Raises LostLease."""
    scribe = Scribe()
    session = _session(held, scribe)
    view = _late(held, session)
    with Heartbeat(held.run.pk, held.owner, session):
        ended = scribe.serve(own_thread(lambda: _run(held.entry.found.spec.function, view, session)))
    if session.lost:
        forget_connection()
        raise LostLease
    return _outcome(held, session, *ended)


def _session(held: Claim, scribe: Scribe) -> Session:
    run = held.run
    return Session(
        Case(actor_of(run), run.alert_id, run.incident_id),
        Ledger(run.pk, held.owner),
        scribe,
        steps=list(Step.objects.filter(run=run)) if held.resumed else [],
        cause=run.cause,
        changed=held.resumed and run.version_id is not None and run.version_id != held.entry.version,
        dry_run=run.dry_run,
    )


def _late(held: Claim, session: Session) -> SubjectView:
    """The view, whose late keys are read by the scribe and kept with the run."""
    kept = held.run.input or {}

    def through(key: str, load: Callable[[], Any]) -> Callable[[], Any]:
        def read() -> Any:
            value = load()
            if key in _KEPT:
                session.ledger.remember(key, value)
            return value

        return lambda: kept[key] if key in kept else session.scribe.call(read)

    return held.view.with_loaders(through)


def _run(function: Callable[..., Any], view: SubjectView, session: Session) -> tuple[Any, BaseException | None]:
    """In the playbook's thread: what the function returned, and what it raised."""
    try:
        with performing(session):
            if inspect.iscoroutinefunction(function):
                return asyncio.run(_main(function, view, session))
            return function(view), None
    except BaseException as error:
        return None, error


async def _main(function: Callable[..., Any], view: SubjectView, session: Session) -> tuple[Any, BaseException | None]:
    task = asyncio.ensure_future(function(view))
    session.interruptible(asyncio.get_running_loop(), task)
    value: Any = None
    raised: BaseException | None = None
    try:
        value = await task
    except BaseException as error:
        raised = error
    await _landed(session)
    return value, raised


async def _landed(session: Session) -> None:
    """Wait for calls still in flight: their time-outs bound it, and their outcome belongs in the record."""
    while session.flying and not session.lost:
        await asyncio.sleep(0.01)


def _outcome(held: Claim, session: Session, value: Any, raised: BaseException | None) -> Outcome:
    forgotten = session.never_awaited()
    for call in forgotten:
        call.close()
    if session.reason:
        return Outcome(RunStatus.NEEDS_DECISION, error=session.reason)
    if session.cancelled:
        return Outcome(RunStatus.CANCELLED, error="A person cancelled it.")
    if session.asking:
        return Outcome(RunStatus.PENDING_APPROVAL)
    if raised is not None:
        return _failure(raised, session)
    if forgotten:
        names = ", ".join(dict.fromkeys(call.spec.name for call in forgotten))
        return Outcome(RunStatus.UNSUCCESSFUL, error=f"Called without await, so it did nothing: {names}.")
    return _left_over(held, session) or _success(held, value)


def _left_over(held: Claim, session: Session) -> Outcome | None:
    """Recorded calls that were not made again: the code has changed, or does not do the same twice."""
    left = session.left_over()
    if not left:
        return None
    Step.objects.filter(pk__in=[step.pk for step in left]).update(stale=True)
    if held.run.version_id is None:  # a person has seen it and said: go on
        return None
    names = ", ".join(dict.fromkeys(step.name for step in left))
    return Outcome(RunStatus.NEEDS_DECISION, error=f"Recorded calls were not made again by the code as it is: {names}.")


def _success(held: Claim, value: Any) -> Outcome:
    try:
        return Outcome(RunStatus.SUCCESSFUL, result=jsonable.to_json(value, "What the playbook returned"))
    except jsonable.NotJson as error:
        return Outcome(RunStatus.UNSUCCESSFUL, error=str(error))


def _failure(raised: BaseException, session: Session) -> Outcome:
    if isinstance(raised, Suspended | Cancelled | asyncio.CancelledError):
        return Outcome(RunStatus.UNSUCCESSFUL, error="The playbook cancelled itself.")
    text = session.text_of(raised)
    if session.dry_run:
        text += " (In a dry run every action returns nothing.)"
    return Outcome(RunStatus.UNSUCCESSFUL, error=text, traceback=session.traceback_of(raised))
