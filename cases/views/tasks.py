"""Tasks over all incidents: mine, those that nobody has, those that are late (casework.md 10)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import Count, F, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from cases.choices import IncidentStatus, Severity
from cases.models import IncidentTask
from cases.views.parts import person_of, signed_in_reader
from cases.views.task_parts import due
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
    context = {
        "tabs": [(name, label, counts[name], name == tab) for name, label in _tabs().items()],
        "tab": tab,
        "rows": [_row(task, now) for task in chosen[:SHOWN]],
        "more": max(counts[tab] - SHOWN, 0),
    }
    return render(request, "cases/tasks.html", context)


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


def _row(task: IncidentTask, now: datetime) -> dict[str, Any]:
    return {
        "task": task,
        "number": task.incident.number,
        "severity": parts.sev(Severity(task.incident.severity).word, hidden=True),
        "due": due(task, now),
    }
