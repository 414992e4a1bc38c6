"""Tasks over all incidents: mine, those that nobody has, those that are late (casework.md 10)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.db.models import Count, F, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from cases.actions import tasks
from cases.actors import Actor
from cases.choices import IncidentStatus, Severity
from cases.errors import Conflict, Refused, Stale
from cases.models import IncidentTask
from cases.restricted_views import note_rows
from cases.views.parts import person_of, signed_in_reader
from cases.views.task_parts import due
from soar.accounts.membership import may
from soar.accounts.models import User
from soar.lib import parts

SHOWN = 100
WORKED_ON = Q(incident__status__lt=IncidentStatus.RESOLVED)


@signed_in_reader
@require_safe
def task_list(request: HttpRequest) -> HttpResponse:
    """Open tasks of open incidents that the person sees, the most urgent first."""
    user = person_of(request)
    tab = request.GET.get("tab", "mine")
    tab = tab if tab in _tabs() else "mine"
    now = timezone.now()
    rows = IncidentTask.objects.visible_to(user).open().filter(WORKED_ON)
    sorts = _sorts(user, now)
    counts = rows.aggregate(**{name: Count("pk", filter=sort) for name, sort in sorts.items()})
    chosen = (
        rows.filter(sorts[tab])
        .select_related("incident", "assignee")
        .order_by(F("due_at").asc(nulls_last=True), "-incident__severity", "incident", "position")
    )
    shown = list(chosen[:SHOWN])
    note_rows(user, shown)
    context = {
        "tabs": [(name, label, counts[name], name == tab) for name, label in _tabs().items()],
        "tab": tab,
        "rows": [_row(task, now, user) for task in shown],
        "more": max(counts[tab] - SHOWN, 0),
    }
    return render(request, "cases/tasks.html", context)


@signed_in_reader
@require_POST
def task_done(request: HttpRequest, pk: int) -> HttpResponse:
    """Tick it, and back to the list."""
    return _did(request, lambda actor: _("Done: %s") % tasks.complete(actor, pk).title)


@signed_in_reader
@require_POST
def task_mine(request: HttpRequest, pk: int) -> HttpResponse:
    """Assign it to me, and back to the list."""
    return _did(request, lambda actor: _("Assigned to you: %s") % tasks.assign(actor, pk, actor.user).title)


def _did(request: HttpRequest, act: Callable[[Actor], str]) -> HttpResponse:
    try:
        messages.success(request, act(Actor.of(person_of(request))))
    except (Refused, Conflict, Stale) as error:
        messages.error(request, error.message)
    tab = request.POST.get("tab", "")
    return redirect(reverse("task-list") + (f"?tab={tab}" if tab in _tabs() and tab != "mine" else ""))


def _tabs() -> dict[str, str]:
    return {"mine": _("Mine"), "late": _("Late"), "unassigned": _("Unassigned"), "all": _("All open")}


def _sorts(user: User, now: datetime) -> dict[str, Q]:
    """What each tab selects."""
    return {
        "mine": Q(assignee=user),
        "late": Q(due_at__lt=now),
        "unassigned": Q(assignee=None),
        "all": Q(pk__isnull=False),
    }


def _row(task: IncidentTask, now: datetime, user: User) -> dict[str, Any]:
    # What a restricted incident allows is asked on its own page: here it would be a question for each row.
    may_work = may(user, "work_cases") and not task.incident.restricted
    return {
        "task": task,
        "number": task.incident.number,
        "severity": parts.sev(Severity(task.incident.severity).word, hidden=True),
        "due": due(task, now),
        "may_work": may_work,
        "may_take": may_work and task.assignee_id is None,
    }
