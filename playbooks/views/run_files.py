"""Runs as files: tasks of a run or node as CSV, its report, the filtered list (response-playbooks.md 24, 26)."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from cases.errors import Missing
from cases.restricted_views import note_rows
from playbooks.disclosure import withhold
from playbooks.models import Run
from playbooks.representation import run_dict
from playbooks.response.report import message_from, report_of
from playbooks.response_words import label_of
from playbooks.selectors import run_for
from playbooks.views.parts import person_of, signed_in_reader
from playbooks.views.response_run import chosen_tasks, graph_for
from playbooks.views.runs import selected
from soar.accounts import audit
from soar.accounts.audit_export import cell
from soar.connectors import rendering
from soar.lib.clock import iso

MOST_RUNS = 5000
TASK_COLUMNS = (
    "id", "node", "action", "kind", "value", "risk", "status", "reason", "message", "attempts", "connector",
    "created_at", "started_at", "finished_at",
)  # fmt: skip
RUN_COLUMNS = (
    "id", "playbook", "version", "status", "trigger", "started_by", "alert", "incident", "queued_at", "started_at",
    "finished_at", "dry_run", "error",
)  # fmt: skip


@signed_in_reader
@require_safe
def run_tasks_csv(request: HttpRequest, pk: int) -> HttpResponse:
    """The response tasks of a run, of one node with ``?node=``, of one status with ``?status=``."""
    user = person_of(request)
    run = run_for(user, pk)
    node = request.GET.get("node", "")
    graph = graph_for(run) if run.playbook.kind == "response" else None
    if graph is None or (node and node not in graph.by_id):
        raise Missing(_("This run has no such node."))
    tasks = list(
        chosen_tasks(run, node, request.GET.get("status", ""))
        .select_related("account").defer("request", "answer", "secret", "target").order_by("position", "pk")
    )  # fmt: skip
    withhold(user, [run], tasks=tasks)
    rows = (
        [task.pk, task.node, label_of(task.action, task.capability), task.target_kind, task.target_value, task.risk,
         task.status, task.reason, task.message, task.attempts, task.account.name if task.account else "",
         iso(task.created_at), iso(task.started_at), iso(task.finished_at)]
        for task in tasks
    )  # fmt: skip
    audit.exported(user, "tasks", f"run {run.pk}", rows=len(tasks), format="csv")
    return _csv(TASK_COLUMNS, rows, f"run-{run.pk}-{node or 'tasks'}.csv")


@signed_in_reader
@require_safe
def run_report(request: HttpRequest, pk: int) -> HttpResponse:
    """The report as it stands now: a file of HTML, of text with ``?as=text``, of JSON with ``?as=json``."""
    user = person_of(request)
    run = Run.objects.select_related("playbook", "version", "alert__source").get(pk=run_for(user, pk).pk)
    withhold(user, [run])
    if run.withheld or run.playbook.kind != "response":
        raise Missing(_("There is no report of this run that you may see."))
    report = run.report or report_of(run)
    kind = request.GET.get("as", "html")
    audit.exported(user, "report", f"run {run.pk}", format=kind[:10])
    if kind == "json":
        text = json.dumps(report, indent=2, ensure_ascii=False, default=str) + "\n"
        return _file(text, "application/json", f"run-{run.pk}-report.json")
    message = message_from(report, run.pk, {})
    if kind == "text":
        return _file(rendering.as_text(message), "text/plain", f"run-{run.pk}-report.txt")
    return _file(rendering.as_html(message), "text/html", f"run-{run.pk}-report.html")


@signed_in_reader
@require_safe
def runs_export(request: HttpRequest) -> HttpResponse:
    """The filtered runs as CSV, or JSON with ``?as=json``; the newest 5,000 of them."""
    user = person_of(request)
    rows, _tab, _chosen = selected(request, user)
    listed = rows.select_related("playbook", "version", "sequence", "started_by")
    found = list(listed.defer("input", "traceback", "targets", "report").order_by("-pk")[:MOST_RUNS])
    note_rows(user, found)
    withhold(user, found)
    kind = "json" if request.GET.get("as") == "json" else "csv"
    audit.exported(user, "runs", "runs", rows=len(found), format=kind)
    if kind == "json":
        text = json.dumps([run_dict(run) for run in found], indent=1, ensure_ascii=False, default=str) + "\n"
        return _file(text, "application/json", "runs.json")
    return _csv(RUN_COLUMNS, (_run(run) for run in found), "runs.csv")


def _run(run: Run) -> list[Any]:
    one = run_dict(run)
    book = one["playbook"]
    return [one["id"], book["name"], book["version"], *(one[name] for name in RUN_COLUMNS[3:])]


def _csv(columns: Iterable[str], rows: Iterable[Iterable[Any]], name: str) -> HttpResponse:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(columns)
    writer.writerows([_cell(value) for value in row] for row in rows)
    return _file("\ufeff" + out.getvalue(), "text/csv", name)


def _cell(value: Any) -> Any:
    """A text that a spreadsheet would take for a formula is marked as text; a number stays one."""
    return value if isinstance(value, int | float) else cell(value)


def _file(text: str, kind: str, name: str) -> HttpResponse:
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "X-Content-Type-Options": "nosniff"}
    return HttpResponse(text, content_type=f"{kind}; charset=utf-8", headers=headers)
