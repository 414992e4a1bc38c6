"""Exports of incidents: at once, or as a job of one's own (casework.md 16)."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from cases.actions import exports
from cases.api import bodies, documented, export_shapes, paging, shapes
from cases.api.base import ApiViewSet, whole
from cases.choices import Tlp
from cases.models import ExportJob
from cases.reporting.document import exportable
from cases.reporting.formats import FORMATS
from cases.reporting.options import DEFAULT_TEMPLATE, Options
from cases.reporting.templates import choices
from cases.views.export_file import job_answer, made_answer
from soar.lib.clock import iso

YES_NO = {"type": "boolean", "default": True}
PARAMS = [
    OpenApiParameter(
        "format", str, required=True, enum=list(FORMATS), description="`GET /exports/choices/` tells more."
    ),
    OpenApiParameter("template", str, default=DEFAULT_TEMPLATE, description="Of a report; `GET /exports/choices/`."),
    OpenApiParameter("evidence", YES_NO, description="With the list of evidence."),
    OpenApiParameter("notes", YES_NO, description="With what people wrote on the timeline."),
    OpenApiParameter("observables", YES_NO, description="With the observables."),
    OpenApiParameter(
        "tlp", str, enum=Tlp.values, description="What is above it is left out; 400 for an incident above it."
    ),
]
MADE = {
    (200, one.content_type.partition(";")[0]): OpenApiResponse(OpenApiTypes.BINARY, description="The file.")
    for one in FORMATS.values()
    if not one.slow
}
FILES = {
    (200, one.content_type.partition(";")[0]): OpenApiResponse(OpenApiTypes.BINARY, description="The file.")
    for one in FORMATS.values()
}
QUEUED = {(202, "application/json"): OpenApiResponse(shapes.JobMade, description="A worker makes it; see `url`.")}
NOT_YOURS = gettext_noop("The permission to export is missing.")


class IncidentExport(ApiViewSet):
    """``/incidents/{id}/export/``."""

    reads = "view_cases"

    def perform_content_negotiation(self, request: Request, force: bool = False) -> Any:
        """A file is given whatever the caller accepts, and ``format`` is ours."""
        return super().perform_content_negotiation(request, force=True)

    @extend_schema(
        summary="Export an incident",
        parameters=PARAMS,
        responses={**MADE, **QUEUED, **documented.refusals(400, 403, 404, 409, 413)},
    )
    def export(self, request: Request, id: str) -> HttpResponseBase:
        """As you see it, all of one moment, with the permission `export`; written on its timeline and into the audit
        log. Quick formats are answered at once; for a slow one 202 with a job, the same one while it is under way."""
        exportable(self.user, id)
        given, options = request.query_params.get("format", ""), Options.read(request.query_params)
        if not given:
            raise ValidationError({"format": [_("One of: %(formats)s.") % {"formats": ", ".join(FORMATS)}]})
        if not exports.checked(self.user, id, given, options).slow:
            return made_answer(exports.at_once(self.user, id, given, options))
        job = exports.start(self.user, id, given, options)
        where = f"{settings.SOAR_URL}/api/v1/exports/{job.pk}/"
        return Response({"job": job.pk, "url": where}, status=202, headers={"Location": where})


class Exports(ApiViewSet):
    """``/exports/``: one's own."""

    reads = "view_cases"

    def perform_content_negotiation(self, request: Request, force: bool = False) -> Any:
        """A download is given whatever the caller accepts."""
        return super().perform_content_negotiation(request, force or self.action == "file")

    @extend_schema(
        **documented.listing("List your exports", export_shapes.EXPORT_PAGE, params=[documented.ordering(paging.BY_ID)])
    )
    def list(self, request: Request) -> Response:
        """Newest first; those that a worker made or makes. They are forgotten after a month."""
        self.need("export", _(NOT_YOURS))
        paging.check_params(request, ("ordering",))
        rows = exports.all_own(self.user)
        found = paging.page(request, rows, paging.order_of(request, paging.BY_ID))
        return Response(paging.paged(request, found, [export_dict(row) for row in found.rows]))

    @extend_schema(**documented.read("Read what can be exported", export_shapes.ExportChoices, tagged=False))
    def choices(self, request: Request) -> Response:
        """Formats, and templates of reports."""
        self.need("export", _(NOT_YOURS))
        names = ("name", "label", "content_type", "extension", "slow", "templated", "hint")
        formats = [{name: getattr(one, name) for name in names} for one in FORMATS.values()]
        templates = [{"slug": slug, "name": name, "description": about} for slug, name, about in choices()]
        return Response({"formats": formats, "templates": templates})

    @extend_schema(**documented.read("Read an export's progress", export_shapes.Export, tagged=False))
    def retrieve(self, request: Request, id: str) -> Response:
        """`finished_at` is null while it goes on."""
        return Response(export_dict(exports.own(self.user, whole(id))))

    @extend_schema(**documented.verb("Cancel an export", bodies.Nothing, export_shapes.Export, tagged=False))
    def cancel(self, request: Request, id: str) -> Response:
        """409 for one that has ended."""
        self.body(bodies.Nothing)
        return self.once(lambda: Response(export_dict(exports.cancel(self.user, whole(id)))))

    @extend_schema(
        summary="Download an export",
        responses={**FILES, **documented.refusals(400, 403, 404, 409)},
    )
    def file(self, request: Request, id: str) -> HttpResponseBase:
        """The file, for a day, while you may still export that incident. 409 before it is there and after its day."""
        return job_answer(*exports.download(self.user, whole(id)))


def export_dict(job: ExportJob) -> dict[str, Any]:
    """An export in JSON."""
    where = f"{settings.SOAR_URL}/api/v1/exports/{job.pk}/"
    return {
        "id": job.pk,
        "incident": f"INC-{job.incident_id}",
        "url": where,
        "file": f"{where}file/" if job.file else None,
        "format": job.format,
        "options": job.options,
        "status": job.status,
        "progress": job.progress,
        "message": job.message,
        "name": job.name,
        "size": job.size,
        "sha256": job.sha256,
        "created_at": iso(job.created_at),
        "finished_at": iso(job.finished_at),
        "expires_at": iso(job.expires_at),
    }
