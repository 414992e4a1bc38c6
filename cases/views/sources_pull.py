"""Reading a source from its product: settings, now, no more; telling the product once more."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods, require_POST

from cases.actions import pulls as actions
from cases.actors import Actor
from cases.errors import CaseError, Missing, Refused
from cases.views import sources_parts as shown
from cases.views.parts import person_of
from cases.views.sources import found, manages_it, manages_sources, read_or_found, reads_sources, show
from soar.connectors.models import ConnectorAccount
from soar.connectors.registry import KINDS


class PullForm(forms.Form):
    """With which connector, how often, and where the first reading begins."""

    account = forms.ChoiceField(label=gettext_lazy("Connector"))
    every_seconds = forms.IntegerField(label=gettext_lazy("Seconds between two readings"), initial=60)
    every_seconds.min_value, every_seconds.max_value = actions.SECONDS
    look_back_hours = forms.IntegerField(
        label=gettext_lazy("Hours to look back"),
        initial=24,
        help_text=gettext_lazy("How old alerts may be that the first reading brings."),
    )
    enabled = forms.BooleanField(label=gettext_lazy("Read it"), initial=True, required=False)

    def __init__(self, *args: Any, accounts: list[ConnectorAccount], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["account"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [(one.name, one.name) for one in accounts]


@reads_sources
@require_http_methods(["GET", "HEAD", "POST"])
def source_pull(request: HttpRequest, slug: str) -> HttpResponse:
    """The form of how it is read. Missing for a kind that is sent to the portal only."""
    source = found(request, slug) if request.method == "POST" else read_or_found(request, slug)
    if source.kind not in actions.READ_BY:
        raise Missing(_("Alerts of this kind are sent to the portal."))
    pull = shown.pull_of(source)
    person = person_of(request)
    accounts = actions.accounts_for(person, source.kind)
    initial = {name: getattr(pull, name) for name in ("every_seconds", "look_back_hours", "enabled")} if pull else {}
    if pull and pull.account:
        initial["account"] = pull.account.name
    form = PullForm(request.POST or None, accounts=accounts, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            actions.set_pull(Actor.of(person), slug, **form.cleaned_data)
        except Refused as error:
            form.add_error(error.field if error.field in form.fields else None, error.message)
        else:
            messages.success(request, _("Saved"))
            return redirect("source-detail", slug)
    context = {
        "form": form,
        "source": source,
        "pull": pull,
        "manages": manages_it(person, source),
        "accounts": accounts,
        "kind": shown.kind_label(source.kind),
        "makes": [(name, KINDS[name].label) for name in actions.READ_BY[source.kind] if name in KINDS],
    }
    return render(request, "cases/sources/pull.html", context, status=422 if form.errors else 200)


@manages_sources
@require_POST
def source_pull_now(request: HttpRequest, slug: str) -> HttpResponse:
    """Read it at once."""
    found(request, slug)
    try:
        actions.pull_now(Actor.of(person_of(request)), slug)
    except CaseError as error:
        messages.error(request, error.message)
    else:
        messages.success(request, _("It is being read."))
    return redirect("source-detail", slug)


@manages_sources
@require_POST
def source_pull_test(request: HttpRequest, slug: str) -> HttpResponse:
    """Ask the product whether it can be read."""
    found(request, slug)
    try:
        health = actions.test_pull(Actor.of(person_of(request)), slug)
    except CaseError as error:
        messages.error(request, error.message)
    else:
        say = messages.success if health.ok else messages.error
        say(request, f"{health.message} ({health.milliseconds} ms)")
    return redirect("source-detail", slug)


@manages_sources
@require_POST
def source_pull_remove(request: HttpRequest, slug: str) -> HttpResponse:
    """Read it no more."""
    found(request, slug)
    actions.remove_pull(Actor.of(person_of(request)), slug)
    messages.success(request, _("It is read no more. What was read stays."))
    return redirect("source-detail", slug)


@manages_sources
@require_POST
def source_push_again(request: HttpRequest, slug: str) -> HttpResponse:
    """Tell its product once more what could not be told."""
    source = found(request, slug)
    number = actions.push_again(Actor.of(person_of(request)), slug)
    if not number:
        return show(request, source)
    said = ngettext("%s is told once more.", "%s are told once more.", number) % number
    messages.success(request, said)
    return redirect("source-detail", slug)
