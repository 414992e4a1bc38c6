"""Response tasks: reading them, starting actions by hand, and what follows on a task (rulings 27, spec 17a, 17b)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from cases.api import documented, paging
from cases.api.base import ApiViewSet
from cases.api.bodies import Nothing
from cases.restricted_views import note_rows
from playbooks.actions import response_ends, response_follow, responses
from playbooks.actions.response_choice import chosen
from playbooks.actions.response_plan import plan
from playbooks.actions.response_preview import preview_planned
from playbooks.api import response_shapes as shapes
from playbooks.disclosure import unname_incidents, withhold
from playbooks.models import ResponseTask
from playbooks.response_filter import FIELDS, ResponseFilter
from playbooks.response_representation import task_detail, task_dict
from playbooks.response_selectors import task_for, visible_tasks
from soar.accounts.models import User


class ResponseTasks(ApiViewSet):
    """``/response-tasks/``."""

    reads = "view_cases"

    @extend_schema(
        **documented.listing(
            "List response tasks", shapes.RESPONSE_PAGE, params=[*FIELDS, documented.ordering(paging.BY_ID)]
        )
    )
    def list(self, request: Request) -> Response:
        """Of playbooks and by hand, on what you may see, newest first. `status` may be several; `q` finds in targets;
        `by` is a user name; `time` is 1h, 24h, 7d or 30d."""
        paging.check_params(request, (*FIELDS, "ordering"))
        rows = _filtered(request, visible_tasks(self.user)).select_related("account", "created_by")
        found = paging.page(request, rows.defer("request", "answer", "secret"), paging.order_of(request, paging.BY_ID))
        _fit(self.user, found.rows)
        note_rows(self.user, found.rows)
        return Response(paging.paged(request, found, [task_dict(row) for row in found.rows]))

    @extend_schema(**documented.create("Start a response action", shapes.NewResponse, shapes.Started, tagged=False))
    def create(self, request: Request) -> Response:
        """One task per target, by the rules that playbooks obey: benign lists forbid, the never-touch list asks for an
        approval. Needs the permission to respond. With `dry_run` nothing is made: 200 with what would be sent."""
        given = self.body(shapes.NewResponse)
        return self.once(lambda: self._started(given))

    def _started(self, given: dict[str, Any]) -> Response:
        case, targets = chosen(self.actor, given)
        params, action = given.get("params") or {}, given["action"]
        if given.get("dry_run"):
            made = plan(self.actor, action, targets, params)
            return Response({"dry_run": True, "tasks": [], "planned": preview_planned(made)})
        made_tasks = responses.start(
            self.actor, case, action=action, targets=targets, params=params, comment=given.get("comment", "")
        )
        fresh = ResponseTask.objects.filter(pk__in=[task.pk for task in made_tasks]).order_by("pk")
        rows = fresh.select_related("account", "created_by")
        return Response({"dry_run": False, "tasks": [task_dict(row) for row in rows], "planned": []}, status=201)

    @extend_schema(**documented.read("Read a response task", shapes.ResponseTaskDetail, tagged=False))
    def retrieve(self, request: Request, id: str) -> Response:
        """With the request that was sent and the answer."""
        return Response(self._whole(task_for(self.user, id)))

    @extend_schema(**documented.create("Send a task again", Nothing, shapes.ResponseTaskDetail, tagged=False))
    def resend(self, request: Request, id: str) -> Response:
        """A queued one at once; a failed one as a new task. 409 for one that is under way or succeeded."""
        return self._follow(lambda: response_follow.resend(self.actor, id), 201)

    @extend_schema(**documented.create("Undo a task", Nothing, shapes.ResponseTaskDetail, tagged=False))
    def inverse(self, request: Request, id: str) -> Response:
        """Restore the connection, enable the account, and so on, as a new task. 409 if there is nothing to undo."""
        return self._follow(lambda: response_follow.inverse(self.actor, id), 201)

    @extend_schema(**documented.verb("Cancel a task", Nothing, shapes.ResponseTaskDetail, tagged=False))
    def cancel(self, request: Request, id: str) -> Response:
        """Only what has not begun; 409 otherwise."""
        return self._follow(lambda: response_ends.cancel(self.actor, id), 200)

    @extend_schema(
        **documented.verb(
            "Decide on a task of unknown outcome", shapes.DecideTask, shapes.ResponseTaskDetail, tagged=False
        )
    )
    def decide(self, request: Request, id: str) -> Response:
        """`done`, `not_done` or `repeat`. Its run goes on when nothing is left to decide."""
        given = self.body(shapes.DecideTask)
        comment = given.get("comment", "")
        return self.once(lambda: Response(self._whole(response_ends.decide(self.actor, id, given["outcome"], comment))))

    def _follow(self, act: Callable[[], ResponseTask], code: int) -> Response:
        self.body(Nothing)
        return self.once(lambda: Response(self._whole(task_for(self.user, act().pk)), status=code))

    def _whole(self, task: ResponseTask) -> dict[str, Any]:
        _fit(self.user, [task])
        return task_detail(task)


def _fit(user: User, tasks: Sequence[ResponseTask]) -> None:
    """Take out what the user may not see, in memory."""
    withhold(user, [], tasks=tasks)
    unname_incidents(user, tasks)


def _filtered(request: Request, rows: QuerySet[ResponseTask]) -> QuerySet[ResponseTask]:
    asked = ResponseFilter.parse(request.query_params)
    if asked.errors:
        raise ValidationError({error.partition(":")[0].lower()[:40]: [error] for error in asked.errors})
    return asked.apply(rows)
