"""Incident templates under the settings, for those who manage them (casework.md 10, access.md 8)."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from cases.actions import templates
from cases.actors import Actor
from cases.choices import IncidentKind, Severity
from cases.errors import CaseError, Refused, Stale
from cases.models import IncidentTemplate
from cases.views.parts import needs, person_of
from cases.views.template_form import TemplateForm
from soar.lib import parts
from soar.lib.keyset import Order
from soar.lib.paging import asked, paged

BY_NAME = Order("name", ("name", "id"), descending=False, folded=("name",))
manages = needs("manage_settings")
reads = needs("manage_settings", read_by="view_setup")


@reads
@require_safe
def template_list(request: HttpRequest) -> HttpResponse:
    """Templates by name, with what they bring. ``?q=`` is in the name or the description."""
    text, found = asked(request.GET), IncidentTemplate.objects.current()
    if text:
        found = found.filter(Q(name__icontains=text) | Q(description__icontains=text))
    page = paged(request, found, BY_NAME, keep={"q": text})
    context = {"rows": [_row(one) for one in page.rows], "page": page, "q": text}
    return render(request, "cases/templates/list.html", context)


@manages
@require_http_methods(["GET", "HEAD", "POST"])
def template_create(request: HttpRequest) -> HttpResponse:
    """The form of a new one."""
    form = TemplateForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            template = templates.create(Actor.of(person_of(request)), fields=form.for_action())
        except CaseError as error:
            _beside(form, error)
        else:
            messages.success(request, _("%s is there to be used.") % template.name)
            return redirect("template-list")
    return _page(request, form)


@reads
@require_http_methods(["GET", "HEAD", "POST"])
def template_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """The form of one that is there."""
    template = templates.template_for(pk)
    form = TemplateForm(request.POST if request.method == "POST" else None, template)
    if request.method == "POST" and form.is_valid():
        version = request.POST.get("version", "")
        expected = int(version) if version.isdecimal() and len(version) < 10 else None
        try:
            saved = templates.update(
                Actor.of(person_of(request)), pk, changes=form.for_action(), expected_version=expected
            )
        except (Refused, Stale) as error:
            _beside(form, error)
            return _page(request, form, templates.template_for(pk), stale=isinstance(error, Stale))
        messages.success(request, _("%s saved") % saved.name)
        return redirect("template-list")
    return _page(request, form, template)


@manages
@require_POST
def template_delete(request: HttpRequest, pk: int) -> HttpResponse:
    """Take it away; incidents keep what they took from it."""
    template = templates.template_for(pk)
    templates.delete(Actor.of(person_of(request)), pk)
    messages.success(request, _("%s deleted. Incidents that used it keep their tasks.") % template.name)
    return redirect("template-list")


def _page(
    request: HttpRequest,
    form: TemplateForm,
    template: IncidentTemplate | None = None,
    *,
    stale: bool = False,
) -> HttpResponse:
    context = {"form": form, "template": template, "stale": stale}
    status = 412 if stale else 422 if form.errors else 200
    return render(request, "cases/templates/form.html", context, status=status)


def _beside(form: TemplateForm, error: CaseError) -> None:
    form.add_error(error.field if error.field in form.fields else None, error.message)


def _row(template: IncidentTemplate) -> dict[str, Any]:
    severity = "" if template.severity is None else parts.sev(Severity(template.severity).word)
    known = template.kind in IncidentKind.values
    return {
        "template": template,
        "kind": _(str(IncidentKind(template.kind).label)) if known else template.kind,
        "severity": severity,
        "tasks": len(template.tasks),
        "required": sum(bool(task.get("required")) for task in template.tasks),
        "changed": parts.ago(template.updated_at),
    }
