"""Approvals: reading them and deciding on them (contract.md)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from cases.api import documented, paging
from cases.api.base import ApiViewSet
from cases.restricted_views import note_rows
from playbooks.actions.approvals import approve, reject
from playbooks.api import response_shapes as shapes
from playbooks.choices import APPROVAL_OPEN, ApprovalStatus
from playbooks.disclosure import unname_incidents, withhold, withhold_words
from playbooks.models import Approval, ResponseTask, Vote
from playbooks.response_representation import approval_dict
from playbooks.response_selectors import approval_for, visible_approvals
from soar.accounts.models import User


class Approvals(ApiViewSet):
    """``/approvals/``."""

    reads = "view_cases"

    @extend_schema(
        **documented.listing(
            "List approvals", shapes.APPROVAL_PAGE, params=["status", documented.ordering(paging.BY_ID)]
        )
    )
    def list(self, request: Request) -> Response:
        """Those on alerts and incidents that you may see, newest first. `status` may be several; `pending` are all that
        wait, also partly decided ones."""
        paging.check_params(request, ("status", "ordering"))
        rows = visible_approvals(self.user).select_related("run__playbook", "requested_by")
        if words := request.query_params.get("status"):
            rows = rows.filter(status__in=_statuses(words))
        found = paging.page(request, rows, paging.order_of(request, paging.BY_ID))
        note_rows(self.user, found.rows)
        return Response(paging.paged(request, found, dicts_of(self.user, found.rows)))

    @extend_schema(**documented.read("Read an approval", shapes.Approval, tagged=False))
    def retrieve(self, request: Request, id: str) -> Response:
        """With its tasks and votes. Reading decides nothing."""
        return Response(dicts_of(self.user, [approval_for(self.user, id)])[0])

    @extend_schema(**documented.verb("Approve", shapes.Decision, shapes.Approval, tagged=False))
    def approve(self, request: Request, id: str) -> Response:
        """All tasks that wait, or these. 409 when it is decided, expired, or another person must approve it too."""
        given = self.body(shapes.Decision)
        return self._answer(lambda: approve(self.actor, id, **given))

    @extend_schema(**documented.verb("Reject", shapes.Decision, shapes.Approval, tagged=False))
    def reject(self, request: Request, id: str) -> Response:
        """All tasks that wait, or these: they never run. 409 when it is decided or expired."""
        given = self.body(shapes.Decision)
        return self._answer(lambda: reject(self.actor, id, **given))

    def _answer(self, act: Callable[[], Approval]) -> Response:
        return self.once(lambda: Response(dicts_of(self.user, [act()])[0]))


def dicts_of(user: User, approvals: Sequence[Approval]) -> list[dict[str, Any]]:
    """Approvals in JSON, as the user may see them; their tasks and votes are read together."""
    ids = [one.pk for one in approvals]
    tasks: dict[int | None, list[ResponseTask]] = defaultdict(list)
    rows = ResponseTask.objects.filter(approval__in=ids).select_related("account", "created_by")
    found = list(rows.defer("request", "answer", "secret"))
    withhold(user, [], tasks=found)
    for task in found:
        tasks[task.approval_id].append(task)
    votes: dict[int, list[Vote]] = defaultdict(list)
    for vote in Vote.objects.filter(approval__in=ids).select_related("user").order_by("pk"):
        votes[vote.approval_id].append(vote)
    unname_incidents(user, [*approvals, *found])
    withhold_words(user, approvals)
    return [approval_dict(one, tasks[one.pk], votes[one.pk]) for one in approvals]


def _statuses(text: str) -> set[str]:
    words = {word.strip() for word in text.split(",") if word.strip()}
    if wrong := sorted(words - set(ApprovalStatus.values)):
        raise ValidationError(
            {
                "status": [
                    _("%(wrong)s is not one of: %(values)s.")
                    % {"wrong": wrong[0][:40], "values": ", ".join(ApprovalStatus.values)}
                ]
            }
        )
    return words | (set(APPROVAL_OPEN) if "pending" in words else set())
