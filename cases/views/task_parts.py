"""A task as a page shows it, and the box of tasks on an incident's page (casework.md 10)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from cases.choices import IncidentStatus
from cases.due_parts import SOON
from cases.models import Incident, IncidentTask
from cases.permissions import holds
from cases.views.folding import FIRST, fold
from soar.accounts.models import User
from soar.lib import parts
from soar.lib.columns import PERSON, beside
from soar.lib.text import ago


@dataclass(frozen=True, slots=True)
class TaskRow:
    """A line of the checklist, finished."""

    task: IncidentTask
    face: SafeString
    due: SafeString | str
    may_tick: bool
    key: str
    first: bool
    last: bool


def tasks(user: User, incident: Incident, *, whole: bool = False) -> dict[str, Any]:
    """The checklist in its order; of a long one the part that is worked on, until somebody opens it."""
    rows = list(beside(incident.tasks.all(), assignee=PERSON))
    worked_on = IncidentStatus(incident.status).is_open
    may_edit = worked_on and holds(user, incident, "edit")
    may_tick_own = may_edit or (worked_on and holds(user, incident, "comment"))
    now = timezone.now()
    part = rows if whole else worked_at(rows)
    shown = [row_of(row, now, may_edit or (may_tick_own and row.assignee_id == user.pk), len(rows)) for row in part]
    return {
        "tasks": shown,
        "tasks_fold": fold("tasks", len(shown), len(rows), whole=whole),
        "tasks_total": len(rows),
        "can_tick": any(row.may_tick for row in shown),
        "tasks_done": sum(not row.is_open for row in rows),
        "can_edit_tasks": may_edit,
    }


def worked_at(rows: list[IncidentTask]) -> list[IncidentTask]:
    """So many lines as come with a page: from the one before the first that is open. What was ticked just now stays in
    sight, where the focus is."""
    at = next((place for place, row in enumerate(rows) if row.is_open), 0)
    begin = max(min(at - 1, len(rows) - FIRST), 0)
    return rows[begin : begin + FIRST]


def row_of(task: IncidentTask, now: datetime, may_tick: bool, count: int) -> TaskRow:
    """The task with who and until when."""
    return TaskRow(task, face(task), due(task, now), may_tick, str(task.pk), task.position == 1, task.position == count)


def face(task: IncidentTask) -> SafeString:
    """Who did it, or who is to do it; nothing for nobody."""
    if not task.is_open:
        who = parts.face_of(task.done_by_name, task.done_by_id or 0)
        return format_html('<span title="{}">{}</span>', _("done by %s") % task.done_by_name, who)
    return parts.face(task.assignee) if task.assignee else SafeString("")


def due(task: IncidentTask, now: datetime) -> SafeString | str:
    """ "3 h left", "20 min late", with the exact time on hover; nothing for a task that is done or has no due time."""
    if not task.is_open or task.due_at is None:
        return ""
    late = task.due_at < now
    tone = "is-overdue" if late else "is-at_risk" if task.due_at - now < SOON else "ink-2"
    span = ago(task.due_at, now) if late else ago(now, task.due_at)
    words = _("%s late") % span if late else _("%s left") % span
    utc = task.due_at.strftime("%Y-%m-%dT%H:%M:%SZ") if task.due_at.tzinfo else ""
    exact = timezone.localtime(task.due_at).strftime("%Y-%m-%d %H:%M %Z")
    return format_html(
        '<time class="small clock {}" datetime="{}" title="{} {}">{}</time>', tone, utc, _("due"), exact, words
    )


def exact_text(moment: datetime) -> str:
    """A moment with its seconds, as ``local_text`` writes it."""
    return timezone.localtime(moment).strftime("%Y-%m-%dT%H:%M:%S")


def local_text(moment: datetime | None) -> str:
    """A moment as ``<input type="datetime-local">`` takes it, in the person's zone."""
    return timezone.localtime(moment).strftime("%Y-%m-%dT%H:%M") if moment else ""
