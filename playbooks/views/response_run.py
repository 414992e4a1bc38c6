"""The page of a response playbook's run: the graph with live states, what waits for a person, tasks, ratings, report
(response-playbooks.md 24 to 27)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple
from urllib.parse import urlencode

from django.db.models import Count, Max, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.html import escape
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from playbooks.actions.runs import RETRIABLE
from playbooks.choices import APPROVAL_OPEN, RunStatus, StartedBy, TaskStatus
from playbooks.disclosure import withhold
from playbooks.graph.model import Graph
from playbooks.graph.schema import read
from playbooks.graph.words import name_of
from playbooks.models import Approval, ResponseTask, Run
from playbooks.response.facts import graph_of
from playbooks.response.reading import objects_shown, verdicts_of
from playbooks.response_words import label_of, value_of
from playbooks.views import words
from playbooks.views.drawing import picture
from playbooks.views.parts import Context, page, rights_of, signature, subject_url, workers_alive
from playbooks.views.run_marks import FAILED, OBJECTS_SHOWN, judged, marks_of, object_row
from playbooks.views.target_words import KIND_ICONS
from soar.accounts.models import User
from soar.lib import parts
from soar.lib.htmx import is_partial, render_regions
from soar.lib.keyset import BadCursor, Order, keyset_page

TEMPLATE = "playbooks/response_run.html"
TASKS_SHOWN, TO_DECIDE_SHOWN = 50, 5
ORDER = Order("tasks", ("position", "id"), descending=False)
SHOWN = (
    "run", "node", "position", "action", "capability", "target_kind", "target_value", "target", "status", "reason",
    "message", "data", "remote", "attempts", "started_at", "finished_at",
)  # fmt: skip
WAITING = (TaskStatus.PENDING_APPROVAL, TaskStatus.UNKNOWN_OUTCOME)


class HeadWords(NamedTuple):
    """Names of columns that a narrow screen shows in the cells."""

    attempts: str
    took: str


def _head_words() -> HeadWords:
    return HeadWords(escape(_("Attempts")), escape(_("Took")))


@dataclass(frozen=True, slots=True)
class TaskRow:
    """A response task as a line of the page, finished."""

    pk: int
    url: str
    icon: str
    value: str
    label: str
    state: SafeString
    answer: str
    attempts: int
    took: str
    node: str
    ticket: str = ""  # its address in ServiceNow

    def html(self, with_node: bool, head: HeadWords) -> SafeString:
        """The row of the table. Fifty rows by the template engine cost more than the rest of the page."""
        node = f'<span class="sub">{escape(self.node)}</span>' if with_node and self.node else ""
        cells = (
            f'<th scope="row"><span class="line line-keep">{parts.icon(self.icon)}'
            f'<a class="mono quiet" href="{escape(self.url)}">{escape(self.value) or self.pk}</a></span></th>',
            f"<td>{escape(self.label)}{node}</td>",
            f'<td class="nowrap">{self.state}</td>',
            f'<td class="ink-2">{escape(self.answer)}{self._ticket()}</td>',
            f'<td class="num" data-label="{head.attempts}">{self.attempts}</td>',
            f'<td class="num ink-2" data-label="{head.took}">{escape(self.took) or "–"}</td>',
        )
        return SafeString(f'<tr id="task-{self.pk}">{"".join(cells)}</tr>')

    def _ticket(self) -> str:
        if not self.ticket:
            return ""
        return f' <a href="{escape(self.ticket)}" rel="noopener noreferrer">{escape(_("Open in ServiceNow"))}</a>'


def show(
    request: HttpRequest, user: User, run: Run, *, poll: bool = False, problem: str = "", status: int = 200
) -> HttpResponse:
    """The page, or its region for htmx; 204 to a poll when nothing changed since ``sig``."""
    figures = _figures(run)
    sig = _signature(run, figures)
    if poll and request.GET.get("sig") == sig:
        return HttpResponse(status=204)
    context = {**_context(request, user, run, figures), "sig": sig, "problem": problem}
    if is_partial(request):
        return render_regions(request, TEMPLATE, ["run"], context, status=status)
    return render(request, TEMPLATE, context, status=status)


@dataclass(frozen=True, slots=True)
class Figures:
    """Tasks of the run by node and status, and what changed last."""

    counts: dict[str, Counter[str]]
    changed: Any
    approvals: list[Approval]
    workers: int

    @property
    def total(self) -> Counter[str]:
        """By status, over all nodes."""
        found: Counter[str] = Counter()
        for one in self.counts.values():
            found.update(one)
        return found


def _figures(run: Run) -> Figures:
    counts: dict[str, Counter[str]] = {}
    changed = None
    rows = ResponseTask.objects.filter(run=run).order_by().values("node", "status")
    for row in rows.annotate(number=Count("pk"), last=Max("updated_at")):
        counts.setdefault(row["node"], Counter())[row["status"]] = row["number"]
        changed = max(filter(None, (changed, row["last"])), default=None)
    asked: list[Approval] = []
    if any(one[TaskStatus.PENDING_APPROVAL] for one in counts.values()):
        asked = list(Approval.objects.filter(run=run, status__in=APPROVAL_OPEN).order_by("pk")[:TO_DECIDE_SHOWN])
    return Figures(counts, changed, asked, workers_alive())


def _reached(run: Run, figures: Figures) -> dict[str, dict[str, Any]]:
    """The nodes that were reached, with their status and what they count: tasks by status, of a condition objects."""
    found = {}
    for name, status, true, false in verdicts_of(run):
        counts = figures.counts.get(name, {}) if true is None else {"true": true, "false": false}
        found[name] = {"status": status, "counts": counts}
    return found


def _signature(run: Run, figures: Figures) -> str:
    mine = (run.status, run.cancel_requested, str(run.started_at), str(run.finished_at), run.error, run.attempts)
    asked = [(one.pk, one.status) for one in figures.approvals]
    return signature(mine, sorted((node, sorted(one.items())) for node, one in figures.counts.items()),
                     str(figures.changed), asked, bool(figures.workers))  # fmt: skip


def graph_for(run: Run) -> Graph:
    """The graph that the run walks: of its version, or of the playbook as it is published now."""
    if run.version is not None:
        return graph_of(run.version)
    current = run.playbook.current
    return read(current.definition if current else run.playbook.draft)[0]


def _context(request: HttpRequest, user: User, run: Run, figures: Figures) -> Context:
    graph = graph_for(run)
    node = request.GET.get("node", "")
    node = node if node in graph.by_id else ""
    reached = _reached(run, figures)
    listed = _tasks_listed(request, user, run, graph, node)  # first: it says whether the run's objects are withheld
    rights, total, alive = rights_of(user, run.playbook), figures.total, not run.state.is_final
    object_count, objects = objects_shown(run, OBJECTS_SHOWN)
    marks = marks_of(run, graph, reached, object_count)
    return {
        **listed,
        **_of_case(run),
        "run": run,
        "graph": graph,
        "state": parts.state(run.status, running=True),
        "alive": alive,
        "picture": picture(graph, lambda id: _url(run, node=id), selected=node, marks=marks),
        "node": node,
        "node_name": name_of(graph.node(node)) if node else "",
        "judged": judged(run, graph, node),
        "nodes": [(id, name_of(graph.node(id)), sum(count.values()), _url(run, node=id))
                  for id, count in _ordered(graph, figures.counts)],
        "all_url": _url(run),
        "total": sum(total.values()),
        "statuses": [(word, label) for word, label in TaskStatus.choices if total[word]],
        "csv_url": f"{reverse('run-tasks-csv', args=[run.pk])}?{urlencode({'node': node} if node else {})}",
        "approvals": figures.approvals,
        "to_decide": _to_decide(run, total),
        "failed": sum(total[word] for word in FAILED),
        "waiting": sum(total[word] for word in WAITING),
        "objects": [] if run.withheld else [object_row(one) for one in objects],
        "object_count": object_count,
        "origin": words.origin_of(run),
        "trigger": _(str(StartedBy(run.trigger).label)),
        "rights": run.acting_user.display_name() if run.acting_user else "",
        "took": words.took(run.started_at, run.finished_at, timezone.now()),
        "summary": _summary(total),
        "can_cancel": rights["may_run"] and alive and not run.cancel_requested,
        "can_retry": rights["may_run"] and run.status in RETRIABLE and not run.playbook.hindrance,
        "needs_decision": run.status == RunStatus.NEEDS_DECISION,
        "workers": figures.workers,
        "poll_url": _poll_url(request, run),
        **rights,
    }  # fmt: skip


def _tasks_listed(request: HttpRequest, user: User, run: Run, graph: Graph, node: str) -> Context:
    """The page of tasks that was asked for: of a node, of a status, further on."""
    status, now, head = request.GET.get("status", ""), timezone.now(), _head_words()
    found, notice = _page(chosen_tasks(run, node, status), request.GET.get("cursor", ""))
    withhold(user, [run], tasks=found.rows)
    return {
        "status": status,
        "rows": [_row(task, graph, now).html(not node, head) for task in found.rows],
        "next_url": _url(run, node=node, status=status, cursor=found.next) if found.next else "",
        "previous_url": _url(run, node=node, status=status, cursor=found.previous) if found.previous else "",
        "notice": notice,
    }


def _of_case(run: Run) -> Context:
    """What the run worked on, and the incident that it opened."""
    return {
        "subject": words.subject_number(run),
        "subject_url": subject_url(run),
        "incident": run.opened_incident_id,
        "incident_url": page("incident-detail", f"INC-{run.opened_incident_id}") if run.opened_incident_id else "",
    }


def chosen_tasks(run: Run, node: str, status: str) -> QuerySet[ResponseTask]:
    """The tasks of the run, or of one node, or of one status; ``required`` is those that wait for a person."""
    tasks = ResponseTask.objects.filter(run=run)
    if node:
        tasks = tasks.filter(node=node)
    if status == "required":
        tasks = tasks.filter(status__in=WAITING)
    elif status in TaskStatus.values:
        tasks = tasks.filter(status=status)
    return tasks


def _page(tasks: QuerySet[ResponseTask], cursor: str) -> tuple[Any, str]:
    listed = tasks.only(*SHOWN)
    try:
        return keyset_page(listed, ORDER, cursor, TASKS_SHOWN), ""
    except BadCursor:
        return keyset_page(listed, ORDER, "", TASKS_SHOWN), _("That page is no longer there; this is the first one.")


def _url(run: Run, **query: str) -> str:
    given = urlencode({name: value for name, value in query.items() if value})
    return reverse("run-detail", args=[run.pk]) + (f"?{given}" if given else "") + ("#node-tasks" if given else "")


def _poll_url(request: HttpRequest, run: Run) -> str:
    kept = {name: request.GET[name] for name in ("node", "status", "cursor") if request.GET.get(name)}
    return f"{reverse('run-live', args=[run.pk])}?{urlencode(kept)}" + ("&" if kept else "")


def _ordered(graph: Graph, counts: dict[str, Counter[str]]) -> list[tuple[str, Counter[str]]]:
    return [(node.id, counts[node.id]) for node in graph.reading_order if node.id in counts]


def _row(task: ResponseTask, graph: Graph, now: Any) -> TaskRow:
    answer = task.message or task.reason
    if task.status == TaskStatus.IN_PROGRESS and task.remote:
        answer = task.remote
    return TaskRow(
        pk=task.pk,
        url=reverse("response-detail", args=[task.pk]),
        icon=KIND_ICONS.get(task.target_kind, "task"),
        value=value_of(task)[:120],
        label=label_of(task.action, task.capability),
        state=parts.state(task.status, running=True),
        answer=answer[:240],
        attempts=task.attempts,
        took=words.took(task.started_at, task.finished_at, now),
        node=name_of(graph.node(task.node)) if task.node in graph.by_id else "",
        ticket=str((task.data.get("ticket") or {}).get("url") or ""),
    )


def _to_decide(run: Run, total: Counter[str]) -> Sequence[ResponseTask]:
    if not total[TaskStatus.UNKNOWN_OUTCOME]:
        return []
    rows = ResponseTask.objects.filter(run=run, status=TaskStatus.UNKNOWN_OUTCOME).defer("request", "answer", "secret")
    return list(rows.order_by("position", "pk")[:TO_DECIDE_SHOWN])


def _summary(total: Counter[str]) -> str:
    pieces = [f"{total[word.value]} {_(str(word.label)).lower()}" for word in TaskStatus if total[word.value]]
    return ", ".join(pieces)
