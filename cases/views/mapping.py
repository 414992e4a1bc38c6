"""The mapping editor: choose a value of a sample, see the alert that comes of it (ingest-and-api.md 3).

One form does everything. With scripts its parts follow what is typed; without, every button sends the whole form and
the page comes back with it, nothing saved but on *Save*."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from cases.actions import mappings as actions
from cases.actors import Actor
from cases.errors import CaseError, Missing, Refused, Stale
from cases.ingest.mapping.document import FIELDS, BadMapping
from cases.models import AlertSource, SourceMapping
from cases.views import dead_letters_parts as letters
from cases.views import mapping_form as form
from cases.views import mapping_parts as shown
from cases.views import mapping_samples as samples
from cases.views import sources_parts
from cases.views.parts import person_of
from cases.views.sources import found, manages_it, manages_sources, read_or_found, reads_sources
from soar.lib.htmx import live, render_regions

TEMPLATE = "cases/sources/mapping.html"
VERSIONS = "cases/sources/mapping_versions.html"
SHOWN_VERSIONS = 50
TARGETS = (*FIELDS, form.ITEMS, "observable")


@reads_sources
@require_http_methods(["GET", "HEAD", "POST"])
def mapping_edit(request: HttpRequest, slug: str) -> HttpResponse:
    """The editor. A POST saves only with ``do=save`` or ``do=anyway``; else it shows what was typed. Who only reads
    what is set up is led to the versions, without samples: they are deliveries."""
    if request.method != "POST" and not manages_it(person_of(request), read_or_found(request, slug)):
        return redirect("source-mapping-versions", slug)
    source = found(request, slug)
    if request.method != "POST":
        data = form.data_of(source.mapping.mapping if source.mapping else {})
        return _page(request, source, data, sample=request.GET.get("sample", ""))
    data = form.typed(request.POST)
    if path := request.POST.get("pick", ""):
        form.pick(data, request.POST.get("target", ""), path[:400])
    elif request.POST.get("do") in ("save", "anyway"):
        return _save(request, source, data)
    elif request.POST.get("do") == "keep":
        return _keep(request, source, data)
    return _page(request, source, data)


@manages_sources
@require_POST
def mapping_preview(request: HttpRequest, slug: str) -> HttpResponse:
    """The parts of the editor that follow what is typed."""
    source = found(request, slug)
    data = form.typed(request.POST)
    context = _context(request, source, data, request.POST.get("sample", ""), None)
    said = context["alert"]["title"] if context["alert"] else "; ".join(context["preview"].errors)
    return render_regions(request, TEMPLATE, ["result", "tree", "gots"], context, extra=[live(said)])


@manages_sources
@require_POST
def sample_remove(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """Keep a sample no longer."""
    found(request, slug)
    actions.remove_sample(Actor.of(person_of(request)), slug, pk)
    messages.success(request, _("The sample is kept no longer."))
    return redirect("source-mapping", slug)


@reads_sources
@require_safe
def mapping_versions(request: HttpRequest, slug: str) -> HttpResponse:
    """All versions, newest first, each with what it changed."""
    source = read_or_found(request, slug)
    rows = list(source.mappings.all()[: SHOWN_VERSIONS + 1])
    older = [*rows[1:], None][: len(rows)]
    listed = [
        {"row": row, "changes": actions.differences(before.mapping if before else {}, row.mapping)}
        for row, before in zip(rows, older, strict=True)
    ][:SHOWN_VERSIONS]
    manages = manages_it(person_of(request), source)
    return render(request, VERSIONS, {"versions": listed, "manages": manages, **letters.tabs(source, "mapping")})


@manages_sources
@require_POST
def mapping_restore(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    """Make an older version the newest."""
    found(request, slug)
    version = request.POST.get("version", "")
    seen = int(version) if version.isdecimal() and len(version) < 9 else None
    anyway = request.POST.get("do") == "anyway"
    try:
        made = actions.restore(Actor.of(person_of(request)), slug, number, version=seen, anyway=anyway)
    except Missing:
        raise
    except actions.Misfit as error:
        messages.error(request, " ".join([error.message, *error.errors.values()]))
    except CaseError as error:
        messages.error(request, error.message)
    else:
        messages.success(request, _("Mapping %s is in use.") % made.number)
    return redirect("source-mapping-versions", slug)


def _save(request: HttpRequest, source: AlertSource, data: dict[str, Any]) -> HttpResponse:
    document, wrong = form.document_of(data)
    if wrong:
        return _page(request, source, data, errors=wrong, status=422)
    actor = Actor.of(person_of(request))
    anyway = request.POST.get("do") == "anyway"
    try:
        made = actions.save(actor, source.slug, document, version=_seen(request), anyway=anyway)
    except BadMapping as error:
        return _page(request, source, data, errors=error.errors, status=422)
    except actions.Misfit as error:
        return _page(request, source, data, errors=error.errors, misfit=True, status=422)
    except Stale as error:
        return _page(request, source, data, problem=error.message, stale=True, status=409)
    messages.success(request, _said(made))
    return redirect("source-mapping", source.slug)


def _said(made: SourceMapping) -> str:
    said = _("Mapping %s is in use.") % made.number
    return f"{said} {_('It was saved although it does not fit every sample.')}" if made.misfits else said


def _keep(request: HttpRequest, source: AlertSource, data: dict[str, Any]) -> HttpResponse:
    """Keep the sample that is shown. What is typed stays."""
    user = person_of(request)
    offered = samples.choices(user, source)
    sample = samples.chosen(user, source, request.POST.get("sample", ""), request.POST.get("paste", ""), offered)
    try:
        made = actions.add_sample(
            Actor.of(person_of(request)), source.slug, request.POST.get("sample_name", ""), sample.text
        )
    except Refused as error:
        return _page(request, source, data, sample_problem=error.message, status=422)
    return _page(request, source, data, sample=f"kept-{made.pk}")


def _seen(request: HttpRequest) -> int:
    given = request.POST.get("version", "")
    return int(given) if given.isdecimal() and len(given) < 9 else -1


def _context(
    request: HttpRequest, source: AlertSource, data: dict[str, Any], sample: str, errors: dict[str, str] | None
) -> dict[str, Any]:
    user = person_of(request)
    offered = samples.choices(user, source)
    one = samples.chosen(user, source, sample, request.POST.get("paste", ""), offered)
    return {
        "sample": one,
        "samples": offered,
        "data": data,
        **shown.draft(source, data, one, errors),
    }


def _page(
    request: HttpRequest,
    source: AlertSource,
    data: dict[str, Any],
    *,
    sample: str = "",
    errors: dict[str, str] | None = None,
    status: int = 200,
    **more: Any,
) -> HttpResponse:
    target = request.POST.get("target", "")
    context = {
        **_context(request, source, data, sample or request.POST.get("sample", ""), errors),
        **letters.tabs(source, "mapping"),
        "kind": sources_parts.kind_label(source.kind),
        "version": request.POST.get("version") or (source.mapping.number if source.mapping else 0),
        "kept": list(source.samples.all()),
        "targets": [
            *((name, form.LABELS[name]) for name in FIELDS),
            (form.ITEMS, _("The list of alerts")),
            ("observable", _("One more observable")),
        ],
        "target": target if target in TARGETS else "title",
        "paste": request.POST.get("paste", ""),
        **more,
    }
    return render(request, TEMPLATE, context, status=status)
