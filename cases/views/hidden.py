"""The line "12 hidden from you" beside a list, loaded by itself, and what it means (access.md 5)."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from cases.filters import AlertFilter
from cases.hidden import applies, hidden_alerts, hidden_incidents
from cases.incident_filters import IncidentFilter
from cases.stats import Figure
from cases.views.parts import person_of, signed_in_reader
from soar.accounts.models import User
from soar.accounts.portal import HIDDEN_HINT
from soar.lib.htmx import is_partial

LINE, WHY = "cases/hidden_line.html", "cases/hidden.html"


def hidden_url(user: User, name: str, query: str) -> str:
    """Where a list asks for its line; "" for people from whom nothing is hidden."""
    return f"{reverse(name)}?{query}" if applies(user) else ""


@signed_in_reader
@require_safe
def alert_hidden(request: HttpRequest) -> HttpResponse:
    """How many alerts of the queue's status and severity are hidden."""
    return _line(request, lambda user: hidden_alerts(user, AlertFilter.parse(request.GET, default_open=True)))


@signed_in_reader
@require_safe
def incident_hidden(request: HttpRequest) -> HttpResponse:
    """How many incidents of the list's status and severity are hidden."""
    ended = request.GET.get("tab") == "closed"
    return _line(request, lambda user: hidden_incidents(user, IncidentFilter.parse(request.GET), ended=ended))


@signed_in_reader
@require_safe
def hidden_why(request: HttpRequest) -> HttpResponse:
    """What is counted and what never is: a page, or for htmx the inside of a dialog."""
    return render(request, f"{WHY}#why" if is_partial(request) else WHY)


def _line(request: HttpRequest, count: Callable[[User], Figure]) -> HttpResponse:
    user = person_of(request)
    figure = count(user) if applies(user) and HIDDEN_HINT.on() else Figure(0)
    return render(request, LINE, {"figure": figure})
