"""Settings, Detection models. Reading needs view_cases, changing manage_settings."""

from __future__ import annotations

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from cases.actors import Actor
from cases.choices import Severity
from cases.errors import Conflict, Refused
from playbooks.actions import models
from playbooks.detection_models import Seen
from playbooks.models import DetectionModel
from playbooks.views.parts import check_may, holders, person_of, signed_in_reader
from soar.accounts.membership import may
from soar.lib import parts
from soar.lib.keyset import Order
from soar.lib.paging import asked, paged

SHOWN = 40
BY_NAME = Order("name", ("key", "id"), descending=False)
SEVERITIES = [(word, parts.label(word)) for word in reversed(Severity.words())]


class ModelForm(forms.Form):
    """A custom model."""

    name = forms.CharField(
        label=gettext_lazy("Name"), max_length=300, help_text=gettext_lazy("Exactly as alerts will say it.")
    )
    severity = forms.ChoiceField(label=gettext_lazy("Severity"), choices=SEVERITIES)


@signed_in_reader
@require_http_methods(["GET", "HEAD", "POST"])
def model_list(request: HttpRequest) -> HttpResponse:
    """The models, found by ``?q=``; POST adds a custom one."""
    if request.method != "POST":
        return _page(request, ModelForm())
    check_may(request, "manage_settings")
    form = ModelForm(request.POST)
    if form.is_valid():
        try:
            row = models.add(Actor.of(person_of(request)), **form.cleaned_data)
        except Refused as error:
            form.add_error(error.field if error.field in form.fields else None, error.message)
        else:
            messages.success(request, _("%s can be chosen in playbooks now.") % row.name)
            return redirect("model-list")
    return _page(request, form, status=422)


@signed_in_reader
@require_POST
def model_severity(request: HttpRequest, pk: int) -> HttpResponse:
    """Set the severity by hand, or let the alerts decide again."""
    try:
        row = models.set_severity(Actor.of(person_of(request)), pk, request.POST.get("severity", ""))
    except Refused as error:
        messages.error(request, error.message)
        return redirect("model-list")
    said = _("%(name)s is %(severity)s.") % {"name": row.name, "severity": _word(row).lower()}
    messages.success(request, said if row.severity_set else _("%s follows its alerts again.") % row.name)
    return redirect("model-list")


@signed_in_reader
@require_POST
def model_remove(request: HttpRequest, pk: int) -> HttpResponse:
    """Take a custom model away."""
    try:
        row = models.remove(Actor.of(person_of(request)), pk)
    except Conflict as error:
        messages.error(request, error.message)
    else:
        messages.success(request, _("%s is removed.") % row.name)
    return redirect("model-list")


def _page(request: HttpRequest, form: ModelForm, status: int = 200) -> HttpResponse:
    query = " ".join(asked(request.GET).split())
    seen = Seen(person_of(request))
    found = seen.rows()
    if query:
        found = found.filter(key__contains=query.lower())
    page = paged(request, found, BY_NAME, keep={"q": query}, size=SHOWN)
    context = {
        "rows": [{"row": row, "severity": Severity(row.severity).word} for row in seen.fitted(page.rows)],
        "page": page,
        "query": query,
        "form": form,
        "severities": SEVERITIES,
        "may_change": may(person_of(request), "manage_settings"),
        "admins": holders("manage_settings"),
    }
    return render(request, "settings/models.html", context, status=status)


def _word(row: DetectionModel) -> str:
    return parts.label(Severity(row.severity).word)
