"""Cancelling and retrying runs of response playbooks, and saying what became of their tasks."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from cases.actors import Actor
from cases.errors import Conflict, Missing
from playbooks.actions import response_ends
from playbooks.actions.rights import needs, works_on
from playbooks.choices import Outcome, RunStatus, TaskStatus
from playbooks.models import ResponseTask, Run
from playbooks.permissions import playbook_for
from playbooks.response import steering
from playbooks.response.locking import Held, hold, together

RETRIABLE = (RunStatus.UNSUCCESSFUL, RunStatus.CANCELLED, RunStatus.PARTIALLY_SUCCESSFUL, RunStatus.NEEDS_DECISION)
MAY_NOT_RESPOND = gettext_noop("The permission to approve and run response actions is missing.")


def cancel(actor: Actor, run: Run) -> Run:
    """Stop what has not begun; what is under way ends first. Raises Forbidden, Conflict for a run that is over."""
    playbook_for(actor, run.playbook, "run")

    def write() -> Run:
        held = _held(actor, run)
        if held.run.state.is_final:
            raise Conflict(_("The run is %(label)s already.") % {"label": _(str(held.run.state.label)).lower()})
        steering.cancel(held, actor.name)
        return held.run

    return together(write)


def retry(actor: Actor, run: Run) -> Run:
    """Do again what failed, and nothing else. Raises Forbidden (also for whoever may not run response actions, as they
    would run again), Conflict for a run that has nothing to retry, or tasks to decide on first."""
    playbook_for(actor, run.playbook, "run")
    needs(actor, "respond", _(MAY_NOT_RESPOND))

    def write() -> Run:
        held = _held(actor, run)
        if held.run.status not in RETRIABLE:
            raise Conflict(
                _("The run is %(label)s: there is nothing to retry.") % {"label": _(str(held.run.state.label)).lower()}
            )
        if held.run.playbook.hindrance:
            raise Conflict(
                _("%(name)s starts nothing. %(hindrance)s")
                % {"name": held.run.playbook.name, "hindrance": held.run.playbook.hindrance}
            )
        if ResponseTask.objects.filter(run=run, status=TaskStatus.UNKNOWN_OUTCOME).exists():
            raise Conflict(_("First decide what happened to the tasks of unknown outcome."))
        steering.retry(held)
        return held.run

    return together(write)


def decide(actor: Actor, run: Run, task: int | str, outcome: Outcome, comment: str) -> Run:
    """Say what became of a task of unknown outcome; the run goes on when nothing is left to decide.

    Raises Missing, Forbidden, Conflict for one that is not such (``response_ends.decide``)."""
    text = str(task)
    usable = text.isascii() and text.isdigit() and len(text) < 19
    if not usable or not ResponseTask.objects.filter(run=run, pk=int(text)).exists():
        raise Missing(_("This run has no task %(text)s.") % {"text": f"{text:.40}"})
    response_ends.decide(actor, int(text), outcome.value, comment)
    return run


def _held(actor: Actor, run: Run) -> Held:
    """The run with its locks. Only under them is it asked whether the actor may work on its alert: the incident may be
    restricted in this very moment."""
    held = hold(run.pk)
    if held is None:
        raise Missing(_("There is no run %(run_pk)s.") % {"run_pk": run.pk})
    works_on(actor, held.alert)
    return held
