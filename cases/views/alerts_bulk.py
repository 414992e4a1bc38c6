"""One verb on the ticked rows of the queue; the keys a, r and e on a row go the same way."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from cases.actions import bulk, bulk_jobs, bulk_work
from cases.actions.bulk_verbs import VERBS
from cases.actors import Actor
from cases.errors import CaseError, Conflict, Missing, Refused
from cases.models import Alert, BulkJob
from cases.views.alerts import TEMPLATE
from cases.views.alerts_bulk_asked import ask, selection_asked, takes_all, ticked_ids
from cases.views.alerts_jobs import job_context
from cases.views.alerts_queue import Queue, list_context, queue_of
from cases.views.alerts_rows import rows_of
from cases.views.alerts_saved import tabs_context
from cases.views.parts import needs, person_of
from soar.accounts.models import User
from soar.lib import parts
from soar.lib.htmx import is_partial, live, redirect, render_regions, toast, trigger

JOB_TEMPLATE = "cases/alerts/job.html"
REFUSALS_SHOWN = 5
# Actions that are asked for in a dialog (alerts_bulk_ask.py).
ASKING = ("assign", "resolve", "status", "severity", "tag", "incident", "link")


@dataclass
class Result:
    """How many were done, and what was refused: (number, message); the incident's number; where to post an undo."""

    done: int = 0
    refused: list[tuple[str, str]] = field(default_factory=list)
    incident: str = ""
    undo: str = ""


@needs("work_cases")
@require_POST
def alert_bulk(request: HttpRequest) -> HttpResponse:
    """Do ``action`` to the alerts that are ticked (``alert``), and show what was refused, alert by alert; with ``all``
    to everything that matches the filter: a worker does it, and the answer shows its progress."""
    user = person_of(request)
    action = request.POST.get("action", "")
    ids: list[int] = []
    try:
        if takes_all(request) and action == "claim" and "upto" not in request.POST:
            return ask(request, user, action)
        if takes_all(request):
            return started(request, bulk_jobs.start(user, selection_asked(request, user), action, _fields(request)))
        ids = ticked_ids(request)
        result = _result(user, ids, action, _fields(request))
    except (Refused, Conflict, Missing) as error:
        return not_done(request, user, error)
    said, detail = _said(result, action), _refusals(result)
    if not is_partial(request):
        (messages.warning if result.refused else messages.success)(request, f"{said} {detail}".strip())
        return redirect(request, _back(request))
    rows = Alert.objects.visible_to(user).with_line_data().filter(pk__in=ids)
    context = {**_around(request, user), "rows": rows_of(user, list(rows)), "oob": True}
    answer = render_regions(
        request,
        TEMPLATE,
        ["bulk", "changed", "tabs", "total", "counts"],
        context,
        extra=[*_told(request, said, detail, result), live(f"{said} {detail}")],
    )
    return trigger(answer, "dialog-close", "poll") if result.done else trigger(answer, "poll")


def started(request: HttpRequest, job: BulkJob) -> HttpResponse:
    """A job is queued: its progress beside the queue, without htmx on its own page."""
    if not is_partial(request):
        return redirect(request, reverse("job-page", args=[job.pk]))
    said = _("%(n)s alerts: it is under way") % {"n": f"{job.total:,}"}
    answer = render_regions(request, JOB_TEMPLATE, ["strip"], {**job_context(job), "oob": True}, extra=[live(said)])
    answer["HX-Reswap"] = "outerHTML"
    answer["HX-Retarget"] = "#bulk-job"
    return trigger(answer, "dialog-close", "bulk-clear")


def _result(user: User, ids: list[int], action: str, fields: dict[str, Any]) -> Result:
    """What was done, here and now."""
    if action in bulk_jobs.TOGETHER:
        done = bulk.apply(Actor.of(user), ids, action, fields)
        return Result(done.done, incident=done.incident)
    if action not in VERBS:
        raise Refused(
            _("%(action)s is not one of: %(actions)s.")
            % {"action": f"{action!s:.40}", "actions": ", ".join(bulk_jobs.ACTIONS)},
            field="action",
        )
    job = bulk_work.at_once(user, ids, action, fields)
    refused = [(one["number"], one["message"]) for one in job.refused]
    undo = reverse("job-undo", args=[job.pk]) if bulk_jobs.no_undo(job) is None else ""
    return Result(job.done, refused, undo=undo)


