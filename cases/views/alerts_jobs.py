"""Bulk jobs as their owner sees them: progress beside the queue, a page each, cancel and undo (casework.md 2)."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, ngettext
from django.views.decorators.http import require_POST, require_safe

from cases.actions import bulk_jobs
from cases.errors import CaseError, Conflict
from cases.models import BulkJob
from cases.views.parts import needs, person_of
from soar.accounts.models import User
from soar.lib.htmx import is_partial, live, redirect, render_regions, toast, trigger

TEMPLATE = "cases/alerts/job.html"
Context = dict[str, Any]
DOING = {
    "assign": gettext_noop("Assign"),
    "claim": gettext_noop("Assign to me"),
    "status": gettext_noop("Set the status"),
    "resolve": gettext_noop("Resolve"),
    "reopen": gettext_noop("Reopen"),
    "severity": gettext_noop("Set the severity"),
    "tag": gettext_noop("Add tags"),
    "link": gettext_noop("Link to an incident"),
    "incident": gettext_noop("Open an incident"),
    "run": gettext_noop("Run a playbook"),
    "undo": gettext_noop("Undo"),
}


SAID = ("severity", "status", "determination", "owner", "team", "playbook", "incident")  # fields that say to what


@needs("view_cases")
@require_safe
def job_list(request: HttpRequest) -> HttpResponse:
    """The person's latest bulk actions."""
    rows = BulkJob.objects.filter(user=person_of(request)).select_related("undone_by").defer("alerts", "refused")
    jobs = [job_context(job) for job in rows.order_by("-pk")[:50]]
    return render(request, "cases/alerts/jobs.html", {"jobs": jobs})


@needs("view_cases")
@require_safe
def job_page(request: HttpRequest, pk: int) -> HttpResponse:
    """One of them, with what was refused; for htmx its progress alone."""
    job = bulk_jobs.own(person_of(request), pk)
    if not is_partial(request):
        return render(request, TEMPLATE, {**job_context(job), "own_page": True})
    context = {**job_context(job), "own_page": _on_own_page(request)}
    answer = render_regions(request, TEMPLATE, ["strip"], context, extra=_ended(job))
    return trigger(answer, "poll") if job.finished_at else answer


@needs("work_cases")
@require_POST
def job_cancel(request: HttpRequest, pk: int) -> HttpResponse:
    """Stop it; what was done stays done."""
    return _told(request, pk, lambda user: bulk_jobs.cancel(user, pk))


@needs("work_cases")
@require_POST
def job_undo(request: HttpRequest, pk: int) -> HttpResponse:
    """Queue its undo, and show how that goes on."""
    return _told(request, pk, lambda user: bulk_jobs.undo(user, pk))


def _told(request: HttpRequest, pk: int, act: Any) -> HttpResponse:
    try:
        job = act(person_of(request))
    except Conflict as error:
        return _refused(request, pk, error)
    if not is_partial(request):
        return redirect(request, f"/alerts/jobs/{job.pk}/")
    context = {**job_context(job), "oob": True, "own_page": _on_own_page(request)}
    return render_regions(request, TEMPLATE, ["strip"], context, extra=_ended(job))


def _on_own_page(request: HttpRequest) -> bool:
    """Whether the strip stands on the page of a job, not beside the queue."""
    return "/alerts/jobs/" in request.headers.get("HX-Current-URL", "")


def _refused(request: HttpRequest, pk: int, error: CaseError) -> HttpResponse:
    if is_partial(request):
        answer = HttpResponse("".join([toast(error.message, "red"), live(error.message)]), status=409)
        answer["HX-Reswap"] = "none"
        return answer
    messages.warning(request, error.message)
    return redirect(request, f"/alerts/jobs/{pk}/")


def _ended(job: BulkJob) -> list[str]:
    """A line for readers, once it has ended."""
    return [live(said_of(job))] if job.finished_at else []


def current_job(user: User) -> Context:
    """The person's job that is under way, for the queue; nothing if there is none."""
    rows = BulkJob.objects.filter(user=user, finished_at=None).select_related("undone_by").order_by("-pk")
    job = rows.defer("alerts", "refused").first()
    return job_context(job) if job else {}


def doing_of(job: BulkJob) -> str:
    """What is done, and to what it is set: "Set the severity: critical"."""
    done, fields = _(DOING.get(job.action, job.action.capitalize())), job.fields
    tags = fields.get("tags") or ()
    said = ", ".join(tags) or next((str(fields[one]) for one in SAID if fields.get(one)), "")
    return f"{done}: {said.replace('_', ' ')[:80]}" if said else done


def job_context(job: BulkJob) -> Context:
    """What the strip and the pages show."""
    return {
        "job": job,
        "doing": doing_of(job),
        "said": said_of(job),
        "undoable": bulk_jobs.no_undo(job) is None,
        "undone": getattr(job, "undone_by", None),
        "tone": _tone(job),
    }


def _tone(job: BulkJob) -> str:
    if not job.finished_at:
        return "blue"
    return "green" if job.status == BulkJob.Status.SUCCESSFUL else "amber"


def said_of(job: BulkJob) -> str:
    """How far it is, or how it ended, in a sentence."""
    figures = {"n": f"{job.done:,}", "total": f"{job.total:,}", "at": f"{job.position:,}"}
    if not job.finished_at:
        return _("%(at)s of %(total)s") % figures if job.collected_at else _("Counting what matches")
    parts = [ngettext("%(n)s of %(total)s alert done", "%(n)s of %(total)s alerts done", job.total) % figures]
    if job.status == BulkJob.Status.CANCELLED:
        parts.insert(0, _("Cancelled"))
    if job.incident:
        parts.append(job.incident)
    if job.refused_count:
        parts.append(_("%(n)s refused") % {"n": f"{job.refused_count:,}"})
    if job.skipped:
        parts.append(_("%(n)s no longer matched") % {"n": f"{job.skipped:,}"})
    return ", ".join(parts)
