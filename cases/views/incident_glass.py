"""Breaking the glass: an admin lets themselves in to a restricted incident, with a reason (rulings 20)."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from cases.actions import restriction
from cases.errors import CaseError
from cases.views.parts import needs, person_of


@needs("manage_people")
@require_http_methods(["GET", "HEAD", "POST"])
def break_glass(request: HttpRequest) -> HttpResponse:
    """Ask which incident and why. A number that there is not and one that is not restricted are told apart here alone:
    whoever asks has to say why, and is written down with it."""
    given = request.POST if request.method == "POST" else request.GET
    context: dict[str, Any] = {"number": given.get("incident", "")[:40], "reason": given.get("reason", "")[:400]}
    context["hours"] = settings.GLASS_HOURS
    if request.method != "POST":
        return render(request, "cases/incidents/break_glass.html", context)
    try:
        incident = restriction.break_glass(person_of(request), context["number"], reason=context["reason"])
    except CaseError as error:
        context["problem"] = {"field": error.field or "incident", "text": error.message}
        return render(request, "cases/incidents/break_glass.html", context, status=422)
    said = _("You manage %(number)s for %(hours)s hours. Its owners are told.")
    messages.warning(request, said % {"number": incident.number, "hours": settings.GLASS_HOURS})
    return redirect("incident-detail", incident.number)
