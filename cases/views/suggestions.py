"""Open alerts that belong together: create, add to an incident, not related (casework.md 8)."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from cases.actions import suggestions as actions
from cases.actors import Actor
from cases.choices import Severity
from cases.errors import CaseError, Forbidden
from cases.models import Incident
from cases.restricted_views import note_rows
from cases.suggestions import Suggestion, suggestions
from cases.views.parts import person_of, signed_in_reader
from soar.accounts.membership import may
from soar.accounts.models import User
from soar.lib import parts
from soar.lib.htmx import is_partial, live, render_regions, toast
from soar.lib.text import defang, shorten_hash

TEMPLATE = "cases/incidents/suggestions.html"
BRIEF = 3
SHOWN = 20  # the best; dealt with, they make room for others


@signed_in_reader
@require_safe
def suggestion_list(request: HttpRequest) -> HttpResponse:
    """All suggestions; with ``brief``, the best few for the list of incidents."""
    context = _context(person_of(request), brief=bool(request.GET.get("brief")))
    if is_partial(request):
        return render_regions(request, TEMPLATE, ["box"], context)
    return render(request, TEMPLATE, context)


@signed_in_reader
@require_POST
def suggestion_accept(request: HttpRequest, key: str) -> HttpResponse:
    """Open an incident from the suggested alerts, or add them to ``incident``."""
    actor = Actor.of(person_of(request))
    try:
        incident = actions.accept(
            actor, key, incident=request.POST.get("incident"), title=request.POST.get("title", "")
        )
    except CaseError as error:
        return _failed(request, error)
    if not is_partial(request):
        return redirect("incident-detail", incident.number)
    return _done(request, incident)


@signed_in_reader
@require_POST
def suggestion_dismiss(request: HttpRequest, key: str) -> HttpResponse:
    """*Not related*, remembered."""
    try:
        actions.dismiss(Actor.of(person_of(request)), key)
    except CaseError as error:
        return _failed(request, error)
    if not is_partial(request):
        messages.success(request, _("Noted: not related."))
        return redirect("suggestion-list")
    context = _context(person_of(request), brief=bool(request.POST.get("brief")))
    return render_regions(request, TEMPLATE, ["box"], context, extra=[live(_("Noted: not related."))])


def _done(request: HttpRequest, incident: Incident) -> HttpResponse:
    context = _context(person_of(request), brief=bool(request.POST.get("brief")))
    context["done"] = incident
    said = _("%(number)s holds %(n)s alerts now.") % {"number": incident.number, "n": incident.alert_count}
    return render_regions(request, TEMPLATE, ["box"], context, extra=[live(said)])


def _failed(request: HttpRequest, error: CaseError) -> HttpResponse:
    """A suggestion that went while somebody looked at it is no error of theirs: the list comes anew."""
    if isinstance(error, Forbidden) or error.status not in (404, 409):
        raise error
    if not is_partial(request):
        messages.warning(request, error.message)
        return redirect("suggestion-list")
    context = _context(person_of(request), brief=bool(request.POST.get("brief")))
    return render_regions(
        request, TEMPLATE, ["box"], context, extra=[toast(error.message, "amber"), live(error.message)]
    )


def _context(user: User, *, brief: bool) -> dict[str, Any]:
    found = suggestions(user, limit=50)
    shown = found[: BRIEF if brief else SHOWN]
    note_rows(user, [one.incident for one in shown if one.incident])
    return {
        "suggestions": [_shown(one) for one in shown],
        "total": len(found),
        "brief": brief,
        "may_work": may(user, "work_cases"),
    }


def _shown(one: Suggestion) -> dict[str, Any]:
    """A suggestion with its sentences: the title tells the first reason, the others stand below it. Values that a
    browser could open are defanged, hashes shortened."""
    said = {reason.value.lower() for reason in one.reasons if reason.type in ("asset", "host")}
    named = dict.fromkeys(alert.hostname for alert in one.alerts)
    hosts = [name for name in named if name and name.lower() not in said]
    first, last = one.alerts[-1].received_at, one.alerts[0].received_at
    return {
        "key": one.key,
        "title": one.title.replace(one.value[1], _safe(*one.value)),
        "reasons": [f"{reason.text} {_safe(reason.type, reason.value)}" for reason in one.reasons[1:]],
        "hosts": hosts[:3],
        "span": (first, last),
        "incident": one.incident,
        "alerts": [
            {
                "number": alert.number,
                "title": alert.title,
                "url": f"/alerts/{alert.number}/",
                "severity": parts.sev(Severity(alert.severity).word, hidden=True),
                "about": alert.hostname or alert.username or alert.source_ip,
                "age": parts.ago(alert.received_at),
            }
            for alert in one.alerts[:10]
        ],
        "more": max(len(one.ids) - 10, 0),
        "accept_url": reverse("suggestion-accept", args=[one.key]),
        "dismiss_url": reverse("suggestion-dismiss", args=[one.key]),
    }


def _safe(type_: str, value: str) -> str:
    return shorten_hash(defang(value, type_))
