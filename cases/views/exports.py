"""Exporting an incident in the browser: the dialog, one's own exports, progress, download."""

from __future__ import annotations

from typing import Any, cast

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from cases.actions import exports
from cases.choices import Tlp
from cases.errors import CaseError, Conflict, Forbidden, Missing
from cases.models import ExportJob, ExportStatus, Incident
from cases.reporting.document import exportable
from cases.reporting.formats import FORMATS
from cases.reporting.options import FLAGS, Options
from cases.reporting.templates import choices
from cases.reporting.words import size
from cases.views.export_file import job_answer, made_answer
from cases.views.parts import needs, person_of, signed_in_reader
from soar.lib.htmx import is_partial, live, render_regions

FORM, JOB, LIST = (f"cases/exports/{name}.html" for name in ("form", "job", "list"))
SHOWN = 50
TONES = {"successful": "green", "unsuccessful": "red", "cancelled": "grey"}
Context = dict[str, Any]


@signed_in_reader
@require_http_methods(["GET", "HEAD", "POST"])
def incident_export(request: HttpRequest, number: str) -> HttpResponse:
    """What to export and how, in the page's dialog for htmx; sent, the file itself or the page of its making."""
    user = person_of(request)
    incident = exportable(user, number)
    if request.method != "POST":
        return _form(request, incident, {"format": "pdf", **Options().as_dict()})
    given = {**request.POST.dict(), **{name: name in request.POST for name in FLAGS}}
    try:
        options = Options.read(given)
        if not exports.checked(user, number, str(given.get("format", "")), options).slow:
            return cast(HttpResponse, made_answer(exports.at_once(user, number, str(given["format"]), options)))
        job = exports.start(user, number, str(given["format"]), options)
    except (Missing, Forbidden):
        raise
    except CaseError as error:
        return _form(request, incident, given, error)
    return redirect("export-job", job.pk)


@needs("export")
@require_safe
def export_list(request: HttpRequest) -> HttpResponse:
    """The person's own of the last month, the newest first."""
    user = person_of(request)
    rows = exports.all_own(user).order_by("-pk")[:SHOWN]
    return render(request, LIST, {"rows": [job_context(job) for job in rows]})


@needs("export")
@require_safe
def export_job(request: HttpRequest, pk: int) -> HttpResponse:
    """How far one is, and its file; for htmx its progress alone until it is over."""
    job = exports.own(person_of(request), pk)
    context = {**job_context(job), "template": _template(job)}
    if not is_partial(request):
        return render(request, JOB, context)
    extra = [live(said_of(job))] if job.is_over else []
    return render_regions(request, JOB, ["strip", "facts"] if job.is_over else ["strip"], context, extra=extra)


@needs("export")
@require_POST
def export_cancel(request: HttpRequest, pk: int) -> HttpResponse:
    """Stop it."""
    try:
        exports.cancel(person_of(request), pk)
    except Conflict as error:
        messages.warning(request, error.message)
    return redirect("export-job", pk)


@needs("export")
@require_safe
def export_file(request: HttpRequest, pk: int) -> HttpResponse:
    """The download."""
    try:
        return cast(HttpResponse, job_answer(*exports.download(person_of(request), pk)))
    except Conflict as error:
        messages.warning(request, error.message)
        return redirect("export-job", pk)


def job_context(job: ExportJob) -> Context:
    """What the strip and the pages show."""
    known = FORMATS.get(job.format)
    return {
        "job": job,
        "number": f"INC-{job.incident_id}",
        "format": _(known.label) if known else job.format,
        "said": said_of(job),
        "size": size(job.size),
        "tone": TONES.get(job.status, "blue"),
    }


def _template(job: ExportJob) -> str:
    """The name of the report template; its slug where it can no longer be chosen."""
    slug = str(job.options.get("template") or "")
    return next((str(name) for one, name, _about in choices() if one == slug), slug)


def said_of(job: ExportJob) -> str:
    """How far it is, or how it ended, in a sentence."""
    if job.status == ExportStatus.SUCCESSFUL:
        return _("Ready") if job.file else _("It was kept for a day and is gone")
    if job.status == ExportStatus.UNSUCCESSFUL:
        return job.message
    if job.status == ExportStatus.CANCELLED:
        return _("Cancelled")
    return _("%s %%") % job.progress if job.status == ExportStatus.IN_PROGRESS else _("Waits for a worker")


def _form(request: HttpRequest, incident: Incident, given: Context, error: CaseError | None = None) -> HttpResponse:
    context = {
        "incident": incident,
        "number": incident.number,
        "given": given,
        "formats": list(FORMATS.values()),
        "templates": choices(),
        "tlps": Tlp.choices,
        "problem": error,
        "url": reverse("incident-export", args=[incident.number]),
    }
    status = 200 if error is None else 422 if error.status == 400 else error.status
    if is_partial(request) and error is None:
        return render_regions(request, FORM, ["form"], {**context, "dialog": True})
    return render(request, FORM, context, status=status)
