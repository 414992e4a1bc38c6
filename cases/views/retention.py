"""Rules of retention and legal holds in the browser, for those who manage settings (access.md 9)."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from cases import retention
from cases.actions import retention as actions
from cases.actors import Actor
from cases.choices import Severity
from cases.errors import CaseError, Missing
from cases.models import AlertSource, Incident, LegalHold, RetentionRule
from cases.views.parts import check_may, needs, person_of
from soar.lib.htmx import is_partial, render_regions

LIST, FORM = "cases/retention/list.html", "cases/retention/form.html"
HOLDS_SHOWN = 200
manages = needs("manage_settings")
reads = needs("manage_settings", read_by="view_setup")


class RuleForm(forms.Form):
    """A rule; the action checks it once more."""

    what = forms.ChoiceField(label=gettext_lazy("Delete"))
    days = forms.IntegerField(label=gettext_lazy("After days"), min_value=1, max_value=actions.DAYS_AT_MOST)
    severities = forms.MultipleChoiceField(
        label=gettext_lazy("Only of severity"), required=False, widget=forms.CheckboxSelectMultiple
    )
    severities.help_text = gettext_lazy("None ticked: of any. For payloads, alerts and incidents.")
    source = forms.ChoiceField(label=gettext_lazy("Only of source"), required=False)
    source.help_text = gettext_lazy("For payloads and alerts.")
    enabled = forms.BooleanField(label=gettext_lazy("On"), required=False)
    enabled.help_text = gettext_lazy("What is deleted does not come back. Look at the preview first.")

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        _choose(self, "what", [(one.name, str(one.label).capitalize()) for one in retention.sorts().values()])
        _choose(self, "severities", [(one.word, _(str(one.label))) for one in reversed(Severity)])
        _choose(self, "source", [("", _("any")), *AlertSource.objects.order_by("name").values_list("slug", "name")])


@reads
@require_safe
def retention_list(request: HttpRequest) -> HttpResponse:
    """All rules, and the incidents on hold that this person sees."""
    order = list(retention.sorts())
    rules = sorted(RetentionRule.objects.select_related("source"), key=lambda one: order.index(one.what))
    seen = Incident.objects.visible_to(person_of(request))
    held = LegalHold.objects.filter(lifted_at=None, incident__in=seen).select_related("incident")[:HOLDS_SHOWN]
    return render(request, LIST, {"rows": [_shown(one) for one in rules], "held": held})


@reads
@require_http_methods(["GET", "HEAD", "POST"])
def retention_rule(request: HttpRequest, pk: int | None = None) -> HttpResponse:
    """The form of a rule, new or there, with its preview; a new one is for those who manage settings alone."""
    if pk is None:
        check_may(request, "manage_settings")
    actor = Actor.of(person_of(request))
    rule = actions.rule_for(actor, pk) if pk is not None else None
    initial = actions.told(rule) if rule else {"what": "payloads", "days": 90}
    form = RuleForm(request.POST if request.method == "POST" else None, initial=initial)
    if request.method == "POST" and form.is_valid() and _saved(actor, rule, form, request.POST.get("version", "")):
        messages.success(request, _("Saved"))
        return redirect("retention")
    context: dict[str, Any] = {"form": form, "rule": rule, "preview": None}
    if rule is not None:
        context |= _previewed(rule, request)
    return render(request, FORM, context, status=422 if form.errors else 200)


@manages
@require_safe
def retention_preview(request: HttpRequest) -> HttpResponse:
    """How much what stands in the form would delete now; nothing is saved."""
    form = RuleForm(request.GET)
    context: dict[str, Any] = {"form": form, "rule": None, "preview": None}
    if form.is_valid():
        try:
            draft = actions.draft(Actor.of(person_of(request)), form.cleaned_data)
            context |= _previewed(draft, request)
        except CaseError as error:
            form.add_error(error.field if error.field in form.fields else None, error.message)
    if is_partial(request):
        return render_regions(request, FORM, ["preview"], context)
    return render(request, FORM, context, status=422 if form.errors else 200)


@manages
@require_POST
def retention_delete(request: HttpRequest, pk: int) -> HttpResponse:
    """Remove a rule."""
    actions.delete(Actor.of(person_of(request)), pk)
    messages.success(request, _("The rule is removed."))
    return redirect("retention")


def _saved(actor: Actor, rule: RetentionRule | None, form: RuleForm, version: str) -> bool:
    try:
        if rule is None:
            actions.create(actor, form.cleaned_data)
        else:
            seen = int(version) if version.isdecimal() and len(version) < 10 else -1
            actions.update(actor, rule.pk, form.cleaned_data, expected_version=seen)
    except Missing:
        raise
    except CaseError as error:
        form.add_error(error.field if error.field in form.fields else None, error.message)
        return False
    return True


def _shown(rule: RetentionRule) -> dict[str, Any]:
    sort = retention.sorts().get(rule.what)
    severities = [_(str(Severity(one).label)) for one in rule.severities]
    return {
        "rule": rule,
        "label": str(sort.label).capitalize() if sort else rule.what,
        "severities": severities,
    }


def _choose(form: forms.Form, name: str, choices: list[tuple[Any, Any]]) -> None:
    field = form.fields[name]
    assert isinstance(field, forms.ChoiceField)
    field.choices = choices


def _previewed(rule: RetentionRule, request: HttpRequest) -> dict[str, Any]:
    """How much it would delete, and of what."""
    return {"preview": retention.preview(rule, person_of(request)), "what": retention.sorts()[rule.what].label}
