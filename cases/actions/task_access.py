"""Fetching a task for a person, and what its incident must be for it to change (casework.md 10)."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from cases.actions.base import some_of
from cases.actors import Actor
from cases.choices import IncidentStatus
from cases.errors import Conflict, Missing, Stale
from cases.models import Incident, IncidentTask
from cases.permissions import incident_for
from soar.accounts.models import User


def task_for(who: Actor | User, pk: int, *, level: str = "view", lock: bool = False) -> IncidentTask:
    """The task with its incident, if ``who`` may see that and holds ``level`` on it; the assignee of a task needs no
    more than *comment* (``level="tick"``).

    ``lock`` takes the incident's row lock, which guards all its tasks. Raises Missing or Forbidden."""
    user = who.user if isinstance(who, Actor) else who
    found = IncidentTask.objects.filter(pk=pk).values_list("incident", "assignee").first()
    if found is None:
        raise Missing(_("There is no task %(pk)s.") % {"pk": pk})
    incident_id, assignee = found
    wanted = level
    if level == "tick":
        wanted = "comment" if user is not None and assignee == user.pk else "edit"
    try:
        incident = incident_for(who, incident_id, level=wanted, lock=lock)
    except Missing as error:
        raise Missing(_("There is no task %(pk)s.") % {"pk": pk}) from error
    # Read again: what was found before the lock may be gone.
    task = IncidentTask.objects.select_related("assignee", "done_by").filter(pk=pk, incident=incident).first()
    if task is None:
        raise Missing(_("There is no task %(pk)s.") % {"pk": pk})
    task.incident = incident
    return task


def check_open(incident: Incident) -> None:
    """Raise Conflict unless the incident is still worked on: an ended one keeps its checklist as it was."""
    status = IncidentStatus(incident.status)
    if not status.is_open:
        word = _(str(status.label)).lower()
        raise Conflict(
            _("%(number)s is %(word)s. Reopen it to change its tasks.") % {"number": incident.number, "word": word},
            code="incident_ended",
        )


def check_fresh(task: IncidentTask, expected: int | None) -> None:
    """Raise Stale when the task changed since the form or the ETag was made (casework.md 5)."""
    if expected is not None and task.version != expected:
        raise Stale(_("The task was changed by somebody else in the meantime. Nothing was saved."), current=task)


def check_required(incident: Incident) -> None:
    """Raise Conflict that names the open tasks without which the incident cannot be resolved or closed."""
    titles = list(IncidentTask.objects.filter(incident=incident, required=True).open().values_list("title", flat=True))
    if not titles:
        return
    count = ngettext("%(n)s required task is", "%(n)s required tasks are", len(titles)) % {"n": len(titles)}
    raise Conflict(
        _("%(number)s cannot be resolved or closed: %(count)s still open: %(named)s.")
        % {"number": incident.number, "count": count, "named": some_of(titles)},
        field="status",
        code="open_tasks",
    )
