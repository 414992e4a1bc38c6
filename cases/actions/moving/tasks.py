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

    def stays(self, way: Way, kept: Any) -> list[str]:
        """Those that were changed, done or removed since."""
        return _unlike(_there(way, kept), kept)

    def back(self, way: Way, kept: Any) -> list[str]:
        """Those that nobody changed, did or removed since."""
        rows, versions = _there(way, kept), dict(kept)
        append([row.pk for row in rows if row.version == versions[row.pk]], way.source)
        close_up(way.target)
        return _unlike(rows, kept)


def _there(way: Way, kept: Any) -> list[IncidentTask]:
    rows = IncidentTask.objects.filter(pk__in=[pk for pk, _version in kept], incident=way.target)
    return list(rows.order_by("position", "pk"))


def _unlike(rows: list[IncidentTask], kept: Any) -> list[str]:
    """What is not as it went, in words."""
    versions = dict(kept)
    changed = [row.title for row in rows if row.version != versions[row.pk]]
    told = [_("The task “%s” was changed since") % title for title in changed]
    gone = len(versions) - len(rows)
    return told + left(gone, _("1 task was removed since"), _("%(n)s tasks were removed since"))


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
