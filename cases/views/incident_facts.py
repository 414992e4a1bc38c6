"""ATT&CK techniques and custom fields of an incident: a region of its page that is loaded after it and looks after
itself, and a page of its own where there are no scripts (casework.md 6)."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from cases.actions.custom_fields import field_for
from cases.actions.custom_values import set_values
from cases.actions.techniques import retag
from cases.actors import Actor
from cases.attack.shown import label
from cases.attack.stored import catalog
from cases.errors import Refused, Stale
from cases.models import Incident
from cases.permissions import incident_for
from cases.views import incident_fields_parts, incident_techniques_parts
from cases.views.incident_fields_parts import read_form
from cases.views.incidents_parts import base
from cases.views.parts import person_of, signed_in_reader
from soar.accounts.models import User
from soar.lib.htmx import is_partial, live, render_regions, trigger

TEMPLATE = "cases/incidents/facts.html"
Context = dict[str, Any]


@signed_in_reader
@require_safe
def incident_facts(request: HttpRequest, number: str) -> HttpResponse:
    """The region, 204 for who has this version of it; without htmx the page."""
    user = person_of(request)
    incident = incident_for(user, number)
    if is_partial(request) and request.GET.get("version") == str(incident.version):
        return HttpResponse(status=204)
    return _answer(request, user, incident)


def _opened(request: HttpRequest) -> frozenset[str]:
    """Keys of the fields whose forms are open on the page that asks."""
    return frozenset((*request.GET.getlist("field"), *request.POST.getlist("field")))


@signed_in_reader
@require_safe
def technique_search(request: HttpRequest, number: str) -> HttpResponse:
    """Techniques by id or words of their name, each with a button that adds it."""
    user = person_of(request)
    incident = incident_for(user, number, level="edit")
    found = catalog().search(request.GET.get("q", "")[:100])
    context = {"found": [(one, one.id in incident.techniques) for one in found], "q": request.GET.get("q", "")[:100]}
    if is_partial(request):
        return render_regions(request, TEMPLATE, ["found"], {**base(user, incident), **context})
    return render(request, TEMPLATE, {**_context(user, incident, _opened(request)), **context})


@signed_in_reader
@require_POST
def incident_techniques(request: HttpRequest, number: str) -> HttpResponse:
    """Add techniques, or take one off; all by id."""
    user, given = person_of(request), request.POST
    incident_for(user, number, level="edit")  # before what was chosen is looked at
    add, remove = [[one for one in given.getlist(name) if one.strip()] for name in ("add", "remove")]
    try:
        if not add and not remove:
            raise Refused(_("Choose a technique first."), field="add")
        incident = retag(Actor.of(user), number, add=add, remove=remove)
    except Refused as error:
        problem = {"form": "techniques", "text": error.message, "typed": given.get("add", "")}
        return _answer(request, user, incident_for(user, number), problem=problem, status=422)
    said = _("%s added") % ", ".join(map(label, add)) if add else _("%s taken off") % ", ".join(map(label, remove))
    return _done(request, user, incident, said, _opened(request))


@signed_in_reader
@require_http_methods(["POST"])
def incident_field(request: HttpRequest, number: str, key: str) -> HttpResponse:
    """Set one custom field, or empty it. A form that was made from another value than is there now is refused with both
    (casework.md 5)."""
    user = person_of(request)
    incident = incident_for(user, number, level="edit")
    field = field_for(key)
    seen = {key: request.POST["seen"]} if "seen" in request.POST else None
    try:
        value = read_form(field, request.POST, incident.custom_fields.get(key))
        incident = set_values(Actor.of(user), number, {key: value}, seen=seen)
    except (Refused, Stale, ValueError) as error:
        incident = incident_for(user, number)
        problem = incident_fields_parts.problem_of(error, field, request.POST, incident)
        status = 412 if isinstance(error, Stale) else 422
        return _answer(request, user, incident, problem=problem, status=status, opened=key)
    return _done(request, user, incident, _("%s saved") % field.name, _opened(request) - {key})


def _done(request: HttpRequest, user: User, incident: Incident, said: str, opened: frozenset[str]) -> HttpResponse:
    if is_partial(request):
        context = _context(user, incident, opened)
        return trigger(render_regions(request, TEMPLATE, ["facts"], context, extra=[live(said)]), "changed")
    messages.success(request, said)
    return redirect("incident-facts", incident.number)


def _answer(
    request: HttpRequest,
    user: User,
    incident: Incident,
    *,
    problem: Context | None = None,
    status: int = 200,
    opened: str = "",
) -> HttpResponse:
    context = {**_context(user, incident, _opened(request) | {opened}), "problem": problem or {}}
    if not is_partial(request):
        return render(request, TEMPLATE, context, status=status)
    extra = [live(problem["text"])] if problem else []
    return render_regions(request, TEMPLATE, ["facts"], context, extra=extra, status=status)


def _context(user: User, incident: Incident, opened: frozenset[str]) -> Context:
    return {
        **base(user, incident),
        **incident_techniques_parts.techniques(incident),
        **incident_fields_parts.fields(user, incident, opened),
    }
