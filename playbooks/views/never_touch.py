"""Settings, Never-touch list. Reading needs view_cases, changing manage_settings."""

from __future__ import annotations

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from cases.actors import Actor
from cases.errors import Refused
from playbooks.actions import never_touch
from playbooks.models import NeverTouch
from playbooks.views.parts import check_may, holders, person_of, signed_in_reader
from playbooks.views.target_words import KIND_LABELS
from soar.accounts.membership import may

SHOWN = 1000
BY = {
    "name": gettext_lazy("Name or address"),
    "tag": gettext_lazy("Tag of the asset"),
    "criticality": gettext_lazy("Criticality of the asset, this or higher"),
    "network": gettext_lazy("Network"),
}


class RuleForm(forms.Form):
    """One rule."""

    by = forms.ChoiceField(label=gettext_lazy("By"), choices=list(BY.items()))
    value = forms.CharField(
        label=gettext_lazy("Value"),
        max_length=300,
        help_text=gettext_lazy("SRV-DC-*, payroll@corp.example, tier0, critical, 10.20.0.0/16"),
    )
    kinds = forms.MultipleChoiceField(
        label=gettext_lazy("Only for (none: for all)"),
        required=False,
        choices=list(KIND_LABELS.items()),
        widget=forms.CheckboxSelectMultiple,
    )
    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        max_length=500,
        help_text=gettext_lazy("Stands in every approval that this rule asks for."),
    )


@signed_in_reader
@require_http_methods(["GET", "HEAD", "POST"])
def never_touch_list(request: HttpRequest) -> HttpResponse:
    """The list; POST adds a rule."""
    if request.method != "POST":
        return _page(request, RuleForm())
    check_may(request, "manage_settings")
    form = RuleForm(request.POST)
    if form.is_valid():
        try:
            row = never_touch.add(Actor.of(person_of(request)), **form.cleaned_data)
        except Refused as error:
            form.add_error(error.field if error.field in form.fields else None, error.message)
        else:
            messages.success(request, _("%s is on the list. It counts from now on.") % row.value)
            return redirect("never-touch-list")
    return _page(request, form, status=422)


@signed_in_reader
@require_POST
def never_touch_remove(request: HttpRequest, pk: int) -> HttpResponse:
    """Take a rule off the list."""
    row = never_touch.remove(Actor.of(person_of(request)), pk)
    messages.success(request, _("%s is off the list. What waits for an approval goes on waiting.") % row.value)
    return redirect("never-touch-list")


def _page(request: HttpRequest, form: RuleForm, status: int = 200) -> HttpResponse:
    rows = [
        {"row": row, "by": BY.get(row.by, row.by), "kinds": ", ".join(str(KIND_LABELS.get(k, k)) for k in row.kinds)}
        for row in NeverTouch.objects.all()[:SHOWN]
    ]
    context = {
        "rows": rows,
        "form": form,
        "may_change": may(person_of(request), "manage_settings"),
        "admins": holders("manage_settings"),
    }
    return render(request, "settings/never_touch.html", context, status=status)
