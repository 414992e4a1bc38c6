"""The checklist: its lines go to the end of the other one, in their order."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cases.actions.moving.base import Part, Told, Way, left
from cases.models import Incident, IncidentTask
from soar.lib import clock


class Tasks(Part):
    """All of them, done ones too."""

    name, label = "tasks", gettext_lazy("tasks")

    def preview(self, way: Way) -> Told:
        """All go."""
        return Told(IncidentTask.objects.filter(incident=way.source).count())

    def move(self, way: Way) -> list[list[int]]:
        """``[id, version]`` of those that went."""
        return append(list(IncidentTask.objects.filter(incident=way.source).values_list("pk", flat=True)), way.target)

    def back(self, way: Way, kept: Any) -> list[str]:
        """Those that nobody changed, did or removed since."""
        versions: dict[int, int] = dict(kept)
        rows = list(IncidentTask.objects.filter(pk__in=versions, incident=way.target))
        same = [row.pk for row in rows if row.version == versions[row.pk]]
        append(same, way.source)
        close_up(way.target)
        changed = [row.title for row in rows if row.pk not in same]
        told = [_("The task “%s” was changed since") % title for title in changed]
        return told + left(
            len(versions) - len(rows), _("1 task was removed since"), _("%(n)s tasks were removed since")
        )


def append(ids: list[int], target: Incident) -> list[list[int]]:
    """Put tasks, in their order, behind those of a locked incident. Returns ``[id, version]`` of each."""
    have = IncidentTask.objects.filter(incident=target).count()
    rows = list(IncidentTask.objects.filter(pk__in=ids).order_by("position", "pk"))
    for place, row in enumerate(rows, have + 1):
        row.incident, row.position, row.version, row.updated_at = target, place, row.version + 1, clock.now()
    IncidentTask.objects.bulk_update(rows, ["incident", "position", "version", "updated_at"])
    return [[row.pk, row.version] for row in rows]


def close_up(incident: Incident) -> None:
    """Positions count from 1 without gaps again, in a locked incident from which tasks went."""
    rows = list(IncidentTask.objects.filter(incident=incident).order_by("position", "pk"))
    for place, row in enumerate(rows, 1):
        if row.position != place:
            IncidentTask.objects.filter(pk=row.pk).update(position=place)
            row.position = place
