"""The checklist: its lines go to the end of the other one, in their order."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cases.actions.moving.base import Part, Told, Way, left
from cases.models import Incident, IncidentTask
from soar.lib import clock
from soar.lib.clock import iso


class Tasks(Part):
    """All of them, done ones too."""

    name, label = "tasks", gettext_lazy("tasks")

    def preview(self, way: Way) -> Told:
        """All go."""
        return Told(IncidentTask.objects.filter(incident=way.source).count())

    def move(self, way: Way) -> list[list[Any]]:
        """``[id, what it says]`` of those that went."""
        ids = list(IncidentTask.objects.filter(incident=way.source).values_list("pk", flat=True))
        return [[row.pk, _said(row)] for row in append(ids, way.target)]

    def stays(self, way: Way, kept: Any) -> list[str]:
        """Those that were changed, done or removed since."""
        return _unlike(_there(way, kept), kept)

    def back(self, way: Way, kept: Any) -> list[str]:
        """Those that nobody changed, did or removed since."""
        rows, known = _there(way, kept), dict(kept)
        append([row.pk for row in rows if _is_as_it_went(row, known[row.pk])], way.source)
        close_up(way.target)
        return _unlike(rows, kept)


def _there(way: Way, kept: Any) -> list[IncidentTask]:
    rows = IncidentTask.objects.filter(pk__in=[pk for pk, _known in kept], incident=way.target)
    return list(rows.order_by("position", "pk"))


def _unlike(rows: list[IncidentTask], kept: Any) -> list[str]:
    """What is not as it went, in words."""
    known = dict(kept)
    changed = [row.title for row in rows if not _is_as_it_went(row, known[row.pk])]
    told = [_("The task “%s” was changed since") % title for title in changed]
    gone = len(known) - len(rows)
    return told + left(gone, _("1 task was removed since"), _("%(n)s tasks were removed since"))


def _said(task: IncidentTask) -> str:
    """A digest of what a task says. Not its version: what goes on to a third incident and comes back was changed by
    nobody, and neither was one whose place in the list is another."""
    words = [task.title, task.description, task.assignee_id, iso(task.due_at), task.required, task.status]
    return hashlib.sha256(json.dumps([*words, iso(task.done_at)]).encode()).hexdigest()[:32]


def _is_as_it_went(task: IncidentTask, known: str | int) -> bool:
    """``known``: what it said, or its version in merges of an older Soar."""
    return task.version == known if isinstance(known, int) else _said(task) == known


def append(ids: list[int], target: Incident) -> list[IncidentTask]:
    """Put tasks, in their order, behind those of a locked incident. Returns them."""
    have = IncidentTask.objects.filter(incident=target).count()
    rows = list(IncidentTask.objects.filter(pk__in=ids).order_by("position", "pk"))
    for place, row in enumerate(rows, have + 1):
        row.incident, row.position, row.version, row.updated_at = target, place, row.version + 1, clock.now()
    IncidentTask.objects.bulk_update(rows, ["incident", "position", "version", "updated_at"])
    return rows


def close_up(incident: Incident) -> None:
    """Positions count from 1 without gaps again, in a locked incident from which tasks went."""
    rows = list(IncidentTask.objects.filter(incident=incident).order_by("position", "pk"))
    for place, row in enumerate(rows, 1):
        if row.position != place:
            IncidentTask.objects.filter(pk=row.pk).update(position=place)
            row.position = place
