"""Figures of what the caller may see (ingest-and-api.md 12), counted no further than a reader needs."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from drf_spectacular.utils import extend_schema
from rest_framework import serializers as s
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from cases import stats
from cases.api import documented
from cases.api.alerts import FILTERS
from cases.api.base import ApiViewSet
from cases.choices import AlertStatus, IncidentStatus, Severity
from cases.filters import AlertFilter
from cases.models import Alert, Incident, IncidentTask
from soar.lib import clock

READ_CASES = gettext_noop("The permission to see alerts and incidents is missing.")


class Number(s.Serializer[Any]):
    """A number counted to a thousand at most; `more`: there are more than that."""

    number = s.IntegerField()
    more = s.BooleanField()


class Severities(s.Serializer[Any]):
    """By severity."""

    informational = Number()
    low = Number()
    medium = Number()
    high = Number()
    critical = Number()


class AlertStats(s.Serializer[Any]):
    """Alerts in the queue."""

    open = Number()
    new = Number()
    in_progress = Number()
    unassigned = Number()
    mine = Number(help_text="Open ones that you own")
    suppressed = Number(help_text="Open ones that a rule holds back")
    by_severity = Severities()


class IncidentStats(s.Serializer[Any]):
    """Incidents that are not resolved."""

    open = Number()
    mine = Number()
    unowned = Number()
    by_severity = Severities()


class TaskStats(s.Serializer[Any]):
    """Open tasks of incidents."""

    open = Number()
    mine = Number()
    overdue = Number()


class Stats(s.Serializer[Any]):
    """Figures of what you may see."""

    alerts = AlertStats()
    incidents = IncidentStats()
    tasks = TaskStats()


class StatsApi(ApiViewSet):
    """``/stats/``."""

    @extend_schema(
        **{
            **documented.read("Read figures", Stats, tagged=False),
            "parameters": [*documented.filters(FILTERS), documented.FIELDS],
        }
    )
    def retrieve(self, request: Request) -> Response:
        """Of open work that you may see. The filters are those of the list of alerts, and about alerts alone."""
        self.need("view_cases", _(READ_CASES))
        return Response({"alerts": self._alerts(request), "incidents": self._incidents(), "tasks": self._tasks()})

    def _alerts(self, request: Request) -> dict[str, Any]:
        wanted = AlertFilter.parse(request.query_params)
        base = stats.base_of(wanted.apply(Alert.objects.visible_to(self.user), self.user))
        if wanted.errors:
            raise ValidationError({"filter": wanted.errors})
        figures = stats.run(
            {
                "open": base.where(stats.OPEN),
                "new": base.where(f"{stats.OPEN} AND status = %s", AlertStatus.NEW.value),
                "in_progress": base.where(f"{stats.OPEN} AND status = %s", AlertStatus.IN_PROGRESS.value),
                "unassigned": base.where(f"{stats.OPEN} AND owner_id IS NULL"),
                "mine": base.where(f"{stats.OPEN} AND owner_id = %s", self.user.pk),
                "suppressed": base.where(stats.HELD),
            }
        )
        levels = stats.by_severity(base, stats.CAP)
        return {**_numbers(figures), "by_severity": _numbers(levels)}

    def _incidents(self) -> dict[str, Any]:
        rows = Incident.objects.visible_to(self.user).filter(status__lt=IncidentStatus.RESOLVED)
        return {
            "open": _counted(rows),
            "mine": _counted(rows.filter(owner_rows__user=self.user)),
            "unowned": _counted(rows.filter(owner_rows=None)),
            "by_severity": {one.word: _counted(rows.filter(severity=one)) for one in Severity},
        }

    def _tasks(self) -> dict[str, Any]:
        rows = IncidentTask.objects.visible_to(self.user).open()
        return {
            "open": _counted(rows),
            "mine": _counted(rows.filter(assignee=self.user)),
            "overdue": _counted(rows.filter(due_at__lt=clock.now())),
        }


def _counted(rows: Any) -> dict[str, Any]:
    number = rows.order_by()[: stats.CAP + 1].count()
    return {"number": min(number, stats.CAP), "more": number > stats.CAP}


def _numbers(figures: dict[str, stats.Figure]) -> dict[str, Any]:
    return {name: {"number": one.number, "more": one.more} for name, one in figures.items()}
