"""Bulk actions: a job that a worker does, and its progress."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import QueryDict
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from cases.actions import bulk_jobs
from cases.actions.bulk_selection import Selection, selection_of
from cases.api import bodies, documented, fields, paging, shapes
from cases.api.base import ApiViewSet, whole
from cases.api.fields import Body, Flag, Ref, Text, Texts
from cases.errors import Missing
from cases.filters import FIELDS, AlertFilter
from cases.models import BulkJob
from cases.permissions import parse_number
from cases.query_filter import VALUE_AT_MOST
from soar.accounts.membership import asked_within
from soar.accounts.models import User
from soar.lib.clock import iso


class Bulk(Body):
    """Alerts by ``ids`` or by ``filter`` (the names of the list's parameters), the action, and its fields."""

    ids = serializers.ListField(child=Ref(), required=False, min_length=1, max_length=bulk_jobs.AT_MOST)
    filter = serializers.DictField(
        child=Text(max_length=VALUE_AT_MOST, allow_blank=True), required=False, allow_empty=False
    )
    action = fields.Words(bulk_jobs.ACTIONS)
    owner = bodies.name()
    team = bodies.name()
    status = fields.alert_status(required=False)
    severity = fields.severity(required=False)
    determination = fields.determination(required=False)
    findings = fields.findings(required=False)
    reason = bodies.reason()
    tags = Texts(required=False, most=50)
    incident = Ref(required=False)
    move = Flag(required=False)
    title = Text(max_length=300, required=False, allow_blank=True)
    owners = Texts(required=False, most=50)
    playbook = Ref(required=False)
    dry_run = Flag(required=False)


JOB_PAGE = shapes.page_of(shapes.Job)


class BulkApi(ApiViewSet):
    """``/alerts/bulk/``."""

    reads = "view_cases"

    @extend_schema(**documented.create("Act on many alerts", Bulk, shapes.JobMade, code=202, tagged=False))
    def start(self, request: Request) -> Response:
        """Alert by alert with your rights: one that is refused stops no other. `link` and `incident` are all or
        nothing. At most 10,000 ids; a filter takes up to 100,000 alerts that match now (1,000 for `link`, `incident`
        and `run`), and leaves out those that match no more when their turn comes."""
        given = self.body(Bulk)
        alerts = _alerts(self.user, given)
        action = given.pop("action")
        return self.once(lambda: _made(bulk_jobs.start(self.user, alerts, action, given)))


class Jobs(ApiViewSet):
    """``/jobs/``: one's own."""

    reads = "view_cases"

    @extend_schema(**documented.listing("List your jobs", JOB_PAGE))
    def list(self, request: Request) -> Response:
        """Newest first."""
        rows = BulkJob.objects.filter(asked_within(self.user), user=self.user)
        rows = rows.select_related("undone_by").defer("alerts")
        found = paging.page(request, rows)
        return Response(paging.paged(request, found, [job_dict(row) for row in found.rows]))

    @extend_schema(**documented.read("Read a job's progress", shapes.Job, tagged=False))
    def retrieve(self, request: Request, id: str) -> Response:
        """`finished_at` is null while it goes on."""
        return Response(job_dict(bulk_jobs.own(self.user, whole(id))))

    @extend_schema(**documented.verb("Cancel a job", bodies.Nothing, shapes.Job, tagged=False))
    def cancel(self, request: Request, id: str) -> Response:
        """The batch that is under way is finished, the others are not begun; what was done stays done. 409 for a job
        that has ended."""
        self.body(bodies.Nothing)
        return self.once(lambda: Response(job_dict(bulk_jobs.cancel(self.user, whole(id)))))

    @extend_schema(**documented.create("Undo a job", bodies.Nothing, shapes.JobMade, code=202, tagged=False))
    def undo(self, request: Request, id: str) -> Response:
        """A job that puts back what this one changed, alert by alert where nobody has changed it since. Once, within
        24 hours, for `assign`, `claim`, `status`, `resolve`, `reopen`, `severity` and `tag`. 409 otherwise."""
        self.body(bodies.Nothing)
        return self.once(lambda: _made(bulk_jobs.undo(self.user, whole(id))))


def _made(job: BulkJob) -> Response:
    where = f"{settings.SOAR_URL}/api/v1/jobs/{job.pk}/"
    return Response({"job": job.pk, "url": where}, status=202, headers={"Location": where})


def job_dict(job: BulkJob) -> dict[str, Any]:
    """A job in JSON."""
    return {
        "id": job.pk,
        "action": job.action,
        "status": job.status,
        "filter": job.query,
        "total": job.total,
        "position": job.position,
        "done": job.done,
        "skipped": job.skipped,
        "refused_count": job.refused_count,
        "refused": job.refused,
        "incident": job.incident or None,
        "undo_of": job.undo_of_id,
        "undo_until": iso(job.undo_until) if bulk_jobs.no_undo(job) is None else None,
        "created_at": iso(job.created_at),
        "finished_at": iso(job.finished_at),
    }


def _alerts(user: User, given: dict[str, Any]) -> list[int] | Selection:
    """The alerts meant, taken out of the body. Raises ValidationError."""
    ids, wanted = given.pop("ids", None), given.pop("filter", None)
    if (ids is None) == (wanted is None):
        raise ValidationError({"ids": [_("Give either ids or a filter.")]})
    if wanted is not None:
        return _matching(user, wanted)
    try:
        return [parse_number(one, "ALR") for one in ids or ()]
    except Missing as error:
        raise ValidationError({"ids": [error.message]}) from error


def _matching(user: User, wanted: dict[str, str]) -> Selection:
    if unknown := [name for name in wanted if name not in FIELDS and name != "q"]:
        raise ValidationError(
            {
                "filter": [
                    _("%(unknown)s is not one of: q, %(fields)s.")
                    % {"unknown": unknown[0][:40], "fields": ", ".join(FIELDS)}
                ]
            }
        )
    params = QueryDict(mutable=True)
    params.update(wanted)
    return selection_of(AlertFilter.parse(params))
