"""Incident templates: everybody who sees incidents may read them, who manages settings may change them."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from cases.actions import template_use, templates
from cases.api import documented, paging, shapes, task_shapes
from cases.api.base import ApiViewSet, read, tagged, whole
from cases.api.etags import expected_version
from cases.api.representation import incident_dict
from cases.choices import Severity
from cases.models import IncidentTemplate
from soar.lib.clock import iso


class Templates(ApiViewSet):
    """``/incident-templates/``."""

    reads = "view_cases"

    @extend_schema(
        **documented.listing(
            "List incident templates", task_shapes.TEMPLATE_PAGE, params=[documented.ordering(paging.BY_ID)]
        )
    )
    def list(self, request: Request) -> Response:
        """With their tasks."""
        paging.check_params(request, ("ordering",))
        found = paging.page(request, IncidentTemplate.objects.current(), paging.order_of(request, paging.BY_ID))
        return Response(paging.paged(request, found, [template_dict(row) for row in found.rows]))

    @extend_schema(
        **documented.create("Make an incident template", task_shapes.NewTemplate, task_shapes.Template, tagged=False)
    )
    def create(self, request: Request) -> Response:
        """For those who manage settings."""
        fields = self.body(task_shapes.NewTemplate)
        return self.once(lambda: tagged(template_dict(templates.create(self.actor, fields=fields)), 201))

    @extend_schema(**documented.read("Read an incident template", task_shapes.Template))
    def retrieve(self, request: Request, id: str) -> Response:
        """With its tasks."""
        return read(request, template_dict(templates.template_for(whole(id))))

    @extend_schema(
        **documented.change("Change an incident template", task_shapes.TemplateChanges, task_shapes.Template)
    )
    def partial_update(self, request: Request, id: str) -> Response:
        """For those who manage settings. Incidents that used it keep what they took from it."""
        changes, expected = self.body(task_shapes.TemplateChanges, partial=True), expected_version(request)
        changed = templates.update(self.actor, whole(id), changes=changes, expected_version=expected)
        return tagged(template_dict(changed))

    @extend_schema(**documented.remove("Delete an incident template"))
    def destroy(self, request: Request, id: str) -> Response:
        """For those who manage settings. Incidents that used it keep their tasks, and need what it asks for still."""
        templates.delete(self.actor, whole(id), expected_version=expected_version(request))
        return Response(status=204)

    @extend_schema(
        **documented.verb("Use a template on an incident", task_shapes.UseTemplate, shapes.Incident, tagged=False)
    )
    def use(self, request: Request, id: str) -> Response:
        """Adds its tags and tasks; what is there already is not added twice. 409 on a resolved or closed incident."""
        given = self.body(task_shapes.UseTemplate)
        return self.once(lambda: tagged(incident_dict(template_use.apply(self.actor, id, given["template"]))))


def template_dict(template: IncidentTemplate) -> dict[str, Any]:
    """A template in JSON."""
    return {
        "id": template.pk,
        "name": template.name,
        "description": template.description,
        "kind": template.kind,
        "severity": None if template.severity is None else Severity(template.severity).word,
        "tlp": template.tlp,
        "tags": template.tags,
        "tasks": template.tasks,
        "custom_fields": template.custom_fields,
        "changed_by": template.changed_by,
        "created_at": iso(template.created_at),
        "updated_at": iso(template.updated_at),
        "version": template.version,
    }
