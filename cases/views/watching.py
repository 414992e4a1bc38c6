"""Following an incident, muting an incident or alert: a small form, on its own page or in the dialog of another."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from cases.actions import notifications as actions
from cases.actions.notifications import FOLLOW, MUTE, NOTHING
from cases.errors import Refused
from cases.models import Incident
from cases.permissions import alert_for, incident_for
from cases.timeline import Subject
from cases.views.parts import person_of, signed_in_reader
from soar.lib import clock
from soar.lib.htmx import is_partial, render_regions
from soar.lib.htmx import redirect as move_to

TEMPLATE = "inbox/watch.html"
SPANS: dict[str, tuple[str | Promise, timedelta | None]] = {
    "": (gettext_lazy("for good"), None),
    "1": (gettext_lazy("for an hour"), timedelta(hours=1)),
    "8": (gettext_lazy("for 8 hours"), timedelta(hours=8)),
    "24": (gettext_lazy("for a day"), timedelta(days=1)),
    "168": (gettext_lazy("for a week"), timedelta(days=7)),
}


@signed_in_reader
@require_http_methods(["GET", "HEAD", "POST"])
def incident_watch(request: HttpRequest, number: str) -> HttpResponse:
    """Follow or mute an incident that the person sees."""
    return _watch(request, incident_for(person_of(request), number))


@signed_in_reader
@require_http_methods(["GET", "HEAD", "POST"])
def alert_watch(request: HttpRequest, number: str) -> HttpResponse:
    """Mute an alert that the person sees."""
    return _watch(request, alert_for(person_of(request), number))


def _watch(request: HttpRequest, subject: Subject) -> HttpResponse:
    if request.method != "POST":
        return _form(request, subject)
    state, span = request.POST.get("state", ""), request.POST.get("for", "")
    length = SPANS.get(span, SPANS[""])[1]
    until = clock.now() + length if length is not None and state == MUTE else None
    try:
        actions.watch(person_of(request), subject, state, until=until)
    except Refused as error:
        return _form(request, subject, error.message)
    messages.success(request, _said(state, subject.number))
    return move_to(request, _back(subject))


def _form(request: HttpRequest, subject: Subject, problem: str = "") -> HttpResponse:
    row = actions.watched(person_of(request), subject)
    state = NOTHING if row is None else MUTE if row.muted else FOLLOW
    context: dict[str, Any] = {
        "number": subject.number,
        "is_incident": isinstance(subject, Incident),
        "state": state,
        "until": row.until if row else None,
        "spans": [(name, label) for name, (label, _length) in SPANS.items()],
        "url": request.path,
        "back": _back(subject),
        "problem": problem,
    }
    status = 422 if problem else 200
    if not is_partial(request):
        return render(request, TEMPLATE, context, status=status)
    return render_regions(request, TEMPLATE, ["form"], context, status=status)


def _back(subject: Subject) -> str:
    name = "incident-detail" if isinstance(subject, Incident) else "alert-detail"
    return reverse(name, args=[subject.number])


def _said(state: str, number: str) -> str:
    if state == FOLLOW:
        return _("You follow %s") % number
    return _("%s is muted") % number if state == MUTE else _("%s: as usual") % number
