"""What the region of a run needs: head, decisions, sequence, steps, facts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Max, Q
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from playbooks.actions.runs import RETRIABLE
from playbooks.choices import Outcome, RunStatus, StartedBy, StepStatus
from playbooks.models import Run, Step
from playbooks.views import words
from playbooks.views.parts import Context, rights_of, signature, subject_url, workers_alive
from playbooks.views.run_rows import place_of
from soar.accounts.models import User
from soar.lib import parts

STEPS_SHOWN = 40
RESULT_AT_MOST = 3000
OUTCOMES = (
    (Outcome.DONE.value, gettext_lazy("It happened"), gettext_lazy("It counts as successful, without a result.")),
    (
        Outcome.NOT_DONE.value,
        gettext_lazy("It did not happen"),
        gettext_lazy("It counts as failed; the playbook is told so."),
    ),
    (
        Outcome.REPEAT.value,
        gettext_lazy("Do it again"),
        gettext_lazy("It is made once more. If it did happen, it happens twice."),
    ),
)
STATUSES_TO_RETRY = (StepStatus.UNSUCCESSFUL, StepStatus.CANCELLED)


@dataclass(frozen=True, slots=True)
class StepRow:
    """A recorded call, finished for the page."""

    step: Step
    nested: bool
    state: SafeString
    answer: str
    arguments: words.Value | None
    result: words.Value | None
    took: str
    decided: str
    unknown: bool


@dataclass(frozen=True, slots=True)
class Steps:
    """A page of steps, and figures over all of them."""

    rows: list[Step]
    total: int
    failed: int
    unknown: int
    finished: Any
    attempts: int
    after: int
    next: int


def steps_page(run: Run, after: int = 0) -> Steps:
    """The steps behind position ``after``, at most 40. Those of unknown outcome are never left out."""
    unknown = Q(status=StepStatus.UNKNOWN_OUTCOME)
    figures = run.steps.aggregate(
        total=Count("pk"),
        failed=Count("pk", filter=Q(status__in=STATUSES_TO_RETRY, stale=False)),
        unknown=Count("pk", filter=unknown),
        finished=Max("finished_at"),
        attempts=Max("attempts"),
    )
    rows = list(run.steps.filter(position__gt=after).order_by("position", "pk")[: STEPS_SHOWN + 1])
    more = rows[STEPS_SHOWN - 1].position if len(rows) > STEPS_SHOWN else 0
    shown = rows[:STEPS_SHOWN]
    if figures["unknown"] > sum(step.status == StepStatus.UNKNOWN_OUTCOME for step in shown):
        known = {step.pk for step in shown}
        shown += [step for step in run.steps.filter(unknown)[:STEPS_SHOWN] if step.pk not in known]
    return Steps(
        shown,
        figures["total"],
        figures["failed"],
        figures["unknown"],
        figures["finished"],
        figures["attempts"] or 0,
        after,
        more,
    )


def sequence_of(run: Run) -> list[Run]:
    """The runs of the same sequence in their order; nothing for a run that is alone."""
    if run.sequence is None or run.sequence.total < 2:
        return []
    rows = Run.objects.filter(sequence=run.sequence_id).select_related("playbook").order_by("position")
    return list(rows.only("status", "position", "playbook__name", "sequence_id")[:100])


def signature_of(run: Run, steps: Steps, others: Sequence[Run], workers: int) -> str:
    """Changes with anything that the page shows."""
    mine = (run.status, run.attempts, run.cancel_requested, run.version_id, str(run.finished_at), run.error)
    shown = [(step.pk, step.status, step.attempts, step.stale, str(step.finished_at)) for step in steps.rows]
    figures = (steps.total, steps.failed, steps.unknown, str(steps.finished), steps.attempts)
    return signature(mine, shown, figures, [(other.pk, other.status) for other in others], bool(workers))


def page_context(user: User, run: Run, steps: Steps, others: Sequence[Run]) -> Context:
    """What the template of a run shows."""
    now = timezone.now()
    workers = workers_alive()
    rights = rights_of(user, run.playbook)
    rows = [step_row(step, now) for step in steps.rows]
    alive = not run.state.is_final
    return {
        "run": run,
        "state": parts.state(run.status, running=True),
        "subject": words.subject_number(run),
        "subject_url": subject_url(run),
        "origin": words.origin_of(run),
        "trigger": _(str(StartedBy(run.trigger).label)),
        "rights": run.acting_user.display_name() if run.acting_user else "",
        "took": words.took(run.started_at, run.finished_at, now),
        "place": place_of(run),
        "sequence": [(other, parts.STATE_ICONS.get(other.status, _sign(other.status))) for other in others],
        "steps": steps,
        "rows": rows,
        "to_decide": [row for row in rows if row.unknown],
        "outcomes": OUTCOMES,
        "result": words.value_of(run.result, RESULT_AT_MOST) if run.result not in (None, "") else None,
        "error": words.value_of(run.error, RESULT_AT_MOST) if run.error else None,
        "traceback": words.value_of(run.traceback, RESULT_AT_MOST) if run.traceback else None,
        "alive": alive or any(not other.state.is_final for other in others),
        "can_cancel": rights["may_run"] and alive and not run.cancel_requested,
        "can_retry": rights["may_run"] and run.status in RETRIABLE and not steps.unknown and not run.playbook.hindrance,
        "waits": run.status == RunStatus.NEEDS_DECISION and not steps.unknown,
        "workers": workers,
        **rights,
    }


def _sign(status: str) -> str:
    return "st-running" if status == RunStatus.IN_PROGRESS else f"st-{status}"


def step_row(step: Step, now: Any) -> StepRow:
    """One step for the table."""
    failed = step.error.strip().splitlines()
    answer = failed[-1][: words.LINE_AT_MOST] if failed else words.line_of(step.result)
    return StepRow(
        step=step,
        nested=step.parent_id is not None,
        state=parts.state(step.status, running=True),
        answer=answer,
        arguments=words.value_of(step.arguments) if step.arguments else None,
        result=words.value_of(step.result) if step.result is not None else None,
        took=words.took(step.started_at, step.finished_at, now),
        decided=_decision(step),
        unknown=step.status == StepStatus.UNKNOWN_OUTCOME,
    )


def _decision(step: Step) -> str:
    """ "Mara Lindqvist: It happened. The ticket is there."; nothing if nobody had to decide."""
    made = step.decision if isinstance(step.decision, dict) else None
    if not made:
        return ""
    label = dict(Outcome.choices).get(str(made.get("outcome")), "")
    said = _("%(name)s decided: %(what)s.") % {"name": made.get("by", ""), "what": _(str(label)).lower()}
    return f"{said} {made.get('comment') or ''}".strip()
