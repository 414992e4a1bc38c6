"""A person says what happened to a call whose outcome nobody knows (rulings 6)."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from cases.actions.base import text_of
from cases.actors import Actor
from cases.errors import Conflict, Missing, Refused
from playbooks.actions import response_runs
from playbooks.actions.rights import locked_run
from playbooks.actions.runs import go_on
from playbooks.choices import Outcome, RunStatus, StepStatus
from playbooks.models import Run, Step
from playbooks.selectors import run_for
from soar.lib.clock import iso

STATUS_AFTER = {
    Outcome.DONE: StepStatus.SUCCESSFUL,
    Outcome.NOT_DONE: StepStatus.UNSUCCESSFUL,
    Outcome.REPEAT: StepStatus.QUEUED,
}


def decide(actor: Actor, run: Run | int | str, step: Step | int | str, outcome: str, comment: str = "") -> Run:
    """``done``: the call counts as successful, without a result. ``not_done``: it counts as failed, and the
    playbook is told so. ``repeat``: it is made again, with the same idempotency key.

    The run goes on as soon as nothing is left to decide. Raises Missing, Forbidden, Refused for another word,
    Conflict for a step that is not of unknown outcome. Of a response playbook, ``step`` is one of its tasks."""
    if outcome not in Outcome.values:
        raise Refused(_("outcome is one of: %(values)s.") % {"values": ", ".join(Outcome.values)}, field="outcome")
    note = text_of(comment or "", "comment", most=5000, required=False)
    seen = run_for(actor, run.pk if isinstance(run, Run) else run)
    if seen.playbook.kind == "response":
        return response_runs.decide(actor, seen, step.pk if isinstance(step, Step) else step, Outcome(outcome), note)
    return _decide(actor, seen, step, outcome, note)


@transaction.atomic
def _decide(actor: Actor, run: Run, step: Step | int | str, outcome: str, note: str) -> Run:
    row, _subject = locked_run(actor, run)
    found = _step(row, step)
    wanted = Outcome(outcome)
    found.status = STATUS_AFTER[wanted]
    if wanted == Outcome.NOT_DONE:
        found.error = f"{actor.name} decided that it did not happen."
    found.decision = {"outcome": outcome, "by": actor.name, "comment": note, "at": iso(timezone.now())}
    found.save(update_fields=["status", "error", "decision"])
    go_on(row)
    return row


def _step(row: Run, step: Step | int | str) -> Step:
    text = str(step.pk if isinstance(step, Step) else step)
    usable = text.isascii() and text.isdigit() and len(text) < 19
    found = row.steps.select_for_update().filter(pk=int(text)).first() if usable else None
    if found is None:
        raise Missing(_("This run has no step %(text)s.") % {"text": f"{text:.40}"})
    if found.status != StepStatus.UNKNOWN_OUTCOME:
        raise Conflict(
            _("%(name)s is %(label)s: there is nothing to decide.")
            % {"name": found.name, "label": _(str(found.state.label)).lower()}
        )
    if row.status not in (RunStatus.NEEDS_DECISION, RunStatus.CANCELLED, RunStatus.UNSUCCESSFUL):
        raise Conflict(_("The run is under way."))
    return found
