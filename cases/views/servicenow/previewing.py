"""What a profile makes of an incident: its texts while they are written, and the whole request, not sent (2)."""

from __future__ import annotations

import json
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from cases.actions.servicenow_profiles import profile_for
from cases.actors import Actor
from cases.errors import Missing
from cases.models import Incident
from cases.permissions import incident_for
from cases.servicenow import templates
from cases.servicenow.case import state_of
from cases.servicenow.trying import Tried, dry_run
from cases.views.parts import needs, person_of
from soar.accounts.models import User
from soar.connectors.errors import ConnectorError

sets_up = needs("manage_connectors")
SHORT_AT_MOST, LONG_AT_MOST = 160, 4000  # characters that ServiceNow keeps of the two texts
TYPED_AT_MOST = 8000


def recent_incident(user: User) -> Incident | None:
    """The newest incident that the person sees: something to try a profile with."""
    return Incident.objects.visible_to(user).order_by("-pk").first()


@sets_up
@require_POST
def profile_preview(request: HttpRequest, pk: int) -> HttpResponse:
    """The two texts as they are typed, filled in for an incident."""
    profile_for(pk)
    number = request.POST.get("incident", "")
    context: dict[str, Any] = {"typed": number}
    try:
        words = state_of(_incident(person_of(request), number)).words
    except Missing as error:
        context["missing"] = error.message
    else:
        given = [request.POST.get(name, "")[:TYPED_AT_MOST] for name in ("short_description", "description")]
        context["texts"] = [
            _filled(_("Short description"), given[0], words, SHORT_AT_MOST),
            _filled(_("Description"), given[1], words, LONG_AT_MOST),
        ]
    return render(request, "servicenow/_preview.html", context)


@sets_up
@require_safe
def profile_try(request: HttpRequest, pk: int) -> HttpResponse:
    """A dry run: the exact request that would make the ticket of an incident. Nothing is sent."""
    profile, person = profile_for(pk), person_of(request)
    recent = recent_incident(person)
    number = request.GET.get("incident", recent.number if recent else "").strip()
    context: dict[str, Any] = {"profile": profile, "number": number}
    if number:
        try:
            context |= _shown(dry_run(Actor.of(person), pk, number))
        except Missing as error:
            context["missing"] = error.message
        except ConnectorError as error:
            context["problem"] = error.message
    return render(request, "servicenow/profile_try.html", context, status=422 if "missing" in context else 200)


def _shown(tried: Tried) -> dict[str, Any]:
    return {
        "incident": tried.incident,
        "sent": tried.request,
        "body": json.dumps(tried.request["body"], indent=2, ensure_ascii=False),
        "headers": "\n".join(f"{name}: {value}" for name, value in tried.request["headers"].items()),
        "gaps": tried.left_out,
        "ticket": tried.ticket,
    }


def _incident(person: User, number: str) -> Incident:
    return incident_for(person, number[:40])


def _filled(label: str, text: str, words: Any, most: int) -> dict[str, Any]:
    """A text with its names replaced, or what is wrong with it; what ServiceNow would cut off is said."""
    problems = templates.check(text)
    made = "" if problems else templates.render(text, words)
    return {"label": label, "problems": problems, "made": made[:most], "cut": max(len(made) - most, 0), "most": most}
