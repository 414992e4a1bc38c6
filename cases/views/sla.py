"""The targets of one incident: the box of its page, and the verbs that stop its clocks and let them run again."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from cases.actions import sla_pause as actions
from cases.actors import Actor
from cases.errors import CaseError, Forbidden, Missing
from cases.models import Incident
from cases.permissions import incident_for
from cases.views import sla_parts
from cases.views.parts import person_of, signed_in_reader
from soar.lib.htmx import is_partial, live, render_regions, trigger

TEMPLATE = "cases/incidents/targets.html"


class PauseForm(forms.Form):
    """Why the clocks stand still."""

    reason = forms.CharField(
        label=gettext_lazy("Reason"), max_length=actions.REASON_AT_MOST, widget=forms.Textarea({"rows": 3})
    )
    reason.help_text = gettext_lazy("What is waited for, and whom. It stands on the timeline.")


@signed_in_reader
@require_safe
def incident_targets(request: HttpRequest, number: str) -> HttpResponse:
    """The box for the incident's page; a page of its own without htmx."""
    incident = incident_for(person_of(request), number)
    return _shown(request, incident)


@signed_in_reader
@require_http_methods(["GET", "HEAD", "POST"])
def incident_pause(request: HttpRequest, number: str) -> HttpResponse:
    """The form that asks for the reason, in the page's dialog for htmx, and the verb."""
    user = person_of(request)
    incident = incident_for(user, number, level="edit")
    form = PauseForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            incident = actions.pause(Actor.of(user), incident.pk, form.cleaned_data["reason"])
        except (Missing, Forbidden):
            raise
        except CaseError as error:
            form.add_error(None if error.field not in form.fields else error.field, error.message)
        else:
            return _done(request, incident, _("The clocks of %s stand still") % incident.number)
    return _asked(request, incident, form)


@signed_in_reader
@require_POST
def incident_resume(request: HttpRequest, number: str) -> HttpResponse:
    """Let the clocks run again. If they do already, there is nothing left to do."""
    user = person_of(request)
    incident = incident_for(user, number, level="edit")
    if incident.sla_paused_at is not None:
        incident = actions.resume(Actor.of(user), incident.pk)
    return _done(request, incident, _("The clocks of %s run again") % incident.number)


def _asked(request: HttpRequest, incident: Incident, form: PauseForm) -> HttpResponse:
    context: dict[str, Any] = {**sla_parts.targets(person_of(request), incident), "form": form, "asking": True}
    status = 422 if form.errors else 200
    if not is_partial(request):
        return render(request, TEMPLATE, {**context, "history": sla_parts.history(incident)}, status=status)
    answer = render_regions(request, TEMPLATE, ["asked"], {**context, "dialog": True}, status=status)
    answer["HX-Retarget"], answer["HX-Reswap"] = "#dialog", "innerHTML"
    return answer


def _done(request: HttpRequest, incident: Incident, said: str) -> HttpResponse:
    if not is_partial(request):
        messages.success(request, said)
        return redirect("incident-targets", incident.number)
    # "changed" lets the box, the head and the timeline fetch themselves anew.
    answer = _shown(request, incident, said)
    return trigger(answer, "changed", "dialog-close")


def _shown(request: HttpRequest, incident: Incident, said: str = "") -> HttpResponse:
    context = sla_parts.targets(person_of(request), incident)
    if is_partial(request):
        return render_regions(request, TEMPLATE, ["box"], context, extra=[live(said)] if said else [])
    return render(request, TEMPLATE, {**context, "history": sla_parts.history(incident)})
