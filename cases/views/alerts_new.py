"""An alert made by hand (rulings 18)."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from cases.actions.manual import create_by_hand
from cases.actors import Actor
from cases.errors import CaseError
from cases.forms import AlertForm
from cases.views.parts import needs, person_of


@needs("work_cases")
@require_http_methods(["GET", "HEAD", "POST"])
def alert_new(request: HttpRequest) -> HttpResponse:
    """The form; a good one leads to the new alert, a bad one keeps what was typed."""
    form = AlertForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            alert = create_by_hand(Actor.of(person_of(request)), fields=form.fields_of(person_of(request)))
        except CaseError as error:
            form.add_error(error.field if error.field in form.fields else None, error.message)
        else:
            return redirect("alert-detail", alert.number)
    return render(request, "cases/alerts/new.html", {"form": form}, status=422 if form.errors else 200)
