"""Runs that are over, as a sort of things that retention deletes (``settings.RETENTION_SORTS``)."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Exists, OuterRef, QuerySet
from django.utils.translation import gettext_lazy as _

from cases.retention import Sort, not_held
from playbooks.choices import FINAL, TASK_OPEN
from playbooks.models import Approval, ResponseTask, Run, Step


def _over(before: datetime) -> QuerySet[Run]:
    """Ended before that moment, with no task that is still open; none of an incident on hold."""
    open_tasks = ResponseTask.objects.filter(run=OuterRef("pk"), status__in=TASK_OPEN)
    rows = Run.objects.filter(status__in=FINAL, finished_at__lt=before).filter(~Exists(open_tasks))
    for path in ("incident", "opened_incident", "alert__incident"):
        rows = rows.filter(not_held(path))
    return rows


def _hold(ids: list[int]) -> None:
    list(Run.objects.select_for_update(of=("self",)).filter(pk__in=ids).order_by("pk").values_list("pk", flat=True))


def _drop(ids: list[int]) -> int:
    ResponseTask.objects.filter(run__in=ids).delete()
    Approval.objects.filter(run__in=ids).delete()
    Step.objects.filter(run__in=ids).delete()
    Run.objects.filter(pk__in=ids).delete()
    return len(ids)


RUNS = Sort("runs", _("runs of playbooks that are over"), _over, _drop, lock=_hold)
