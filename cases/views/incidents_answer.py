"""Answers of the incident's verbs: regions for htmx, the page for plain forms, refusals beside their form."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from functools import wraps
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST

from cases import timeline_read
from cases.actors import Actor
from cases.errors import CaseError, Conflict, Missing, Refused, Stale
from cases.holds import hold_of
from cases.models import Incident
from cases.permissions import incident_for
from cases.views import incidents_parts as regions
from cases.views import timeline_parts
from cases.views.conflicts import conflict
from cases.views.folding import LATER, OPENED, opened_of
from cases.views.incident_alert_parts import shown_alerts, stream_counts
from cases.views.parts import person_of, signed_in_reader
from cases.views.typed import has_no_form
from soar.accounts.models import User
from soar.lib.htmx import is_partial, live, render_regions, trigger
from soar.lib.htmx import redirect as move_to

TEMPLATE = "cases/incidents/detail.html"
END = "cases/incidents/end.html"
NOT_TYPED = ("csrfmiddlewaretoken", "seen", "ending", OPENED)
Context = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Done:
    """What a verb has done: the region that shows it, one sentence for the reader, what else the region shows."""

    region: str
    said: str
    more: Context = field(default_factory=dict)
    opened: bool = False  # whether to show all rows of the region: what is new stands at their end


Verb = Callable[[HttpRequest, Actor, str], Done]


def verb(form: str) -> Callable[[Verb], Callable[..., HttpResponse]]:
    """Make a view of a verb: POST only, for people who see incidents; refusals go back to the form named ``form``,
    which stands in the region of that name, or in the head."""

    def decorate(do: Verb) -> Callable[..., HttpResponse]:
        @signed_in_reader
        @require_POST
        @wraps(do)
        def view(request: HttpRequest, number: str) -> HttpResponse:
            try:
                done = do(request, Actor.of(person_of(request)), number)
            except (Refused, Conflict, Stale) as error:
                if has_no_form(request, error):
                    raise  # cases.views.typed gives it back
                return _refused(request, number, form, error)
            return _answer(request, number, done)

        return view

    return decorate


def _answer(request: HttpRequest, number: str, done: Done) -> HttpResponse:
    """The region anew. Who gave the incident to another team and does not see it any more is led to the list."""
    try:
        incident = incident_for(person_of(request), number)
    except Missing:
        messages.success(request, done.said)
        return move_to(request, reverse("incident-list"))
    untold = timeline_parts.not_told_words(done.more, incident.number)
    if not is_partial(request):
        messages.success(request, done.said)
        if untold:
            messages.warning(request, untold)
        return redirect(address_of(incident, done.region, opened=done.opened))
    opened = opened_of(request) | ({done.region} if done.opened else set())
    context = {**region_context(person_of(request), incident, [done.region], opened), **done.more}
    said = live(f"{done.said}. {untold}" if untold else done.said)
    answer = render_regions(request, TEMPLATE, [done.region, "note"], context, extra=[said])
    # A dialog's form stands elsewhere than what it changes.
    answer["HX-Retarget"], answer["HX-Reswap"] = f"#incident-{done.region}", "outerHTML"
    return trigger(answer, "changed", "dialog-close")


def _refused(request: HttpRequest, number: str, form: str, error: CaseError) -> HttpResponse:
    """Nothing was saved: the reason and what was typed come back to where it was asked for."""
    user = person_of(request)
    incident = incident_for(user, number)
    told = {"problem": problem_of(request, form, error, incident)}
    # 409, 412 and 422 are swapped (components/htmx_config.html); the reason stands where the form is.
    status = error.status if error.status in (409, 412) else 422
    if "ending" in request.POST:
        return ending_answer(request, incident, told, status=status)
    if not is_partial(request):
        context = _typed({**page_context(user, incident, request, told["problem"]["form"]), **told})
        return render(request, TEMPLATE, context, status=error.status)
    # In a place of its own: the poll, which comes soon after a conflict, renews the head.
    names = ["note", "head"] if told["problem"]["form"] == "head" else [form]
    opened = opened_of(request) | set(names)  # the form is among what is opened
    context = _typed({**region_context(user, incident, names, opened), **told})
    answer = render_regions(request, TEMPLATE, names, context, extra=[live(error.message)], status=status)
    answer["HX-Retarget"], answer["HX-Reswap"] = f"#incident-{names[0]}", "outerHTML"
    return trigger(answer, "dialog-close")


def _typed(context: Context) -> Context:
    """``context`` with what was typed in the place of what the forms show: nothing that was filled in is lost."""
    typed, form = context.get("problem", {}).get("typed", {}), context.get("problem", {}).get("form")
    if form == "details":
        context["details_form"] = {**context["details_form"], **typed}
    if form == "ending":
        context["ending"] = {**context["ending"], **typed, "resolve_alerts": "resolve_alerts" in typed}
    return context


def ending_answer(
    request: HttpRequest, incident: Incident, told: Context | None = None, *, chosen: str = "", status: int = 200
) -> HttpResponse:
    """The form that resolves or closes: in the dialog for htmx, on a page of its own for everybody else. ``chosen`` is
    the word of the ending that was asked for."""
    dialog = is_partial(request)
    context = {**region_context(person_of(request), incident, ["head"]), "dialog": dialog, **(told or {})}
    context["ending"] |= {"status": chosen} if chosen else {}
    context = _typed(context)
    if not dialog:
        return render(request, END, context, status=status)
    answer = render_regions(request, TEMPLATE, ["ending"], context, status=status)
    answer["HX-Retarget"], answer["HX-Reswap"] = "#dialog", "innerHTML"
    return answer


def problem_of(request: HttpRequest, form: str, error: CaseError, incident: Incident) -> Context:
    """The refusal for the template: its form and field, the sentence, what was typed, and for a stale form both
    versions of each field (casework.md 5)."""
    typed = {name: value for name, value in request.POST.items() if name not in NOT_TYPED}
    form = "ending" if "ending" in request.POST else "head" if "severity" in typed else form
    problem: Context = {"form": form, "field": error.field or "", "text": error.message, "typed": typed}
    problem["extra"] = error.extra if isinstance(error, Conflict) else {}
    return problem | (conflict(error, incident, typed) if isinstance(error, Stale) else {})


def address_of(incident: Incident, region: str, *, opened: bool = True) -> str:
    """The page at one of its regions, with all its rows or its form."""
    query = f"?{OPENED}={region}" if opened else ""
    return reverse("incident-detail", args=[incident.number]) + f"{query}#incident-{region}"


def region_context(user: User, incident: Incident, names: Sequence[str], opened: Collection[str] = ()) -> Context:
    """What these regions need, with more of those that are ``opened``."""
    context = regions.base(user, incident)
    for name in names:
        context |= regions.of_region(name, user, incident, opened)
    return context


def page_context(user: User, incident: Incident, request: HttpRequest, form: str = "") -> Context:
    """What the whole page needs, with the region of ``form`` opened. The query chooses the part of the timeline;
    ``entry`` alone wins over filters."""
    opened = opened_of(request) | {form}
    # Before anything is read: what comes in between is then told by the first poll, not lost.
    shown_alerts(incident, whole="alerts" in opened)
    counts = stream_counts(incident)
    names = [name for name in regions.REGIONS if name not in LATER or name in opened]
    context = region_context(user, incident, names, opened)
    chosen, start = timeline_parts.asked_for(request)
    context |= regions.timeline(user, incident, chosen, **start)
    context["cursor"] = cursor_of(incident, counts, context["newest"])
    context["opened"] = opened
    context["more_later"] = True
    context["legal_hold"] = hold_of(incident)
    return context


def newest_of(incident: Incident) -> int:
    """Id of the newest entry of the joined stream."""
    newest = timeline_read.entries_of_incident(incident).values_list("pk", flat=True).first()
    return newest or 0


def cursor_of(incident: Incident, counts: str, newest: int) -> str:
    """Where a page stands: version, counts of the stream, id of the newest entry."""
    return f"{incident.version}.{counts.replace('-', '.')}.{newest}"
