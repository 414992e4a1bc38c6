"""Runs: reading, starting by hand, cancelling, retrying, deciding."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from cases.api import documented, paging
from cases.api.base import ApiViewSet
from cases.api.bodies import Nothing
from cases.errors import Missing
from cases.permissions import parse_number
from cases.restricted_views import note_rows
from playbooks.actions.decide import decide
from playbooks.actions.runs import cancel, retry, run_by_hand
from playbooks.api import shapes
from playbooks.choices import RunStatus
from playbooks.disclosure import unname_incidents, withhold
from playbooks.models import Run
from playbooks.representation import run_dict
from playbooks.response_selectors import TASK_RELATED
from playbooks.selectors import run_for

FILTERS = ("alert", "incident", "playbook", "status")


class Runs(ApiViewSet):
    """``/runs/``, ``/alerts/{id}/run/`` and ``/incidents/{id}/run/``."""

    reads = "view_cases"

    @extend_schema(
        **documented.listing("List runs", shapes.RUN_PAGE, params=[*FILTERS, documented.ordering(paging.BY_ID)])
    )
    def list(self, request: Request) -> Response:
        """On alerts and incidents that you may see. `playbook` is an id or a name, `status` may be several.
        `withheld`: the record names what you may not see, so arguments, results and errors are left empty."""
        paging.check_params(request, (*FILTERS, "ordering"))
        rows = Run.objects.visible_to(self.user).select_related("playbook", "version", "sequence", "started_by")
        found = paging.page(
            request, _filtered(request, rows.defer("input", "traceback")), paging.order_of(request, paging.BY_ID)
        )
        withhold(self.user, found.rows)
        note_rows(self.user, found.rows)
        return Response(paging.paged(request, found, [run_dict(run) for run in found.rows]))

    @extend_schema(**documented.read("Read a run", shapes.Run, tagged=False))
    def retrieve(self, request: Request, id: str) -> Response:
        """With its steps, in the order in which the calls were made."""
        return Response(self._whole(run_for(self.user, id)))

    @extend_schema(**documented.create("Run a playbook on an alert", shapes.StartRun, shapes.Run, tagged=False))
    def on_alert(self, request: Request, id: str) -> Response:
        """By hand, with your rights. 409 if the playbook is disabled."""
        given = self.body(shapes.StartRun)
        return self._started(lambda: run_by_hand(self.actor, **given, alert=id))

    @extend_schema(**documented.create("Run a playbook on an incident", shapes.StartRun, shapes.Run, tagged=False))
    def on_incident(self, request: Request, id: str) -> Response:
        """By hand, with your rights. 409 if the playbook is disabled."""
        given = self.body(shapes.StartRun)
        return self._started(lambda: run_by_hand(self.actor, **given, incident=id))

    @extend_schema(**documented.verb("Cancel a run", Nothing, shapes.Run, tagged=False))
    def cancel(self, request: Request, id: str) -> Response:
        """Calls that are in flight end first. 409 if it is over."""
        self.body(Nothing)
        return self.once(lambda: Response(self._whole(cancel(self.actor, id))))

    @extend_schema(**documented.verb("Run again what failed", Nothing, shapes.Run, tagged=False))
    def retry(self, request: Request, id: str) -> Response:
        """What succeeded is not done twice. 409 if it succeeded, is under way, or has calls to decide on first."""
        self.body(Nothing)
        return self.once(lambda: Response(self._whole(retry(self.actor, id))))

    @extend_schema(**documented.verb("Decide on a call of unknown outcome", shapes.Decide, shapes.Run, tagged=False))
    def decide(self, request: Request, id: str, task: str) -> Response:
        """`done`, `not_done` or `repeat`. The run goes on when nothing is left to decide."""
        given = self.body(shapes.Decide)
        comment = given.get("comment", "")
        return self.once(lambda: Response(self._whole(decide(self.actor, id, task, given["outcome"], comment))))

    def _started(self, start: Callable[[], Run]) -> Response:
        return self.once(lambda: Response(self._whole(start()), status=201))

    def _whole(self, run: Run) -> dict[str, Any]:
        """The run as it stands now, with its steps; its relations are read anew in one query."""
        fresh = Run.objects.select_related("playbook", "version", "sequence", "started_by").get(pk=run.pk)
        steps = list(fresh.steps.all())
        tasks = list(fresh.tasks.select_related(*TASK_RELATED))
        withhold(self.user, [fresh], steps, tasks)
        unname_incidents(self.user, tasks)
        return run_dict(fresh, steps, tasks)


def _filtered(request: Request, rows: QuerySet[Run]) -> QuerySet[Run]:
    for name, prefix in (("alert", "ALR"), ("incident", "INC")):
        if value := request.query_params.get(name):
            rows = rows.filter(**{name: _number(name, value, prefix)})
    if playbook := request.query_params.get("playbook"):
        by_id = playbook.isascii() and playbook.isdecimal() and len(playbook) < 19
        rows = rows.filter(playbook=int(playbook)) if by_id else rows.filter(playbook__name__iexact=playbook)
    if status := request.query_params.get("status"):
        words = [word.strip() for word in status.split(",") if word.strip()]
        if wrong := [word for word in words if word not in RunStatus.values]:
            raise ValidationError(
                {
                    "status": [
                        _("%(wrong)s is not one of: %(values)s.")
                        % {"wrong": wrong[0][:40], "values": ", ".join(RunStatus.values)}
                    ]
                }
            )
        rows = rows.filter(status__in=words)
    return rows


def _number(name: str, value: str, prefix: str) -> int:
    try:
        return parse_number(value, prefix)
    except Missing as error:
        raise ValidationError({name: [_("Give an id or a number like %(prefix)s-42.") % {"prefix": prefix}]}) from error
