"""Templates of reports under the settings, for those who manage them (casework.md 16, access.md 8)."""

from __future__ import annotations

import copy
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from cases.actions import report_templates as actions
from cases.actors import Actor
from cases.errors import CaseError, Missing, Refused, Stale
from cases.models import ReportTemplate
from cases.reporting.page import preview
from cases.reporting.sample import DOCUMENT
from cases.reporting.templates import BODY_AT_MOST, SHIPPED
from cases.views.parts import needs, person_of

LIST, FORM, SOURCE = (f"cases/reports/{name}.html" for name in ("list", "form", "shipped"))
VERSIONS_SHOWN = 20
manages = needs("manage_settings")
reads = needs("manage_settings", read_by="view_setup")


class ReportForm(forms.Form):
    """What a person says of a template; the action checks it once more."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=actions.NAME_AT_MOST)
    description = forms.CharField(
        label=gettext_lazy("Description"), max_length=actions.DESCRIPTION_AT_MOST, required=False
    )
    body = forms.CharField(
        label=gettext_lazy("Template"),
        max_length=BODY_AT_MOST,
        strip=False,
        widget=forms.Textarea({"rows": 24, "spellcheck": "false", "class": "mono"}),
    )
    enabled = forms.BooleanField(label=gettext_lazy("Can be chosen"), required=False, initial=True)


@reads
@require_safe
def report_list(request: HttpRequest) -> HttpResponse:
    """Those of the product and one's own."""
    return render(request, LIST, {"shipped": list(SHIPPED.values()), "own": list(ReportTemplate.objects.all()[:200])})


@reads
@require_safe
def report_shipped(request: HttpRequest, slug: str) -> HttpResponse:
    """One of the product, to read and to copy."""
    if slug not in SHIPPED:
        raise Missing(_("There is no report template %(slug)s.") % {"slug": f"{slug:.60}"})
    return render(request, SOURCE, {"template": SHIPPED[slug]})


@manages
@require_http_methods(["GET", "HEAD", "POST"])
def report_create(request: HttpRequest) -> HttpResponse:
    """The form of a new one; ``?from=`` is the template that it begins as a copy of."""
    form = ReportForm(request.POST or None, initial=_beginning(request.GET.get("from", "full")))
    if request.method == "POST" and form.is_valid():
        try:
            made = actions.create(Actor.of(person_of(request)), **form.cleaned_data)
        except CaseError as error:
            _beside(form, error)
        else:
            messages.success(request, _("%s can be chosen at exports.") % made.name)
            return redirect("report-edit", made.pk)
    return _page(request, form)


@reads
@require_http_methods(["GET", "HEAD", "POST"])
def report_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """The form of one that is there, with its versions."""
    template = actions.template_for(pk)
    initial = {name: getattr(template, name) for name in ReportForm.base_fields}
    form = ReportForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        expected = _number(request.POST.get("version", ""))
        try:
            actions.update(Actor.of(person_of(request)), pk, expected_version=expected, **form.cleaned_data)
        except CaseError as error:
            _beside(form, error)
            return _page(request, form, actions.template_for(pk), stale=isinstance(error, Stale))
        messages.success(request, _("Saved"))
        return redirect("report-edit", pk)
    return _page(request, form, template)


@manages
@require_POST
def report_restore(request: HttpRequest, pk: int) -> HttpResponse:
    """An older version in the place of today's."""
    number, expected = _number(request.POST.get("number", "")), _number(request.POST.get("version", ""))
    try:
        actions.restore(Actor.of(person_of(request)), pk, number, expected_version=expected)
    except (Refused, Stale) as error:
        messages.error(request, error.message)
    else:
        messages.success(request, _("Version %s is back.") % number)
    return redirect("report-edit", pk)


@manages
@require_POST
def report_delete(request: HttpRequest, pk: int) -> HttpResponse:
    """Take it away."""
    name = actions.template_for(pk).name
    actions.delete(Actor.of(person_of(request)), pk)
    messages.success(request, _("%s deleted") % name)
    return redirect("report-list")


@manages
@require_POST
def report_preview(request: HttpRequest) -> HttpResponse:
    """What the written body makes of a small made-up incident, shown as nothing but text and our style."""
    try:
        page, policy = preview(copy.deepcopy(DOCUMENT), request.POST.get("body", "")[: BODY_AT_MOST + 1])
    except Refused as error:
        return render(request, "cases/reports/fails.html", {"problem": error.message}, status=422)
    answer = HttpResponse(page)
    answer["Content-Security-Policy"] = f"{policy}; frame-ancestors 'none'; sandbox"
    answer["Cache-Control"] = "no-store"
    return answer


def _page(
    request: HttpRequest, form: ReportForm, template: ReportTemplate | None = None, *, stale: bool = False
) -> HttpResponse:
    context: dict[str, Any] = {"form": form, "template": template, "stale": stale}
    if template is not None:
        context["versions"] = list(template.versions.defer("body")[:VERSIONS_SHOWN])
    return render(request, FORM, context, status=412 if stale else 422 if form.errors else 200)


def _beginning(slug: str) -> dict[str, Any]:
    """A copy of the product's template, or of one's own."""
    if slug in SHIPPED:
        return {"name": "", "description": SHIPPED[slug].description, "body": SHIPPED[slug].body}
    own = ReportTemplate.objects.filter(slug=slug.replace("\x00", "")).first()
    return {"name": "", "description": own.description, "body": own.body} if own else {}


def _number(text: str) -> int:
    """What a form sent as a number; -1, which is none, for anything else."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else -1


def _beside(form: ReportForm, error: CaseError) -> None:
    form.add_error(error.field if error.field in form.fields else None, error.message)
