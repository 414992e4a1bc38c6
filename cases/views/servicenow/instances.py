"""Setting a ServiceNow instance up: from a connector account to a tested connection and its webhook (1, 5)."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from cases.actions import servicenow_check, servicenow_instances
from cases.actions.servicenow_access import links_told
from cases.actors import Actor
from cases.errors import Conflict, Refused, Stale
from cases.models import ServiceNowInstance
from cases.views.parts import needs, person_of
from cases.views.servicenow import webhook
from cases.views.servicenow.profiles import version_of
from soar.connectors import showing
from soar.connectors.models import ConnectorAccount

sets_up = needs("manage_connectors")
reads = needs("manage_connectors", read_by="view_setup")


class PaceForm(forms.Form):
    """How often it is asked for changes."""

    every_seconds = forms.IntegerField(label=gettext_lazy("Seconds between two polls"), initial=30)
    every_seconds.min_value, every_seconds.max_value = servicenow_instances.SECONDS
    every_seconds.help_text = gettext_lazy("What changes there is here after at most so long; the webhook hurries it.")


class InstanceForm(PaceForm):
    """Of which connector, and what it is called in addresses."""

    account = forms.TypedChoiceField(label=gettext_lazy("Connector"), coerce=int)
    slug = forms.CharField(label=gettext_lazy("Short name"), required=False, max_length=60)
    slug.help_text = gettext_lazy(
        "Stands in the address of the webhook and cannot be changed later. Empty: the first part of the host."
    )
    field_order = ("account", "slug", "every_seconds")

    def __init__(self, *args: Any, accounts: list[ConnectorAccount], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["account"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [(one.pk, f"{one.name}, {one.settings.get('url', '')}") for one in accounts]


@sets_up
@require_http_methods(["GET", "HEAD", "POST"])
def instance_create(request: HttpRequest) -> HttpResponse:
    """Choose the connector; its webhook's secret is on the page that follows, once."""
    person = person_of(request)
    accounts = servicenow_instances.free_accounts(person)
    initial = {"account": request.GET.get("account", "")}
    form = InstanceForm(request.POST if request.method == "POST" else None, accounts=accounts, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            instance, secret = servicenow_instances.create(Actor.of(person), **form.cleaned_data)
        except Refused as error:
            form.add_error(error.field if error.field in form.fields else None, error.message)
        else:
            return _page(request, instance, secret=secret, status=201)
    context = {"form": form, "accounts": accounts}
    return render(request, "servicenow/instance_new.html", context, status=422 if form.errors else 200)


@reads
@require_http_methods(["GET", "HEAD", "POST"])
def instance_detail(request: HttpRequest, slug: str) -> HttpResponse:
    """What is known of it: what the last check found, the webhook, its profiles; POST sets the pace of the polls."""
    instance = servicenow_instances.instance_for(slug)
    if request.method != "POST":
        return _page(request, instance)
    form = PaceForm(request.POST)
    if form.is_valid():
        try:
            actor, seen = Actor.of(person_of(request)), version_of(request)
            servicenow_instances.update(actor, slug, **form.cleaned_data, expected_version=seen)
        except Stale as error:
            form.add_error(None, error.message)
            instance = servicenow_instances.instance_for(slug)
        except Refused as error:
            form.add_error(error.field if error.field in form.fields else None, error.message)
        else:
            messages.success(request, _("Saved"))
            return redirect("servicenow-instance", slug)
    return _page(request, instance, form=form, status=422)


@sets_up
@require_POST
def instance_check(request: HttpRequest, slug: str) -> HttpResponse:
    """Test connection: all that was looked at is then on the page."""
    findings = servicenow_check.check(Actor.of(person_of(request)), slug)
    wrong = [one for one in findings if one["ok"] is False]
    if wrong:
        messages.error(request, _("It does not work yet: %s") % wrong[0]["text"])
    else:
        messages.success(request, _("The connection works."))
    return redirect("servicenow-instance", slug)


@sets_up
@require_POST
def instance_rotate(request: HttpRequest, slug: str) -> HttpResponse:
    """Another secret for the webhook, shown this once."""
    instance, secret = servicenow_instances.rotate_secret(Actor.of(person_of(request)), slug)
    return _page(request, instance, secret=secret, status=201)


@sets_up
@require_POST
def instance_remove(request: HttpRequest, slug: str) -> HttpResponse:
    """Take it away with its profiles, unless tickets were linked."""
    instance = servicenow_instances.instance_for(slug)
    try:
        servicenow_instances.remove(Actor.of(person_of(request)), slug)
    except Conflict as error:
        return _page(request, instance, problem=error.message, status=409)
    messages.success(request, _("%s is removed; its connector is still there.") % slug)
    return redirect("servicenow-profile-list")


def _page(
    request: HttpRequest, instance: ServiceNowInstance, *, secret: str = "", status: int = 200, **more: Any
) -> HttpResponse:
    account = ConnectorAccount.objects.get(pk=instance.account_id)
    context = {
        "instance": instance,
        "account": account,
        "state": showing.state_of(account),
        "address": account.settings.get("url", ""),
        "findings": [_finding(one) for one in instance.vocabulary.get("findings", [])],
        "profiles": instance.profiles.all(),
        "links": links_told(person_of(request)).filter(instance=instance).count(),
        "secret": secret,
        "webhook": webhook.address_of(instance),
        "script": webhook.script_of(instance, secret),
        "form": PaceForm(initial={"every_seconds": instance.every_seconds}),
        **more,
    }
    answer = render(request, "servicenow/instance.html", context, status=status)
    if secret:
        answer["Cache-Control"] = "no-store"
    return answer


def _finding(one: dict[str, Any]) -> dict[str, Any]:
    """With sign and tone: ``ok`` None is something that could not be told, or that works with a drawback."""
    css, sign = {True: ("is-successful", "st-successful"), False: ("is-unsuccessful", "st-unsuccessful")}.get(
        one["ok"], ("is-partially_successful", "warn")
    )
    word = {True: _("Works"), False: _("Does not work")}.get(one["ok"], _("Look at it"))
    return {"name": one["name"], "text": one["text"], "css": css, "sign": sign, "word": word}
