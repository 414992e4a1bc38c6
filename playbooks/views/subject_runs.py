"""What playbooks put on the pages of alerts and incidents: the box of runs, and running one by hand (rulings 23)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.db.models import F, Q, Window
from django.db.models.functions import RowNumber
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from cases.actors import Actor
from cases.errors import Conflict, Refused
from cases.models import Alert, Incident
from cases.permissions import alert_for, incident_for
from playbooks import actions
from playbooks.choices import RunStatus, Trigger
from playbooks.disclosure import withhold
from playbooks.models import ResponseTask, Run, Step
from playbooks.permissions import holding, holds_any
from playbooks.response_selectors import visible_tasks
from playbooks.selectors import runnable
from playbooks.views import words
from playbooks.views.node_lines import Line, lines_of
from playbooks.views.parts import Context, person_of, rights_of, signature, signed_in_reader, workers_alive
from playbooks.views.responses import rows_of as task_rows
from playbooks.views.responses import with_lines
from playbooks.views.run_rows import Row, rows_of
from soar.accounts.membership import may
from soar.accounts.models import User
from soar.lib import parts
from soar.lib.htmx import is_partial, live, render_regions

TEMPLATE = "playbooks/box.html"
RUNS_SHOWN = 8
OPENED = 3  # runs whose steps are shown
STEPS_SHOWN = 6
TASKS_SHOWN = 6
ALIVE = ("queued", "in_progress")
Subject = Alert | Incident


@dataclass(frozen=True, slots=True)
class StepLine:
    """A step as a line of the box."""

    name: str
    state: SafeString
    note: str


@dataclass(frozen=True, slots=True)
class Group:
    """A run with the first of its steps."""

    row: Row
    state: SafeString
    steps: list[StepLine]
    more: int
    decide: bool


@signed_in_reader
@require_safe
def alert_runs(request: HttpRequest, number: str) -> HttpResponse:
    """The box of an alert's runs; 204 when nothing changed since ``sig``."""
    return _box(request, alert_for(person_of(request), number))


@signed_in_reader
@require_safe
def incident_runs(request: HttpRequest, number: str) -> HttpResponse:
    """The box of an incident's runs, and of those on its alerts; 204 when nothing changed since ``sig``."""
    return _box(request, incident_for(person_of(request), number))


@signed_in_reader
@require_POST
def alert_run(request: HttpRequest, number: str) -> HttpResponse:
    """Run a playbook on the alert, with the rights of the person."""
    return _run(request, alert_for(person_of(request), number))


@signed_in_reader
@require_POST
def incident_run(request: HttpRequest, number: str) -> HttpResponse:
    """Run a playbook on the incident, with the rights of the person."""
    return _run(request, incident_for(person_of(request), number))


def _box(request: HttpRequest, subject: Subject) -> HttpResponse:
    if not is_partial(request):
        return redirect(_all_url(subject))
    context = box_context(person_of(request), subject)
    if context["sig"] == request.GET.get("sig"):
        return HttpResponse(status=204)
    return render_regions(request, TEMPLATE, ["box"], context)


def _run(request: HttpRequest, subject: Subject) -> HttpResponse:
    user = person_of(request)
    alert, incident = (subject, None) if isinstance(subject, Alert) else (None, subject)
    try:
        if not request.POST.get("playbook", "").strip():
            raise Refused(_("Choose a playbook."), field="playbook")
        dry = request.POST.get("dry_run", "") not in ("", "0", "false")
        run = actions.run_by_hand(Actor.of(user), request.POST["playbook"], alert=alert, incident=incident, dry_run=dry)
    except (Refused, Conflict) as error:
        if not is_partial(request):
            raise
        context = {**box_context(user, subject), "problem": error.message}
        status = 409 if isinstance(error, Conflict) else 422
        return render_regions(request, TEMPLATE, ["box"], context, extra=[live(error.message)], status=status)
    said = _("%s is queued.") % run.playbook.name
    if not is_partial(request):
        messages.success(request, said)
        return redirect("run-detail", run.pk)
    return render_regions(request, TEMPLATE, ["box"], box_context(user, subject), extra=[live(said)])


