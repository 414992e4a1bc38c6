"""Tasks of incidents: those of one, those of all, and their verbs (casework.md 10)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from cases.actions import tasks
from cases.actions.task_access import task_for
from cases.api import bodies, documented, paging, task_shapes
from cases.api.base import ApiViewSet, read, tagged, whole
from cases.api.etags import expected_version
from cases.api.incident_representation import task_dict
from cases.choices import TaskStatus
from cases.models import IncidentTask
from cases.permissions import incident_for
from cases.restricted_views import note_rows
from soar.lib.clock import moment_of
from soar.lib.keyset import Order

LISTED = {"position": Order("position", ("position", "id"), descending=False), **paging.BY_ID}
ORDERS = {
    **paging.BY_ID,
    "updated_at": Order("updated_at", ("updated_at", "id"), descending=False),
    "-updated_at": Order("-updated_at", ("updated_at", "id")),
}
FILTERS = ("status", "assignee", "incident", "required", "due_before")


class IncidentTasks(ApiViewSet):
    """``/incidents/{id}/tasks/``."""

    reads = "view_cases"

    @extend_schema(
        **documented.listing("List an incident's tasks", task_shapes.TASK_PAGE, params=[documented.ordering(LISTED)])
    )
    def list(self, request: Request, id: str) -> Response:
        """In the order of the checklist."""
        incident = incident_for(self.user, id)
        paging.check_params(request, ("ordering",))
        rows = IncidentTask.objects.filter(incident=incident).select_related("assignee")
        found = paging.page(request, rows, paging.order_of(request, LISTED, "position"))
        return Response(paging.paged(request, found, [task_dict(row) for row in found.rows]))

    @extend_schema(**documented.create("Add a task", task_shapes.NewTask, task_shapes.Task, tagged=False))
    def create(self, request: Request, id: str) -> Response:
        """At the end of the list. 409 when the incident is resolved or closed."""
        given = self.body(task_shapes.NewTask)
        return self.once(lambda: tagged(task_dict(tasks.add(self.actor, id, **given)), 201))


class Tasks(ApiViewSet):
    """``/tasks/``."""

    reads = "view_cases"

    @extend_schema(
        **documented.listing("List tasks", task_shapes.TASK_PAGE, params=[*FILTERS, documented.ordering(ORDERS)])
    )
    def list(self, request: Request) -> Response:
        """Of all incidents that you may see, newest first. `assignee`: a user name, `me` or `none`."""
        paging.check_params(request, (*FILTERS, "ordering"))
        rows = self._filtered(request, IncidentTask.objects.visible_to(self.user).select_related("assignee"))
        found = paging.page(request, rows, paging.order_of(request, ORDERS))
        note_rows(self.user, found.rows)
        return Response(paging.paged(request, found, [task_dict(row) for row in found.rows]))

    @extend_schema(**documented.read("Read a task", task_shapes.Task))
    def retrieve(self, request: Request, id: str) -> Response:
        """For whoever sees its incident."""
        return read(request, task_dict(task_for(self.user, whole(id))))

    @extend_schema(**documented.change("Change a task", task_shapes.TaskChanges, task_shapes.Task))
    def partial_update(self, request: Request, id: str) -> Response:
        """All of it or nothing. With `If-Match` only if nobody changed it since."""
        changes, expected = self.body(task_shapes.TaskChanges), expected_version(request)
        return tagged(task_dict(tasks.update(self.actor, whole(id), changes=changes, expected_version=expected)))

    @extend_schema(**documented.remove("Remove a task"))
    def destroy(self, request: Request, id: str) -> Response:
        """From the checklist; the timeline keeps its title."""
        tasks.delete(self.actor, whole(id), expected_version=expected_version(request))
        return Response(status=204)

    @extend_schema(**documented.verb("Complete a task", bodies.Nothing, task_shapes.Task))
    def complete(self, request: Request, id: str) -> Response:
        """The first who does stays the one who did. The assignee may with the level *comment*."""
        return self._verb(request, id, tasks.complete)

    @extend_schema(**documented.verb("Reopen a task", bodies.Nothing, task_shapes.Task))
    def reopen(self, request: Request, id: str) -> Response:
        """Not done after all."""
        return self._verb(request, id, tasks.reopen)

    @extend_schema(**documented.verb("Assign a task", task_shapes.AssignTask, task_shapes.Task))
    def assign(self, request: Request, id: str) -> Response:
        """To somebody who sees the incident, or to nobody."""
        given, expected, pk = self.body(task_shapes.AssignTask), expected_version(request), whole(id)
        return self.once(
            lambda: tagged(task_dict(tasks.assign(self.actor, pk, given["assignee"], expected_version=expected)))
        )

    def _verb(self, request: Request, id: str, act: Callable[..., IncidentTask]) -> Response:
        self.body(bodies.Nothing)
        pk, expected = whole(id), expected_version(request)
        return self.once(lambda: tagged(task_dict(act(self.actor, pk, expected_version=expected))))

    def _filtered(self, request: Request, rows: QuerySet[IncidentTask]) -> QuerySet[IncidentTask]:
        given = request.query_params
        if given.get("status"):
            rows = rows.filter(status=_one_of("status", given["status"], {one.word: one for one in TaskStatus}))
        if given.get("required"):
            rows = rows.filter(required=_one_of("required", given["required"], {"true": True, "false": False}))
        if given.get("incident"):
            rows = rows.filter(incident=incident_for(self.user, given["incident"]))
        if given.get("due_before"):
            rows = rows.filter(due_at__lt=_moment("due_before", given["due_before"]))
        if who := given.get("assignee"):
            own: dict[str, dict[str, Any]] = {"me": {"assignee": self.user}, "none": {"assignee": None}}
            rows = rows.filter(**own.get(who, {"assignee__username": who}))
        return rows


def _one_of(field: str, given: str, known: dict[str, Any]) -> Any:
    if given not in known:
        raise ValidationError({field: [_("One of: %(known)s.") % {"known": ", ".join(known)}]})
    return known[given]


def _moment(field: str, given: str) -> Any:
    moment = moment_of(given)
    if moment is None:
        raise ValidationError({field: [_("A time in ISO 8601.")]})
    return moment
