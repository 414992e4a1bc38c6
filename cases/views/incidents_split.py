"""The page that splits an incident: what goes is ticked, looked at, and split off (casework.md 9)."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from cases.actions import split
from cases.actors import Actor
from cases.choices import Severity
from cases.errors import CaseError, Forbidden, Missing
from cases.models import Alert, Evidence, Incident, IncidentAsset, IncidentObservable, IncidentTask
from cases.permissions import incident_for
from cases.views.incident_alert_parts import alert_row
from cases.views.parts import person_of, signed_in_reader
from soar.accounts.models import User
from soar.lib.htmx import is_partial, render_regions
from soar.lib.text import defang

TEMPLATE = "cases/incidents/split.html"
LISTED_AT_MOST = 300
Context = dict[str, Any]


@signed_in_reader
@require_http_methods(["GET", "HEAD", "POST"])
def incident_split(request: HttpRequest, number: str) -> HttpResponse:
    """The form; with ``do=preview`` what would come of it, with ``do=split`` the new incident."""
    user = person_of(request)
    incident = incident_for(user, number, level="edit")
    if request.method != "POST":
        return render(request, TEMPLATE, _page(user, incident, request.GET))
    actor, given = Actor.of(user), _given(request.POST)
    context = _page(user, incident, request.POST)
    try:
        if request.POST.get("do") == "split":
            return _split(request, actor, incident, given)
        context["preview"] = _preview(split.preview(actor, incident.pk, **given))
    except (Missing, Forbidden):
        raise
    except CaseError as error:
        context["problem"] = {"field": error.field or "", "text": error.message}
        context["incident"] = incident_for(user, incident.pk)
        return _answer(request, context, error.status if error.status in (409, 412) else 422)
    return _answer(request, context)


def _answer(request: HttpRequest, context: Context, status: int = 200) -> HttpResponse:
    if is_partial(request):
        return render_regions(request, TEMPLATE, ["preview"], context, status=status)
    return render(request, TEMPLATE, context, status=status)


def _split(request: HttpRequest, actor: Actor, incident: Incident, given: Context) -> HttpResponse:
    version = request.POST.get("version", "")
    expected = int(version) if version.isdecimal() and len(version) < 10 else None
    new = split.split(actor, incident.pk, expected_version=expected, **given)
    messages.success(request, _("Split off %(number)s") % {"number": incident.number})
    return redirect("incident-detail", new.number)


def _given(form: QueryDict) -> Context:
    """What was ticked and typed. Raises nothing: what is no number is left to the action to refuse."""
    besides = {
        name: [int(one) if one.isdecimal() and len(one) < 19 else 0 for one in form.getlist(name)]
        for name in split.BESIDES
    }
    return {
        "alerts": form.getlist("alerts"),
        "title": form.get("title", ""),
        "severity": form.get("severity") or None,
        **besides,
    }


def _page(user: User, incident: Incident, form: QueryDict) -> Context:
    alerts = Alert.objects.filter(incident=incident).order_by("-severity", "-id").with_line_data()[:LISTED_AT_MOST]
    return {
        "incident": incident,
        "number": incident.number,
        "alerts": [alert_row(alert, {incident.pk}) for alert in alerts],
        "alerts_more": max(incident.alert_count - LISTED_AT_MOST, 0),
        "groups": [one for one in _groups(incident, form) if one["rows"]],
        "ticked": form.getlist("alerts"),
        "title": form.get("title", ""),
        "severity": form.get("severity", ""),
        "severities": list(reversed(Severity)),
    }


def _groups(incident: Incident, form: QueryDict) -> list[Context]:
    """What else can be ticked, by name: value and text of each line."""
    tasks = [(row.pk, row.title) for row in IncidentTask.objects.filter(incident=incident)[:LISTED_AT_MOST]]
    observables = [
        (row.observable_id, f"{row.observable.type} {defang(row.observable.value, row.observable.type)}")
        for row in IncidentObservable.objects.filter(incident=incident).select_related("observable")[:LISTED_AT_MOST]
    ]
    assets = [
        (row.asset_id, row.asset.name)
        for row in IncidentAsset.objects.filter(incident=incident).select_related("asset")[:LISTED_AT_MOST]
    ]
    evidence = [(row.pk, row.name) for row in Evidence.objects.kept().filter(incident=incident)[:LISTED_AT_MOST]]
    listed = (
        ("tasks", _("Tasks"), tasks),
        ("observables", _("Observables of its own"), observables),
        ("assets", _("Assets of its own"), assets),
        ("evidence", _("Evidence"), evidence),
    )
    return [
        {"name": name, "label": label, "rows": [(pk, text, str(pk) in form.getlist(name)) for pk, text in rows]}
        for name, label, rows in listed
    ]


def _preview(one: split.Preview) -> Context:
    words = {
        "tasks": _("tasks"),
        "observables": _("observables of its own"),
        "assets": _("assets of its own"),
        "evidence": _("pieces of evidence"),
    }
    return {
        "title": one.title,
        "severity": one.severity,
        "alerts": len(one.alerts),
        "observables": one.observables,
        "notes": one.notes,
        "besides": [(words[name], number) for name, number in one.besides.items()],
        "restricted": one.source.restricted,
        "team": one.source.team,
        "refusal": one.refusal.message if one.refusal else "",
    }