def box_context(user: User, subject: Subject) -> Context:
    """What the box shows, with the signature for its next poll."""
    runs, more = _runs(user, subject)
    opened = _opened(subject, runs)
    steps = _steps([run.pk for run in opened])
    withhold(user, opened, [step for found in steps.values() for step in found])
    nodes = lines_of(steps, {run.pk: run.version_id for run in opened})
    workers = workers_alive()
    rights = rights_of(user)
    kind = "alert" if isinstance(subject, Alert) else "incident"
    merged = isinstance(subject, Incident) and subject.merged_at is not None
    rights["may_run"] = not merged and (rights["may_run"] or holds_any(user, "run"))
    by_hand = hands_on(user, subject)
    states = [(run.pk, run.status, str(run.started_at), str(run.finished_at)) for run in runs]
    lines = [(step.pk, step.status, step.attempts) for found in steps.values() for step in found]
    start = Trigger.WEBHOOK if kind == "alert" else Trigger.INCIDENT
    return {
        "number": subject.number,
        "kind": kind,
        "groups": [_group(row, steps.get(row.run.pk, []), nodes) for row in rows_of(runs)],
        "more": more,
        "all_url": _all_url(subject),
        "box_url": reverse(f"{kind}-runs", args=[subject.number]),
        "run_url": reverse(f"{kind}-run", args=[subject.number]),
        "playbooks": runnable(holding(user, "run"), start, Trigger.MANUAL) if rights["may_run"] else [],
        "alive": any(not run.state.is_final for run in runs) or any(task.status in ALIVE for task in by_hand),
        "workers": workers,
        "by_hand": task_rows(by_hand),
        "tasks_url": f"{reverse('response-list')}?{kind}={subject.number}&origin=hand",
        "respond_url": f"{reverse('response-new')}?{kind}={subject.number}",
        "may_respond": may(user, "respond") and not merged,
        "sig": signature(
            states, lines, list(nodes.values()), bool(workers), [(task.pk, task.status) for task in by_hand]
        ),
        **rights,
    }


def _runs(user: User, subject: Subject) -> tuple[list[Run], bool]:
    rows = Run.objects.visible_to(user)
    rows = rows.filter(alert=subject) if isinstance(subject, Alert) else rows.on_incident(subject.pk)
    found = list(rows.with_row_data().order_by("-id")[: RUNS_SHOWN + 1])
    return found[:RUNS_SHOWN], len(found) > RUNS_SHOWN


def _opened(subject: Subject, runs: list[Run]) -> list[Run]:
    """Whose steps are shown. An incident has the runs of all its alerts: those that went well need no look."""
    if isinstance(subject, Incident):
        runs = [run for run in runs if run.status != RunStatus.SUCCESSFUL]
    return runs[:OPENED]


def hands_on(user: User, subject: Subject) -> list[ResponseTask]:
    """What people had done by hand, newest first; of an incident also on its alerts."""
    rows = visible_tasks(user).filter(run=None)
    if isinstance(subject, Alert):
        rows = rows.filter(alert=subject)
    else:
        # Ids first: OR over a join makes the planner read all tasks.
        alerts = list(Alert.objects.filter(incident=subject).order_by().values_list("pk", flat=True))
        rows = rows.filter(Q(incident=subject) | Q(alert__in=alerts))
    return list(with_lines(rows).order_by("-pk")[:TASKS_SHOWN])


def _steps(runs: Sequence[int]) -> dict[int, list[Any]]:
    """The first steps of these runs: what they call themselves, not what those call in turn."""
    number = Window(RowNumber(), partition_by=F("run"), order_by=[F("position").asc(), F("id").asc()])
    rows = (
        Step.objects.filter(run__in=runs, parent=None)
        .annotate(number=number)
        .filter(number__lte=STEPS_SHOWN + 1)
        .defer("arguments", "decision")
        .order_by("run", "position", "pk")
    )
    found: dict[int, list[Any]] = {}
    for step in rows:
        found.setdefault(step.run_id, []).append(step)
    return found


def _group(row: Row, steps: Sequence[Step], nodes: Mapping[int, Line]) -> Group:
    shown = steps[:STEPS_SHOWN]
    return Group(
        row=row,
        state=parts.state(row.run.status, hidden=True, running=True),
        steps=[_line(step, nodes) for step in shown],
        more=len(steps) - len(shown),
        decide=row.run.status == "needs_decision",
    )


def _line(step: Step, nodes: Mapping[int, Line]) -> StepLine:
    name, note = nodes.get(step.pk) or (step.name, _note(step))
    return StepLine(name, parts.state(step.status, hidden=True, running=True), note)


def _note(step: Step) -> str:
    """A few words beside a step: its error or its result."""
    said = step.error.strip().splitlines()
    return (said[-1] if said else words.line_of(step.result))[:60]


def _all_url(subject: Subject) -> str:
    kind = "alert" if isinstance(subject, Alert) else "incident"
    return f"{reverse('run-list')}?{kind}={subject.number}"