def _told(request: HttpRequest, said: str, detail: str, result: Result) -> list[SafeString]:
    """A toast with an undo; but when nothing could be done, the dialog stays open and says why."""
    if result.done or not result.refused:
        tone = "amber" if result.refused else "green"
        return [toast(said, tone, detail=detail, undo_url=result.undo, request=request)]
    return [_problem(request, f"{said}. {detail}")]


def _problem(request: HttpRequest, text: str) -> SafeString:
    """Why nothing was done, where it was asked for."""
    asked = request.POST.get("action", "") in ASKING or "upto" in request.POST
    return in_dialog(text) if asked else toast(text, "red")


def in_dialog(text: str) -> SafeString:
    """A refusal under the heading of the open dialog."""
    return format_html(
        '<p class="errorline" id="bulk-problem" role="alert" hx-swap-oob="true">{}<span>{}</span></p>',
        parts.icon("error", "i-14"),
        text,
    )


def _fields(request: HttpRequest) -> dict[str, Any]:
    """What the dialogs ask. An owner or team that is left as it is ("keep") is not named at all."""
    given = request.POST
    names = ("status", "severity", "determination", "reason", "incident", "title")
    fields: dict[str, Any] = {name: given[name] for name in names if given.get(name)}
    fields |= {name: given[name] or None for name in ("owner", "team") if given.get(name, "keep") != "keep"}
    if given.get("determination") == "benign":
        fields["findings"] = given.get("findings", "")
    fields["tags"] = [tag for tag in given.get("tags", "").split(",") if tag.strip()]
    fields["move"] = bool(given.get("move"))
    return fields


def _said(result: Result, action: str) -> str:
    """What was done, in a sentence."""
    done = {"n": result.done, "incident": result.incident}
    if action == "link":
        return ngettext("%(n)s alert linked to %(incident)s", "%(n)s alerts linked to %(incident)s", result.done) % done
    if action == "incident":
        return _("%(incident)s opened") % done
    if not result.done:
        return _("Nothing was changed")
    return _counted(action, result.done) % done


def _counted(action: str, n: int) -> str:
    """How many, and what became of them, as far as the verb tells it."""
    if action == "claim":
        return ngettext("%(n)s alert assigned to you", "%(n)s alerts assigned to you", n)
    if action == "assign":
        return ngettext("%(n)s alert assigned", "%(n)s alerts assigned", n)
    if action == "resolve":
        return ngettext("%(n)s alert resolved", "%(n)s alerts resolved", n)
    if action == "reopen":
        return ngettext("%(n)s alert reopened", "%(n)s alerts reopened", n)
    return ngettext("%(n)s alert changed", "%(n)s alerts changed", n)


def _refusals(result: Result) -> str:
    if not result.refused:
        return ""
    shown = [f"{number}: {message}" for number, message in result.refused[:REFUSALS_SHOWN]]
    more = len(result.refused) - len(shown)
    return " ".join([*shown, _("and %(n)s more") % {"n": more} if more else ""]).strip()


def not_done(request: HttpRequest, user: User, error: CaseError) -> HttpResponse:
    """Nothing was saved, and why: in the open dialog, else a toast; without htmx the page with the reason."""
    status = error.status if error.status == 409 else 422
    if is_partial(request):
        answer = HttpResponse("".join([_problem(request, error.message), live(error.message)]), status=status)
        answer["HX-Reswap"] = "none"
        return answer
    context = {**_around(request, user), "refusal": error.message, "ticked": request.POST.getlist("alert")}
    return render(request, TEMPLATE, context, status=status)


def _around(request: HttpRequest, user: User) -> dict[str, Any]:
    """The page from which the form came."""
    queue: Queue = _queue(request, user)
    return {**list_context(queue), **tabs_context(queue)}


def _queue(request: HttpRequest, user: User) -> Any:
    """The queue from which the form came: its query rides along in the field ``query``."""
    return queue_of(request, user, QueryDict(request.POST.get("query", "")[:4000]))


def _back(request: HttpRequest) -> str:
    return _queue(request, person_of(request)).here() if request.POST.get("query") else urlsplit("/alerts/").path
