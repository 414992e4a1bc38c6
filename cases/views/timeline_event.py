"""The form of an event at another time: in the page's dialog, a page of its own without scripts."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from cases.actions.event_links import chosen, offered
from cases.actions.events import record_event
from cases.actors import Actor
from cases.errors import Conflict, Refused
from cases.models import Incident
from cases.permissions import incident_for
from cases.views.incidents_answer import TEMPLATE
from cases.views.incidents_parts import base
from cases.views.parts import person_of, signed_in_reader
from cases.views.task_parts import local_text
from cases.views.timeline_parts import LABELS_OF_LINKS, not_told, not_told_words
from cases.views.typed import goes_on
from soar.lib import clock
from soar.lib.htmx import is_partial, live, render_regions, trigger

EVENT = "timeline/event.html"
FIELDS = ("text", "occurred_at", "about")


@signed_in_reader
@require_http_methods(["GET", "HEAD", "POST"])
def incident_event(request: HttpRequest, number: str) -> HttpResponse:
    """Ask for an event, and put it on the timeline."""
    user = person_of(request)
    if request.method != "POST":
        incident = incident_for(user, number, level="comment")
        text = request.GET.get("text", "")[:1000]
        return _form(request, incident, {"text": text, "occurred_at": local_text(clock.now()), "about": ""})
    given = {name: request.POST.get(name, "") for name in FIELDS}
    try:
        incident = incident_for(user, number, level="comment")
        link = chosen(given["about"])
        entry = record_event(Actor.of(user), number, given["text"], occurred_at=given["occurred_at"], link=link)
    except Refused as error:
        return _form(request, incident, given, {"field": error.field, "text": error.message})
    except Conflict as error:
        return _elsewhere(request, error, given)
    more = not_told(user, incident, entry.text, entry)
    untold, said = not_told_words(more, incident.number), _("Event added")
    if not is_partial(request):
        messages.success(request, said)
        if untold:
            messages.warning(request, untold)
        return redirect(f"{base(user, incident)['to']['page']}?entry={entry.pk}#entry-{entry.pk}")
    # Not the whole composer: somebody may have begun a note there.
    context = {**base(user, incident), **more}
    answer = render_regions(request, TEMPLATE, ["blind"], context, extra=[live(f"{said}. {untold}")])
    answer["HX-Retarget"], answer["HX-Reswap"] = "#incident-blind", "outerHTML"
    return trigger(answer, "changed", "dialog-close")


def _elsewhere(request: HttpRequest, error: Conflict, given: dict[str, str]) -> HttpResponse:
    """The form for the incident that remains of a merge. Raises the error where there is none to write in: what was
    typed then comes back to be copied."""
    incident = goes_on(person_of(request), error)
    if incident is None:
        raise error
    return _form(request, incident, given, {"field": "", "text": error.message}, error.status)


def _form(
    request: HttpRequest,
    incident: Incident,
    form: dict[str, str],
    problem: dict[str, Any] | None = None,
    refused: int = 422,
) -> HttpResponse:
    groups = [(LABELS_OF_LINKS[name], values) for name, values in offered(incident)]
    elsewhere = refused == Conflict.status  # its regions are not on the page that asks
    context = {
        **base(person_of(request), incident),
        "elsewhere": elsewhere,
        "form": form,
        "problem": problem,
        "about": groups,
    }
    status = refused if problem else 200
    if not is_partial(request):
        return render(request, EVENT, context, status=status)
    answer = render_regions(request, EVENT, ["form"], {**context, "dialog": True}, status=status)
    answer["HX-Retarget"], answer["HX-Reswap"] = "#dialog", "innerHTML"
    return answer
