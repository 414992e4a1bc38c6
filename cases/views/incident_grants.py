"""One grant on all incidents that the list shows, as a job with its progress (access.md 5)."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from cases.actions.access import INCIDENT
from cases.errors import CaseError, Refused
from cases.views import incidents
from cases.views.parts import person_of, signed_in_reader
from soar.accounts.access import jobs
from soar.accounts.access.forms import GrantForm, offered
from soar.accounts.models import GrantJob
from soar.lib.htmx import is_partial, live, render_regions, trigger

TEMPLATE = "cases/incidents/grant_job.html"
ASKING = "cases/incidents/grant_many.html"


@signed_in_reader
@require_http_methods(["GET", "HEAD", "POST"])
def grant_many(request: HttpRequest) -> HttpResponse:
    """Ask whom, at which level; then a job on all incidents that match the address's filter at this moment."""
    user = person_of(request)
    INCIDENT.check_manages_some(user)
    found, _tab, chosen = incidents.selected(request, user)
    total = found.order_by().values("pk")[: jobs.AT_MOST + 1].count()
    form = GrantForm(request.POST or None, kind=INCIDENT, url=reverse("incident-grant-search"))
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            if chosen.errors:
                raise Refused(chosen.errors[0])
            things = list(found.order_by("pk").values_list("pk", flat=True)[: jobs.AT_MOST + 1])
            end = form.expires_at()
            job = jobs.start(user, INCIDENT, things, data["who"], data["level"], expires_at=end, reason=data["reason"])
        except CaseError as error:
            form.add_error(error.field if error.field in form.fields else None, error.message)
        else:
            return redirect("incident-grant-job", job.pk)
    context = {"form": form, "total": total, "query": request.GET.urlencode(), "chips": chosen.chips()}
    return render(request, ASKING, context, status=422 if form.errors else 200)


@signed_in_reader
@require_safe
def grant_search(request: HttpRequest) -> HttpResponse:
    """People and groups whose name holds the text: for those who may grant something to them."""
    INCIDENT.check_manages_some(person_of(request))
    return render(request, "accounts/access/page.html#holders", {"offered": offered(request.GET.get("who", ""))})


@signed_in_reader
@require_safe
def grant_job(request: HttpRequest, pk: int) -> HttpResponse:
    """How it goes on; for htmx its progress alone."""
    job = jobs.own(person_of(request), pk)
    if not is_partial(request):
        return render(request, TEMPLATE, _context(job))
    said = [live(_("The grants are made."))] if job.finished_at else []
    answer = render_regions(request, TEMPLATE, ["progress"], _context(job), extra=said)
    return trigger(answer, "poll") if job.finished_at else answer


@signed_in_reader
@require_POST
def grant_job_cancel(request: HttpRequest, pk: int) -> HttpResponse:
    """Stop it; what was granted stays."""
    try:
        jobs.cancel(person_of(request), pk)
    except CaseError as error:
        if error.status == 404:
            raise
        messages.warning(request, error.message)
    return redirect("incident-grant-job", pk)


def _context(job: GrantJob) -> dict[str, Any]:
    holder = job.to_user.display_name() if job.to_user else ""
    if job.to_group is not None:
        team = getattr(job.to_group, "team", None)
        holder = team.name if team else job.to_group.name
    return {"job": job, "holder": holder, "going": job.finished_at is None}
