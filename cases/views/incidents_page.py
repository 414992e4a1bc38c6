"""The page of an incident, and what keeps it true: its poll, older entries, the check of its chain."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db.models import Q, Subquery
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from cases import timeline_read
from cases.errors import Missing
from cases.models import Incident, TimelineEntry
from cases.permissions import incident_for
from cases.timeline_filter import EVENT, TimelineFilter
from cases.timeline_kinds import MERGING
from cases.timeline_read import EntryView
from cases.verify import report_of_incident
from cases.views import incidents_parts as regions
from cases.views.folding import FOLDING, LATER, opened_of
from cases.views.incidents_answer import TEMPLATE, address_of, cursor_of, newest_of, page_context, region_context
from cases.views.parts import person_of, signed_in_reader
from cases.views.timeline_parts import number_of
from soar.lib.htmx import is_partial, push_url, render_regions

VERIFY = "cases/incidents/verify.html"
# Entries are numbered before they are committed: what was recorded this long before the newest seen entry is sent
# again, and the page leaves out what it has (static/js/live.js). No transaction here lives longer.
OVERLAP = timedelta(minutes=2)
NEW_AT_MOST = 200
# After these the stream is put together anew: alerts with their past came or went, a note reads differently.
ANEW = ("incident.alert_linked", "incident.alert_unlinked", "comment.edited", *MERGING)


@signed_in_reader
@require_safe
def incident_detail(request: HttpRequest, number: str) -> HttpResponse:
    """The page. ``?entry=`` shows the timeline from that entry on."""
    user = person_of(request)
    incident = incident_for(user, number)
    return render(request, TEMPLATE, page_context(user, incident, request))


@signed_in_reader
@require_safe
def incident_panel(request: HttpRequest, number: str, name: str) -> HttpResponse:
    """A box with all its rows or its form, with ``?fold=1`` as it comes first; without htmx the page does it."""
    user = person_of(request)
    incident = incident_for(user, number)
    if name not in (*FOLDING, *LATER):
        raise Missing(_("There is no box %(name)s on this page.") % {"name": f"{name:.40}"})
    fold = bool(request.GET.get("fold"))
    if not is_partial(request):
        return redirect(address_of(incident, name, opened=not fold))
    context = region_context(user, incident, [name], () if fold else (name,))
    return render_regions(request, TEMPLATE, [name], context)


@signed_in_reader
@require_safe
def incident_live(request: HttpRequest, number: str) -> HttpResponse:
    """The poll of the whole page: 204, or the regions that changed and the entries that came."""
    user = person_of(request)
    incident = incident_for(user, number)
    version, own, theirs, seen = _cursor(request.GET.get("cursor", ""))
    now = timeline_read.cursor_of_incident(incident)
    if (incident.version, now) == (version, f"{own}-{theirs}"):
        return HttpResponse(status=204)
    chosen = TimelineFilter.parse(request.GET)
    entries, anew, newest = _news(incident, seen, chosen)
    names = ["head", "summary", "alerts", "details", "owners", "observables"] if incident.version != version else []
    names = [*(names or ["head", "alerts"]), "tasks", "evidence"]
    context = {
        **region_context(user, incident, names, opened_of(request)),
        "live": True,
        "cursor": cursor_of(incident, now, newest),
        "fresh": entries,
    }
    if not anew:
        context |= regions.filters(incident, chosen)
        return render_regions(request, TEMPLATE, ["entries", "kinds", "pins", *names, "live"], context)
    context |= regions.timeline(user, incident, chosen)
    return render_regions(request, TEMPLATE, ["entries", "kinds", "pins", "stream", *names], context)


@signed_in_reader
@require_safe
def incident_timeline(request: HttpRequest, number: str) -> HttpResponse:
    """Older entries, or another kind of them; without htmx the page itself does it."""
    user = person_of(request)
    incident = incident_for(user, number)
    if not is_partial(request):
        asked = request.GET.urlencode()
        return redirect(reverse("incident-detail", args=[incident.number]) + (f"?{asked}" if asked else ""))
    chosen, at = TimelineFilter.parse(request.GET), number_of(request.GET.get("before", ""))
    counts = timeline_read.cursor_of_incident(incident)
    context = {**regions.base(user, incident), "cursor": cursor_of(incident, counts, newest_of(incident))}
    context |= regions.timeline(user, incident, chosen, before=at)
    if at:
        return render_regions(request, TEMPLATE, ["older"], context)
    address = reverse("incident-detail", args=[incident.number]) + (f"?{chosen.query}" if chosen.query else "")
    return push_url(render_regions(request, TEMPLATE, ["stream", "filters"], context), address)


@signed_in_reader
@require_safe
def incident_verify(request: HttpRequest, number: str) -> HttpResponse:
    """Check the chains of the incident and its alerts now, and say what came out; without htmx on a page of its own."""
    user = person_of(request)
    incident = incident_for(user, number)
    told = {"report": report_of_incident(incident), "verified_at": timezone.now()}
    if is_partial(request):
        return render_regions(request, TEMPLATE, ["chain"], {**regions.base(user, incident), **told})
    return render(request, VERIFY, {**regions.base(user, incident), **told})


def _news(incident: Incident, seen: int, chosen: TimelineFilter) -> tuple[list[EntryView], bool, int]:
    """Entries since ``seen``, with those that were numbered before it but committed after it; whether the stream has to
    be put together anew, because alerts came or went, new ones may stand anywhere, or are many; the newest one's id."""
    rows = timeline_read.entries_of_incident(incident)
    last = TimelineEntry.objects.filter(pk=seen).values("recorded_at")
    since = Q(pk__gt=seen) | Q(recorded_at__gte=Subquery(last) - OVERLAP)
    read = list(rows.filter(since)[: NEW_AT_MOST + 1])
    newest = read[0].pk if read else seen
    came = [entry for entry in read if entry.pk > seen]
    if len(read) > NEW_AT_MOST or any(entry.kind in ANEW for entry in came):
        return [], True, newest
    if chosen.written:
        read = list(chosen.apply(rows.filter(pk__in=[entry.pk for entry in read])))
    if chosen.order == EVENT and any(entry.pk > seen for entry in read):
        return [], True, newest
    return timeline_read.views(read), False, newest


def _cursor(text: str) -> tuple[int, int, int, int]:
    """The parts of a page's cursor; what cannot be read counts as an old one."""
    pieces: list[Any] = text.split(".")
    if len(pieces) != 4 or not all(piece.isdecimal() and len(piece) < 18 for piece in pieces):
        return 0, 0, 0, 0
    version, own, theirs, seen = map(int, pieces)
    return version, own, theirs, seen
