"""A playbook on the alerts that are ticked in the queue, or on one in an incident's list: which one, then the runs
(casework.md 2; response-playbooks.md 2)."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from cases.actions import bulk_jobs
from cases.actors import Actor
from cases.errors import Conflict, Missing, Refused
from cases.permissions import parse_number
from cases.views.alerts_bulk import in_dialog, not_done, started
from cases.views.alerts_bulk_asked import selection_asked, takes_all, ticked_context, ticked_ids
from cases.views.parts import needs
from playbooks import actions
from playbooks.choices import Trigger
from playbooks.permissions import holding, holds_any
from playbooks.selectors import runnable
from playbooks.views.parts import Context, person_of
from soar.accounts.models import User
from soar.lib.htmx import is_partial, live, render_regions, toast, trigger

TEMPLATE = "playbooks/on_alerts.html"
REFUSALS_SHOWN = 5


@needs("run_playbooks", lambda user: holds_any(user, "run"))
@require_POST
def alerts_run(request: HttpRequest) -> HttpResponse:
    """Without ``playbook`` the form that asks for it, in the queue's dialog or as a page; with it the runs."""
    user = person_of(request)
    try:
        return _run(request, user) if "playbook" in request.POST else _ask(request, user)
    except (Refused, Conflict, Missing) as error:
        if "playbook" not in request.POST or not is_partial(request):
            return not_done(request, user, error)
        return _stay(error.message, 409 if isinstance(error, Conflict) else 422)


def _ask(request: HttpRequest, user: User) -> HttpResponse:
    context: Context = {
        **ticked_context(request, user),
        **_from(request),
        "playbooks": runnable(holding(user, "run"), Trigger.WEBHOOK, Trigger.MANUAL),
    }
    if is_partial(request):
        return render_regions(request, TEMPLATE, ["form"], context)
    return render(request, TEMPLATE, context)


def _from(request: HttpRequest) -> Context:
    """The incident on whose page it was asked for, and where that is; nothing when that was the queue."""
    try:
        number = f"INC-{parse_number(request.POST.get('incident', ''), 'INC')}"
    except Missing:
        return {}
    return {"incident": number, "from_url": reverse("incident-detail", args=[number])}


def _run(request: HttpRequest, user: User) -> HttpResponse:
    """Queue a run for each alert. Refusals are told alert by alert; the dialog stays when there is no run at all."""
    if not request.POST["playbook"].strip():
        raise Refused(_("Choose a playbook."), field="playbook")
    dry = request.POST.get("dry_run", "") not in ("", "0", "false")
    if takes_all(request):
        wanted = {"playbook": request.POST["playbook"], "dry_run": dry}
        actions.startable(Actor.of(user), request.POST["playbook"])
        return started(request, bulk_jobs.start(user, selection_asked(request, user), bulk_jobs.RUN, wanted))
    playbook, runs, refused = actions.run_on_each(
        Actor.of(user), request.POST["playbook"], ticked_ids(request), dry_run=dry
    )
    told = ngettext("%(playbook)s: %(n)s run is queued.", "%(playbook)s: %(n)s runs are queued.", len(runs))
    said = told % {"playbook": playbook.name, "n": len(runs)}
    detail = " ".join(f"{number}: {message}" for number, message in refused[:REFUSALS_SHOWN])
    if not is_partial(request):
        (messages.warning if refused else messages.success)(request, f"{said} {detail}".strip())
        return redirect(_from(request).get("from_url") or "alert-list")
    if not runs:
        return _stay(detail, 422)
    pieces = [toast(said, "amber" if refused else "green", detail=detail), live(f"{said} {detail}")]
    answer = HttpResponse("".join(pieces), headers={"HX-Reswap": "none"})
    return trigger(answer, "dialog-close", "poll")


def _stay(text: str, status: int) -> HttpResponse:
    """The dialog as it is, with the reason in it."""
    return HttpResponse("".join([in_dialog(text), live(text)]), status=status, headers={"HX-Reswap": "none"})
