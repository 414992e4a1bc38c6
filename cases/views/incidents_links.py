"""Alerts and observables of an incident: search, link, move, unlink, add, remove (casework.md 7)."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_safe

from cases.actions import links, observables
from cases.actors import Actor
from cases.errors import Refused
from cases.filters import AlertFilter
from cases.models import Alert, Incident
from cases.permissions import incident_for
from cases.suggestions import Suggestion, suggestions
from cases.views import incidents_parts as regions
from cases.views.incident_alert_parts import alert_rows
from cases.views.incidents_answer import TEMPLATE, Done, verb
from cases.views.parts import person_of, signed_in_reader
from soar.accounts.models import User
from soar.lib.htmx import is_partial, render_regions
from soar.lib.text import defang, shorten_hash

LINK = "cases/incidents/link.html"
FOUND_AT_MOST = 20


@verb("alerts")
def incident_link(request: HttpRequest, actor: Actor, number: str) -> Done:
    """Link alerts by number; ``move`` takes them out of another incident."""
    numbers = _numbers(request)
    links.link(actor, numbers, number, move=bool(request.POST.get("move")))
    said = ngettext("%(n)s alert linked", "%(n)s alerts linked", len(numbers)) % {"n": len(numbers)}
    return Done("alerts", said)


@verb("alerts")
def incident_unlink(request: HttpRequest, actor: Actor, number: str) -> Done:
    """Take alerts out of this incident."""
    numbers = _numbers(request)
    links.unlink(actor, numbers, number)
    return Done("alerts", ngettext("%(n)s alert unlinked", "%(n)s alerts unlinked", len(numbers)) % {"n": len(numbers)})


@verb("observables")
def incident_observable_add(request: HttpRequest, actor: Actor, number: str) -> Done:
    """Put an observable on the incident itself."""
    found = observables.add_to_incident(actor, number, request.POST.get("type", ""), request.POST.get("value", ""))
    return Done("observables", _("%s added") % defang(found.value, found.type))


@verb("observables")
def incident_observable_remove(request: HttpRequest, actor: Actor, number: str) -> Done:
    """Take an observable off the incident; its alerts keep theirs."""
    value = request.POST.get("observable", "")
    if not value.isdecimal() or len(value) > 18:
        raise Refused(_("Choose an observable first."))
    observables.remove_from_incident(actor, number, int(value))
    return Done("observables", _("Observable removed"))


@signed_in_reader
@require_safe
def incident_alert_search(request: HttpRequest, number: str) -> HttpResponse:
    """Open alerts that match a number, host, address or word, with why; without a text, those suggested."""
    user = person_of(request)
    incident = incident_for(user, number, level="edit")
    context = {**regions.base(user, incident), **_search(user, incident, request.GET.get("q", "").strip())}
    if is_partial(request):
        return render_regions(request, TEMPLATE, ["found"], {**context, "dialog": True})
    return render(request, LINK, context)


@signed_in_reader
@require_safe
def incident_more(request: HttpRequest, number: str) -> HttpResponse:
    """ "2 more alerts share …": loaded after the page, because it looks at all open alerts. Without htmx
    the page, which leads to them."""
    user = person_of(request)
    incident = incident_for(user, number)
    if not is_partial(request):
        return redirect("incident-detail", incident.number)
    found = _suggested(user, incident)
    context = {**regions.base(user, incident), "more": _more(found) if found else None}
    return render_regions(request, TEMPLATE, ["more"], context)


def _numbers(request: HttpRequest) -> list[str]:
    """Numbers of alerts: ticked ones, or typed with commas or blanks between."""
    numbers = [part for value in request.POST.getlist("alerts") for part in value.replace(",", " ").split()]
    if not numbers:
        raise Refused(_("Choose an alert first."), field="alerts")
    return numbers


def _search(user: User, incident: Incident, text: str) -> dict[str, Any]:
    if not text:
        found = _suggested(user, incident)
        rows = [(alert, one.reasons[0].text) for one in found for alert in one.alerts]
        listed = alert_rows(user, rows[:FOUND_AT_MOST])
        return {"q": "", "searched": True, "found": listed, "suggested": bool(listed)}
    wanted = AlertFilter.parse({"q": text})
    hits = wanted.apply(Alert.objects.visible_to(user).open(), user).exclude(incident=incident)
    alerts = list(
        Alert.objects.filter(pk__in=hits.order_by("-pk").values("pk")[: FOUND_AT_MOST + 1])
        .with_line_data()
        .order_by("-pk")
    )
    return {
        "q": text,
        "searched": True,
        "errors": wanted.errors,
        "found": alert_rows(user, [(alert, why_found(alert, text)) for alert in alerts[:FOUND_AT_MOST]]),
        "found_more": len(alerts) > FOUND_AT_MOST,
    }


def why_found(alert: Alert, text: str) -> str:
    """Where the text stands in an alert, in words."""
    places = (
        (_("number"), alert.number),
        (_("host"), alert.hostname),
        (_("address"), alert.source_ip),
        (_("user"), alert.username),
        (_("id at the source"), alert.source_ref),
        (_("model"), alert.detection_model),
        (_("title"), alert.title),
    )
    for word in text.lower().split():
        for name, value in places:
            if value and word in value.lower():
                return name if name in (_("title"), _("number")) else f"{name} {value}"
    return _("names it as an observable")


def _suggested(user: User, incident: Incident) -> list[Suggestion]:
    return [one for one in suggestions(user, limit=200) if one.incident is not None and one.incident.pk == incident.pk]


def _more(found: list[Suggestion]) -> dict[str, Any]:
    """The strongest reason in words, and how many alerts there are in all."""
    best = found[0]
    type_, value = best.value
    return {"n": sum(len(one.ids) for one in found), "value": shorten_hash(defang(value, type_))}
