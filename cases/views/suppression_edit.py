"""Making and changing a suppression rule, with what it would have held back shown before it is saved."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from cases.actions import suppression as actions
from cases.actions.suppression_fields import conditions_of
from cases.actors import Actor
from cases.errors import CaseError, Forbidden, Refused, Stale
from cases.models import Alert, SuppressionRule
from cases.permissions import alert_for, parse_number
from cases.source_access import manages_some
from cases.suppression_access import rule_for
from cases.suppression_prefill import from_alerts, from_query, initial_of, query_of
from cases.suppression_preview import DAYS, preview
from cases.views.parts import needs, person_of
from cases.views.suppression_form import NO_TEAM, SuppressionForm, scope_of
from soar.accounts.models import User
from soar.lib import parts
from soar.lib.htmx import is_partial, live, render_regions
from soar.lib.htmx import redirect as go

TEMPLATE = "cases/suppression/form.html"
TICKED_AT_MOST = 200  # of these the common values are looked for
works = needs("work_cases", manages_some)


@works
@require_http_methods(["GET", "HEAD", "POST"])
def suppression_new(request: HttpRequest) -> HttpResponse:
    """The form of a new rule. Its query fills it in: ``alert`` with an alert's values, else fields of the queue."""
    user = person_of(request)
    if request.method != "POST":
        return _page(request, SuppressionForm(user, initial=_filled(user, request.GET)))
    form = SuppressionForm(user, request.POST)
    if form.is_valid():
        try:
            hold_open = form.cleaned_data["hold_open"]
            rule = actions.create(Actor.of(user), fields=form.for_action(), hold_open=hold_open)
        except (Refused, Forbidden) as error:
            _beside(form, error)
        else:
            messages.success(request, _("%s is in force") % rule.name)
            return redirect("suppression-detail", rule.pk)
    return _page(request, form)


@works
@require_http_methods(["GET", "HEAD", "POST"])
def suppression_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """The form of a rule that is there; a stale one is refused."""
    user = person_of(request)
    rule = rule_for(user, pk, work=True)
    form = SuppressionForm(user, request.POST if request.method == "POST" else None, rule=rule)
    if request.method == "POST" and form.is_valid():
        version = request.POST.get("version", "")
        expected = int(version) if version.isdecimal() and len(version) < 10 else -1
        try:
            actions.update(Actor.of(user), pk, changes=form.for_action(), expected_version=expected)
        except Stale:
            form.add_error(None, _("The rule was changed by somebody else in the meantime. Nothing was saved."))
            return _page(request, form, rule_for(user, pk), stale=True)
        except CaseError as error:
            _beside(form, error)
        else:
            messages.success(request, _("Saved"))
            return redirect("suppression-detail", pk)
    return _page(request, form, rule)


@works
@require_POST
def suppression_preview(request: HttpRequest) -> HttpResponse:
    """What the form's rule would have held back: the region asks on by itself until all alerts are read."""
    user = person_of(request)
    form = SuppressionForm(user, request.POST)
    form.is_valid()  # a name or a reason is not needed to look
    context = _previewed(user, form, request.POST)
    if not is_partial(request):
        form.errors.clear()
        return render(request, TEMPLATE, {"form": form, "rule": _rule(user, request.POST.get("rule", "")), **context})
    said = [live(context["said"])] if context.get("said") else []
    return render_regions(request, TEMPLATE, ["preview"], context, extra=said)


@works
@require_POST
def suppression_from(request: HttpRequest) -> HttpResponse:
    """From the queue: to the form of a new rule, filled in with what the ticked alerts have in common, or with the
    queue's filter where all of it is meant."""
    user = person_of(request)
    if request.POST.get("all"):
        values = from_query(QueryDict(request.POST.get("query", "")[:4000]))
    else:
        rows = Alert.objects.visible_to(user).filter(pk__in=_ticked(request))
        alerts = list(rows.select_related("source"))
        values = from_alerts(alerts) if alerts else {}
    return go(request, reverse("suppression-new") + "?" + query_of(values))


def _rule(user: User, pk: str) -> SuppressionRule | None:
    return rule_for(user, int(pk), work=True) if pk.isdecimal() and len(pk) < 18 else None


def _ticked(request: HttpRequest) -> list[int]:
    return [parse_number(value, "ALR") for value in request.POST.getlist("alert")[:TICKED_AT_MOST]]


def _filled(user: User, params: QueryDict) -> dict[str, Any]:
    scope = NO_TEAM
    if number := params.get("alert"):
        alert = alert_for(user, number)
        values, scope = from_alerts([alert]), alert.team.name if alert.team else NO_TEAM
    else:
        values = from_query(params)
    return {**initial_of(values), "scope": scope}


def _previewed(user: User, form: SuppressionForm, given: QueryDict) -> dict[str, Any]:
    """The preview, or why there is none."""
    days = next((one for one in DAYS if str(one) == given.get("days")), DAYS[0])
    cursor = "" if "fresh" in given else given.get("cursor", "")
    try:
        conditions = conditions_of(form.conditions())
        actions.check_seen(user, list(conditions.get("source", [])))
        found = preview(user, conditions, scope_of(form.whose(), user), days=days, cursor=cursor)
    except Refused as error:
        return {"preview_problem": error.message, "days": days, "all_days": DAYS}
    rows = Alert.objects.visible_to(user).filter(pk__in=found.examples).order_by("-pk")
    examples = [(one.number, one.title, one.hostname, parts.ago(one.received_at)) for one in rows]
    said = _("%(held)s of %(read)s alerts would have been held back") % {"held": found.held, "read": found.read}
    return {"found": found, "examples": examples, "days": days, "all_days": DAYS, "said": said if found.done else ""}


def _page(
    request: HttpRequest, form: SuppressionForm, rule: SuppressionRule | None = None, *, stale: bool = False
) -> HttpResponse:
    context = {"form": form, "rule": rule, "stale": stale, "days": DAYS[0], "all_days": DAYS}
    return render(request, TEMPLATE, context, status=412 if stale else 422 if form.errors else 200)


def _beside(form: SuppressionForm, error: CaseError) -> None:
    field = {"team": "scope", "all_teams": "scope"}.get(error.field or "", error.field)
    form.add_error(field if field in form.fields else None, error.message)
