"""Response management: all tasks of playbooks and by hand, with filters (spec 17a)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_safe

from cases.querysets import capped_count
from cases.restricted_views import note_rows
from playbooks.choices import TaskStatus
from playbooks.disclosure import withhold
from playbooks.models import ResponseTask
from playbooks.response_filter import ACTIONS_KNOWN, ResponseFilter
from playbooks.response_selectors import actions_required, visible_tasks
from playbooks.response_words import label_of, value_of
from playbooks.runs_filter import PERIODS, period_label
from playbooks.views.parts import Context, page, person_of, signed_in_reader, workers_alive
from playbooks.views.target_words import KIND_ICONS
from soar.accounts.membership import may
from soar.accounts.models import User
from soar.lib import parts
from soar.lib.htmx import is_partial, live, push_url, render_regions
from soar.lib.keyset import BadCursor, Order, keyset_page

TEMPLATE = "playbooks/responses.html"
NEWEST = Order("newest", ("id",))
LATER = ("request", "answer", "secret", "data")
ASKED = "pending_approval,unknown_outcome"


@dataclass(frozen=True, slots=True)
class Row:
    """A response task as a line of a list."""

    task: ResponseTask
    url: str
    state: SafeString
    label: str
    value: str
    icon: str
    why: str
    remote: str
    source: str
    source_url: str
    subject: str
    subject_url: str
    by: str
    connector: str
    created: SafeString


@signed_in_reader
@require_safe
def response_list(request: HttpRequest) -> HttpResponse:
    """The page, or for htmx its rows with what stands around them."""
    user = person_of(request)
    chosen = ResponseFilter.parse(request.GET)
    context = _context(request, user, chosen)
    if not is_partial(request):
        return render(request, TEMPLATE, context | _choices(user))
    said = ngettext("%(n)d task", "%(n)d tasks", len(context["rows"])) % {"n": len(context["rows"])}
    answer = render_regions(request, TEMPLATE, ["rows", "counts", "tabs"], context, extra=[live(said)])
    return push_url(answer, request.get_full_path())


def rows_of(tasks: Sequence[ResponseTask]) -> list[Row]:
    """The rows of these tasks (with_lines)."""
    return [_row(task) for task in tasks]


def with_lines(tasks: QuerySet[ResponseTask]) -> QuerySet[ResponseTask]:
    """What a row shows, and no more."""
    return tasks.select_related("run__playbook", "created_by", "account").defer(*LATER)


def _row(task: ResponseTask) -> Row:
    run = task.run
    subject = f"ALR-{task.alert_id}" if task.alert_id else f"INC-{task.incident_id}" if task.incident_id else ""
    kind = "alert-detail" if task.alert_id else "incident-detail"
    return Row(
        task=task,
        url=reverse("response-detail", args=[task.pk]),
        state=parts.state(task.status, running=True),
        label=label_of(task.action, task.capability),
        value=value_of(task),
        icon=KIND_ICONS.get(task.target_kind, "target"),
        why=task.reason[:200],
        remote=task.remote if task.status == TaskStatus.IN_PROGRESS else "",
        source=run.playbook.name if run else _("By hand"),
        source_url=reverse("run-detail", args=[run.pk]) if run else "",
        subject=subject,
        subject_url=page(kind, subject) if subject else "",
        by=task.created_by.display_name() if task.created_by else "",
        connector=task.account.name if task.account else "",
        created=parts.ago(task.created_at),
    )


def _context(request: HttpRequest, user: User, chosen: ResponseFilter) -> Context:
    rows = chosen.apply(visible_tasks(user))
    cursor, notice = request.GET.get("cursor", ""), ""
    try:
        found = keyset_page(with_lines(rows), NEWEST, cursor)
    except BadCursor:
        found = keyset_page(with_lines(rows), NEWEST)
        notice = _("That page of the list is no longer there; this is its beginning.")
    withhold(user, [], tasks=found.rows)
    note_rows(user, found.rows)
    base = reverse("response-list")
    required = actions_required(user)
    return {
        "rows": rows_of(found.rows),
        "filter": chosen,
        "chips": [(name, label, f"{base}?{query}") for name, label, query in chosen.chips()],
        "total": capped_count(rows),
        "required": required,
        "asked": chosen.chosen == {"status": ASKED.split(",")},
        "asked_url": f"{base}?status={ASKED}",
        "newer_url": f"{base}?{chosen.query(cursor=found.previous)}" if found.previous else "",
        "older_url": f"{base}?{chosen.query(cursor=found.next)}" if found.next else "",
        "clear_url": base,
        "notice": notice,
        "workers": workers_alive(),
    }


def _choices(user: User) -> dict[str, Any]:
    """What the filter menus offer."""
    return {
        "statuses": [(word, _(str(label))) for word, label in TaskStatus.choices],
        "actions": sorted(((name, label_of(name)) for name in ACTIONS_KNOWN), key=lambda pair: pair[1]),
        "periods": [(word, period_label(word)) for word in PERIODS],
        "may_respond": may(user, "respond"),
    }
