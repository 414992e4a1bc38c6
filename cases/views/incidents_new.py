"""A new incident by hand (casework.md 7)."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from cases.actions import incidents
from cases.actors import Actor
from cases.choices import Severity, Tlp
from cases.errors import CaseError
from cases.models import IncidentTemplate
from cases.views.parts import needs, person_of
from soar.accounts.models import Team

FORM_FIELDS = {"owners": "owned"}


class IncidentForm(forms.Form):
    """What a person says of a new incident; the action checks it once more."""

    title = forms.CharField(label=_("Title"), max_length=300)
    template = forms.ModelChoiceField(
        IncidentTemplate.objects.current(), label=_("Template"), required=False, empty_label=_("None")
    )
    template.help_text = _("Its checklist and tags come with it.")
    severity = forms.ChoiceField(label=_("Severity"), required=False)
    summary = forms.CharField(label=_("Summary"), required=False, widget=forms.Textarea({"rows": 5}))
    summary.help_text = _("Markdown.")
    team = forms.ModelChoiceField(
        Team.objects.all(), label=_("Team"), required=False, to_field_name="name", empty_label=_("Everybody")
    )
    team.help_text = _("Its people see the incident. Without a team, everybody who may see incidents does.")
    tlp = forms.ChoiceField(label=_("TLP"), required=False)
    tags = forms.CharField(label=_("Tags"), required=False, max_length=2000)
    tags.help_text = _("Separated by commas.")
    owned = forms.BooleanField(label=_("I own it"), required=False, initial=True)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        severity, tlp = self.fields["severity"], self.fields["tlp"]
        assert isinstance(severity, forms.ChoiceField)
        assert isinstance(tlp, forms.ChoiceField)
        severity.choices = [
            ("", _("The template's, or medium")),
            *((one.word, gettext(str(one.label))) for one in reversed(Severity)),
        ]
        tlp.choices = [("", _("The template's, or amber")), *Tlp.choices]


@needs("work_cases")
@require_http_methods(["GET", "HEAD", "POST"])
def incident_create(request: HttpRequest) -> HttpResponse:
    """The form; a good one leads to the new incident."""
    form = IncidentForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            incident = incidents.open_incident(Actor.of(person_of(request)), **_fields(request, form.cleaned_data))
        except CaseError as error:
            form.add_error(_field_of(error, form), error.message)
        else:
            return redirect("incident-detail", incident.number)
    return render(request, "cases/incidents/new.html", {"form": form}, status=422 if form.errors else 200)


def _fields(request: HttpRequest, data: dict[str, Any]) -> dict[str, Any]:
    me = person_of(request)
    return {
        "title": data["title"],
        "severity": data["severity"],
        "summary": data["summary"],
        "team": data["team"],
        "tlp": data["tlp"],
        "tags": data["tags"].split(","),
        "template": data["template"],
        "owners": [me] if data["owned"] else [],
        "lead": me if data["owned"] else None,
    }


def _field_of(error: CaseError, form: forms.Form) -> str | None:
    name = FORM_FIELDS.get(error.field or "", error.field)
    return name if name in form.fields else None
