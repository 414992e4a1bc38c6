"""Answers of the alert's verbs: regions for htmx, the page for plain forms, refusals beside what was asked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import wraps
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST

from cases.actions.seen import seen_of, sent
from cases.actors import Actor
from cases.errors import CaseError, Conflict, Missing, Refused, Stale
from cases.models import Alert, IncidentTemplate
from cases.permissions import alert_for
from cases.views import alerts_parts as regions
from cases.views import timeline_parts
from cases.views.conflicts import conflict
from cases.views.parts import person_of, signed_in_reader
from soar.accounts.membership import workers
from soar.accounts.models import Team, User
from soar.lib.htmx import is_partial, live, render_regions, trigger
from soar.lib.htmx import redirect as move_to

TEMPLATE = "cases/alerts/detail.html"
ASK = "cases/alerts/ask.html"
# Verbs that ask something first: their form comes back with the error in it.
ASKED = ("resolve", "assign", "tags", "reopen", "escalate")
# What else a changed region changes.
WITH = {"incident": ("similar", "composer")}
NOT_TYPED = ("csrfmiddlewaretoken", "seen", "asked")
# The fields that the form of a verb shows and changes, and what it wants without saying so.
SHOWN = {
    "resolve": ("status", "determination", "findings"),
    "reopen": ("status",),
    "assign": ("owner", "team"),
    "tags": ("tags",),
}
IMPLIED = {"resolve": {"status": "resolved"}}
Context = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Done:
    """What a verb has done: the region that shows it, one sentence for the reader, and what else the region shows."""

    region: str
    said: str
    more: Context = field(default_factory=dict)


Verb = Callable[[HttpRequest, Actor, str], Done]


def verb(name: str) -> Callable[[Verb], Callable[..., HttpResponse]]:
    """Make a view of a verb: POST only, for people who see alerts. What the action refuses goes back to where it was
    asked for."""

    def decorate(do: Verb) -> Callable[..., HttpResponse]:
        @signed_in_reader
        @require_POST
        @wraps(do)
        def view(request: HttpRequest, number: str) -> HttpResponse:
            # A number that is not there, or not for this person, is the page's 404 and not a message of a form.
            alert_for(person_of(request), number)
            try:
                done = do(request, Actor.of(person_of(request)), number)
            except (Refused, Conflict, Stale, Missing) as error:
                if name == "composer" and isinstance(error, Conflict):
                    raise  # its form is gone from the page: cases.views.typed gives back what was typed
                return _refused(request, number, name, error)
            return _answer(request, number, done)

        return view

    return decorate


def _answer(request: HttpRequest, number: str, done: Done) -> HttpResponse:
    """The region anew; ``poll`` lets the rest of the page catch up at once. Who gave the alert to others and does not
    see it any more is led to the queue."""
    user = person_of(request)
    try:
        alert = alert_for(user, number)
    except Missing:
        messages.success(request, done.said)
        return move_to(request, reverse("alert-list"))
    untold = timeline_parts.not_told_words(done.more, alert.number)
    if not is_partial(request):
        messages.success(request, done.said)
        if untold:
            messages.warning(request, untold)
        return redirect("alert-detail", alert.number)
    names = [done.region, "note", *WITH.get(done.region, ())]
    context = {**region_context(user, alert, names), **done.more}
    said = live(f"{done.said}. {untold}" if untold else done.said)
    answer = render_regions(request, TEMPLATE, names, context, extra=[said])
    answer["HX-Retarget"], answer["HX-Reswap"] = f"#alert-{done.region}", "outerHTML"
    return trigger(answer, "dialog-close", "poll")


def _refused(request: HttpRequest, number: str, name: str, error: CaseError) -> HttpResponse:
    """Nothing was saved: what was typed comes back with the reason, beside it."""
    user = person_of(request)
    alert = alert_for(user, number)
    told = {"problem": problem_of(request, name, error, alert)}
    # 409, 412 and 422 are swapped in by htmx (components/htmx_config.html).
    status = error.status if error.status in (409, 412) else 422
    asked = "escalate" if "asked" in request.POST else name
    if asked in ASKED and isinstance(error, Refused | Stale):
        return ask_answer(request, alert, asked, told, status)
    # What is about the head stands above it, in a place of its own: the poll renews the head.
    names = [name] if name in ("incident", "composer", "similar") else ["note", "head"]
    if not is_partial(request):
        return render(request, TEMPLATE, {**page_context(user, alert, request), **told}, status=status)
    context = {**region_context(user, alert, names), **told}
    answer = render_regions(request, TEMPLATE, names, context, extra=[live(error.message)], status=status)
    answer["HX-Retarget"], answer["HX-Reswap"] = f"#alert-{names[0]}", "outerHTML"
    return trigger(answer, "dialog-close") if name != "composer" else answer


def ask_answer(request: HttpRequest, alert: Alert, name: str, told: Context, status: int = 200) -> HttpResponse:
    """The form of a verb: in the dialog for htmx, a page of its own for everybody else."""
    user = person_of(request)
    context = {**regions.base(user, alert), **regions.head(user, alert), "verb": name, **told}
    context["asked_of"] = _asked_of(request, alert, name, told)
    typed = told.get("problem", {}).get("typed", {})
    context |= {f"{one}_shown": typed.get(one, sent(alert, one)) for one in ("owner", "team")}
    if name in ("assign", "escalate"):
        people = workers()[:200]
        context |= {"people": people, "all_teams": Team.objects.all()[:100]}
    if name == "escalate":
        context["templates"] = IncidentTemplate.objects.current().values_list("pk", "name")[:200]
    if not is_partial(request):
        return render(request, ASK, context, status=status)
    answer = render_regions(request, ASK, ["form"], context, status=status)
    answer["HX-Retarget"], answer["HX-Reswap"] = "#dialog", "innerHTML"
    return answer


def _asked_of(request: HttpRequest, alert: Alert, name: str, told: Context) -> str:
    """What the form was made from. It stays so until it was told that somebody else was quicker."""
    problem = told.get("problem", {})
    kept = "" if "versions" in problem else request.POST.get("seen", "")
    return kept or seen_of(alert, *SHOWN.get(name, ()))


def problem_of(request: HttpRequest, name: str, error: CaseError, alert: Alert) -> Context:
    """The refusal for the template: the sentence, its field, what was typed, and for a stale form both versions of
    each field (casework.md 5)."""
    typed = {key: value for key, value in request.POST.items() if key not in NOT_TYPED}
    problem: Context = {"form": name, "field": error.field or "", "text": error.message, "typed": typed}
    problem["in_head"] = name not in ("incident", "composer", "similar")
    problem["extra"] = error.extra if isinstance(error, Conflict) else {}
    return problem | (conflict(error, alert, {**IMPLIED.get(name, {}), **typed}) if isinstance(error, Stale) else {})


def region_context(user: User, alert: Alert, names: Sequence[str]) -> Context:
    """What these regions need."""
    context = regions.base(user, alert)
    for name in names:
        context |= regions.REGIONS[name](user, alert) if name in regions.REGIONS else {}
    return context


def page_context(user: User, alert: Alert, request: HttpRequest) -> Context:
    """What the whole page needs. The query chooses the part of the timeline; ``entry`` alone wins over filters."""
    context = region_context(user, alert, list(regions.REGIONS))
    chosen, start = timeline_parts.asked_for(request)
    context |= regions.timeline(user, alert, chosen, **start)
    return {**context, "cursor": cursor_of(alert)}


def cursor_of(alert: Alert) -> str:
    """Where a page stands: version, times seen, entries of the timeline."""
    return f"{alert.version}.{alert.count}.{alert.timeline_count}"
