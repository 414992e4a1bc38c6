"""The legal hold of an incident: placing, lifting, and what was (access.md 9)."""

from __future__ import annotations

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from cases.actions import holds as actions
from cases.actors import Actor
from cases.errors import CaseError, Forbidden, Missing
from cases.holds import hold_of
from cases.models import LegalHold
from cases.permissions import incident_for
from cases.views.parts import person_of, signed_in_reader

TEMPLATE = "cases/incidents/hold.html"


class HoldForm(forms.Form):
    """Why."""

    reason = forms.CharField(
        label=gettext_lazy("Reason"), max_length=actions.REASON_AT_MOST, widget=forms.Textarea({"rows": 3})
    )


@signed_in_reader
@require_http_methods(["GET", "HEAD", "POST"])
def incident_hold(request: HttpRequest, number: str) -> HttpResponse:
    """Whether the incident is on hold, and the form that places or lifts one."""
    user = person_of(request)
    incident = incident_for(user, number)
    hold = hold_of(incident)
    form = HoldForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        lifting = request.POST.get("do") == "lift"
        act = actions.lift if lifting else actions.place
        try:
            act(Actor.of(user), incident.pk, form.cleaned_data["reason"])
        except (Missing, Forbidden):
            raise
        except CaseError as error:
            form.add_error("reason" if error.field == "reason" else None, error.message)
        else:
            messages.success(request, _("The legal hold is lifted.") if lifting else _("It is on legal hold."))
            return redirect("incident-detail", incident.number)
    context = {
        "incident": incident,
        "hold": hold,
        "form": form,
        "may_hold": actions.may_hold(user, incident),
        "history": LegalHold.objects.filter(incident=incident).exclude(lifted_at=None)[:20],
    }
    return render(request, TEMPLATE, context, status=422 if form.errors else 200)
