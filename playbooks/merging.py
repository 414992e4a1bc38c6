"""What a merge of incidents takes along here (``MERGE_PARTS``): runs, tasks and approvals go on in the other one."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cases.actions.moving.base import Part, Told, Way
from playbooks.choices import OPEN
from playbooks.models import Approval, ResponseTask, Run, Sequence

# Runs first, as everybody locks them. A run keeps which incident it opened: that one alone it may close.
_TABLES: dict[str, Any] = {"runs": Run, "tasks": ResponseTask, "approvals": Approval, "sequences": Sequence}


class _Runs(Part):
    """Runs on the incident itself; those on its alerts go with the alerts. One that is under way goes on: what it
    writes from now on goes to the other incident (cases.permissions.incident_for)."""

    name, label = "runs", gettext_lazy("playbook runs")

    def preview(self, way: Way) -> Told:
        """All go; how many are under way is said."""
        rows = Run.objects.filter(incident=way.source)
        going = rows.filter(status__in=OPEN).count()
        return Told(rows.count(), 0, _("%s under way: they go on there") % going if going else "")

    def move(self, way: Way) -> dict[str, list[int]]:
        """Ids by table of what went."""
        kept = {name: sorted(_ids(model, way.source.pk)) for name, model in _TABLES.items()}
        for name, model in _TABLES.items():
            model.objects.filter(pk__in=kept[name]).update(incident=way.target)
        return {name: ids for name, ids in kept.items() if ids}

    def back(self, way: Way, kept: Any) -> list[str]:
        """All that are there still."""
        for name, ids in kept.items():
            _TABLES[name].objects.filter(pk__in=ids, incident=way.target).update(incident=way.source)
        return []


def _ids(model: Any, incident: int) -> list[int]:
    return list(model.objects.filter(incident=incident).values_list("pk", flat=True))


RUNS = _Runs()
