"""Answers of the incident's verbs: regions for htmx, the page for plain forms, refusals beside their form."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import wraps
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST

from cases import timeline_read
from cases.actions.base import shown
from cases.actors import Actor
from cases.choices import Determination, IncidentStatus, Severity
from cases.errors import CaseError, Conflict, Refused, Stale
from cases.models import Incident
from cases.permissions import incident_for
from cases.views import incidents_parts as regions
from cases.views.parts import person_of, signed_in_reader
from soar.accounts.models import User
from soar.lib.htmx import is_partial, live, render_regions, trigger

TEMPLATE = "cases/incidents/detail.html"
Context = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Done:
    """What a verb has done: the region that shows it, and one sentence for the reader."""

    region: str
    said: str


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
                return _refused(request, number, form, error)
            return _answer(request, number, done)

        return view

    return decorate


def _answer(request: HttpRequest, number: str, done: Done) -> HttpResponse:
    if not is_partial(request):
        messages.success(request, done.said)
        return redirect(reverse("incident-detail", args=[number.upper()]) + f"#incident-{done.region}")
    incident = incident_for(person_of(request), number)
    context = region_context(person_of(request), incident, [done.region])
    answer = render_regions(request, TEMPLATE, [done.region], context, extra=[live(done.said)])
    return trigger(answer, "changed", "dialog-close")


def _refused(request: HttpRequest, number: str, form: str, error: CaseError) -> HttpResponse:
    """Nothing was saved: the region comes back with the reason and what was typed."""
    user = person_of(request)
    incident = incident_for(user, number)
    region = _region_of(request, form, error)
    told = {"problem": problem_of(request, form, error, incident)}
    if not is_partial(request):
        return render(request, TEMPLATE, {**page_context(user, incident, request), **told}, status=error.status)
    context = {**region_context(user, incident, [region]), **told}
    # 409, 412 and 422 are swapped (components/htmx_config.html); the reason stands where the form is.
    status = error.status if error.status in (409, 412) else 422
    answer = render_regions(request, TEMPLATE, [region], context, extra=[live(error.message)], status=status)
    answer["HX-Retarget"], answer["HX-Reswap"] = f"#incident-{region}", "outerHTML"
    return trigger(answer, "dialog-close")


def _region_of(request: HttpRequest, form: str, error: CaseError) -> str:
    """Where a refusal is shown: a stale form in the head, with both versions; else where the form stands."""
    return "head" if isinstance(error, Stale) or "severity" in request.POST else form


def problem_of(request: HttpRequest, form: str, error: CaseError, incident: Incident) -> Context:
    """The refusal for the template: its form and field, the sentence, what was typed, and for a stale form both
    versions of each field (casework.md 5)."""
    typed = {name: value for name, value in request.POST.items() if name not in ("csrfmiddlewaretoken", "version")}
    problem: Context = {"form": form, "field": error.field or "", "text": error.message, "typed": typed}
    problem["extra"] = error.extra if isinstance(error, Conflict) else {}
    if isinstance(error, Stale):
        problem["versions"] = [(name, value, _now(incident, name)) for name, value in typed.items()]
    return problem


def _now(incident: Incident, name: str) -> str:
    """The field as it is now, in words."""
    value = getattr(incident, name, "")
    if name in ("tags", "techniques"):
        return ", ".join(value)
    if name in ("status", "severity", "determination"):
        return {"status": IncidentStatus, "severity": Severity}.get(name, Determination)(value).word
    return str(shown(value) or "")


def region_context(user: User, incident: Incident, names: Sequence[str]) -> Context:
    """What these regions need."""
    context = regions.base(user, incident)
    for name in names:
        context |= regions.REGIONS[name](user, incident)
    return context


def page_context(user: User, incident: Incident, request: HttpRequest) -> Context:
    """What the whole page needs. ``group`` and ``entry`` of the query choose the part of the timeline."""
    # Before anything is read: what comes in between is then told by the first poll, not lost.
    counts = timeline_read.cursor_of_incident(incident)
    context = region_context(user, incident, list(regions.REGIONS))
    group = request.GET.get("group", "")
    group = group if group in timeline_read.GROUPS else ""
    before = _before(request)
    context |= regions.timeline(user, incident, group=group, before=before)
    entries = context["entries"]
    newest = newest_of(incident) if group or before or not entries else entries[0].entry.pk
    context["cursor"] = cursor_of(incident, counts, newest)
    context["more_later"] = True
    context["doing"] = request.GET.get("do", "")
    return context


def newest_of(incident: Incident) -> int:
    """Id of the newest entry of the joined stream."""
    newest = timeline_read.entries_of_incident(incident).values_list("pk", flat=True).first()
    return newest or 0


def cursor_of(incident: Incident, counts: str, newest: int) -> str:
    """Where a page stands: version, counts of the stream, id of the newest entry."""
    return f"{incident.version}.{counts.replace('-', '.')}.{newest}"


def _before(request: HttpRequest) -> int:
    """Where the shown part of the timeline begins: behind an entry that is linked to, or at the newest."""
    for name, plus in (("entry", 1), ("before", 0)):
        value = request.GET.get(name, "")
        if value.isdecimal() and len(value) < 18:
            return int(value) + plus
    return 0
