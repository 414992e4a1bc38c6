"""An alert and its incident, in place: open one, link, move, unlink, say that it is not related (casework.md 4, 7)."""

from __future__ import annotations

from django.db.models import Exists, OuterRef, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_safe

from cases.actions import incidents, links, suggestions
from cases.actors import Actor
from cases.choices import IncidentStatus, Severity
from cases.errors import Refused
from cases.filters import AlertFilter
from cases.models import Alert, Incident
from cases.permissions import alert_for
from cases.views import alerts_parts as regions
from cases.views.alerts_answer import TEMPLATE, Context, Done, page_context, verb
from cases.views.parts import person_of, signed_in_reader
from soar.accounts.models import User
from soar.lib import parts
from soar.lib.htmx import is_partial, render_regions

FOUND_AT_MOST = 8


@verb("incident")
def alert_escalate(request: HttpRequest, actor: Actor, number: str) -> Done:
    """Open an incident from this alert."""
    owners = [name for name in request.POST.getlist("owners") if name]
    given = request.POST
    template = given.get("template") or None
    incident = incidents.escalate(actor, number, title=given.get("title", ""), owners=owners, template=template)
    return Done("incident", _("%s opened") % incident.number)


@verb("incident")
def alert_link(request: HttpRequest, actor: Actor, number: str) -> Done:
    """Link to an incident; with ``move`` out of the one that it is in."""
    wanted = request.POST.get("incident", "").strip()
    if not wanted:
        raise Refused(_("Give the number of an incident."), field="incident")
    incident = links.link(actor, [number], wanted, move=bool(request.POST.get("move")))
    return Done(
        "incident", _("%(alert)s linked to %(incident)s") % {"alert": number.upper(), "incident": incident.number}
    )


@verb("similar")
def alert_link_similar(request: HttpRequest, actor: Actor, number: str) -> Done:
    """Link ticked similar alerts to the incident of this one."""
    ticked = request.POST.getlist("alerts")
    alert = alert_for(actor, number, work=True)
    if not ticked:
        raise Refused(_("Tick an alert first."), field="alerts")
    wanted = alert.incident_id
    if wanted is None:
        raise Refused(_("This alert has no incident yet: open or link one first."))
    links.link(actor, ticked, wanted)
    said = ngettext("%(n)s alert linked to INC-%(incident)s", "%(n)s alerts linked to INC-%(incident)s", len(ticked))
    return Done("similar", said % {"n": len(ticked), "incident": wanted})


@verb("incident")
def alert_unlink(request: HttpRequest, actor: Actor, number: str) -> Done:
    """Take the alert out of its incident."""
    links.unlink(actor, [number])
    return Done("incident", _("%s is in no incident now") % number.upper())


@verb("incident")
def alert_not_related(request: HttpRequest, actor: Actor, number: str) -> Done:
    """The suggested incident is not its incident: remembered."""
    suggestions.not_related(actor, number, request.POST.get("incident", ""))
    return Done("incident", _("Noted: not related"))


@signed_in_reader
@require_safe
def alert_find_incident(request: HttpRequest, number: str) -> HttpResponse:
    """Open incidents by number, title, or the host, user, address or observable of their alerts."""
    user = person_of(request)
    alert = alert_for(user, number, work=True)
    text = request.GET.get("q", "").replace("\x00", "").strip()[:200]
    context: Context = {"find": text, "found": [_found(one) for one in find_incidents(user, text, alert)]}
    if is_partial(request):
        return render_regions(request, TEMPLATE, ["found"], {**regions.base(user, alert), **context})
    return render(request, TEMPLATE, {**page_context(user, alert, request), **context})


def find_incidents(user: User, text: str, alert: Alert) -> list[Incident]:
    """At most a few, the newest first; not the one that the alert is in."""
    if not text:
        return []
    number = text.upper().removeprefix("INC-")
    visible = Incident.objects.visible_to(user).exclude(pk=alert.incident_id or 0)
    if number.isdecimal() and len(number) < 10:
        exact = list(visible.filter(pk=int(number)))
        if exact or number != text:
            return exact
    if len(text) < 3:
        return []
    wanted = AlertFilter.parse({"q": f'"{text.replace(chr(34), "")}"'})
    inside = wanted.apply(Alert.objects.filter(incident=OuterRef("pk")), user)
    rows = visible.open().filter(Q(title__icontains=text) | Exists(inside))
    return list(rows.order_by("-pk")[:FOUND_AT_MOST])


def _found(incident: Incident) -> Context:
    return {
        "number": incident.number,
        "title": incident.title,
        "severity": parts.sev(Severity(incident.severity).word, True),
        "status": parts.state(IncidentStatus(incident.status).word, True),
        "alerts": incident.alert_count,
    }
