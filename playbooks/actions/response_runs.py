"""Cancelling and retrying runs of response playbooks, and saying what became of their tasks."""

from __future__ import annotations

from cases.actors import Actor
from cases.errors import Conflict, Missing
from playbooks.actions.rights import needs
from playbooks.choices import Outcome, RunStatus, TaskStatus
from playbooks.models import ResponseTask, Run
from playbooks.response import steering
from playbooks.response.locking import Held, hold, together

RETRIABLE = (RunStatus.UNSUCCESSFUL, RunStatus.CANCELLED, RunStatus.PARTIALLY_SUCCESSFUL, RunStatus.NEEDS_DECISION)
MAY_NOT = "The permission to run playbooks is missing."
MAY_NOT_RESPOND = "The permission to approve and run response actions is missing."


def cancel(actor: Actor, run: Run) -> Run:
    """Stop what has not begun; what is under way ends first. Raises Forbidden, Conflict for a run that is over."""
    needs(actor, "run_playbooks", MAY_NOT)

    def write() -> Run:
        held = _held(run)
        if held.run.state.is_final:
            raise Conflict(f"The run is {held.run.state.label.lower()} already.")
        steering.cancel(held, actor.name)
        return held.run

    return together(write)


def retry(actor: Actor, run: Run) -> Run:
    """Do again what failed, and nothing else. Raises Forbidden (also for whoever may not run response actions, as they
    would run again), Conflict for a run that has nothing to retry, or tasks to decide on first."""
    needs(actor, "run_playbooks", MAY_NOT)
    needs(actor, "respond", MAY_NOT_RESPOND)

    def write() -> Run:
        held = _held(run)
        if held.run.status not in RETRIABLE:
            raise Conflict(f"The run is {held.run.state.label.lower()}: there is nothing to retry.")
        if held.run.playbook.hindrance:
            raise Conflict(f"{held.run.playbook.name} starts nothing. {held.run.playbook.hindrance}")
        if ResponseTask.objects.filter(run=run, status=TaskStatus.UNKNOWN_OUTCOME).exists():
            raise Conflict("First decide what happened to the tasks of unknown outcome.")
        steering.retry(held)
        return held.run

    return together(write)


def decide(actor: Actor, run: Run, task: int | str, outcome: Outcome, comment: str) -> Run:
    """Say what became of a task of unknown outcome. Raises Missing, Forbidden, Conflict for one that is not such."""
    needs(actor, "run_playbooks", MAY_NOT)
    if outcome == Outcome.REPEAT:
        needs(actor, "respond", MAY_NOT_RESPOND)

    def write() -> Run:
        held = _held(run)
        found = _task(held, task)
        steering.decide(held, found, outcome, actor.name, comment)
        return held.run

    return together(write)


def _held(run: Run) -> Held:
    held = hold(run.pk)
    if held is None:
        raise Missing(f"There is no run {run.pk}.")
    return held


def _task(held: Held, pk: int | str) -> ResponseTask:
    text = str(pk)
    usable = text.isascii() and text.isdigit() and len(text) < 19
    rows = ResponseTask.objects.select_for_update(of=("self",)).filter(run=held.run)
    found = rows.filter(pk=int(text)).first() if usable else None
    if found is None:
        raise Missing(f"This run has no task {text:.40}.")
    if found.status != TaskStatus.UNKNOWN_OUTCOME:
        raise Conflict(f"The task is {found.state.label.lower()}: there is nothing to decide.")
    return found
