"""The page of an alert, its side panel, and what keeps it true: poll, older entries, raw payload."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from cases import timeline_read
from cases.models import Alert, AlertPayload, TimelineEntry
from cases.permissions import alert_for
from cases.timeline_filter import EVENT, TimelineFilter
from cases.timeline_read import EntryView
from cases.views import alerts_parts as regions
from cases.views import timeline_parts
from cases.views.alerts_answer import TEMPLATE, cursor_of, page_context, region_context
from cases.views.parts import person_of, signed_in_reader
from cases.views.timeline_parts import number_of
from soar.lib.htmx import is_partial, push_url, render_regions

# Entries are numbered before they are committed: what was recorded this long before the newest seen entry is sent
# again, and the page leaves out what it has (static/js/live.js). No transaction here lives longer.
OVERLAP = timedelta(minutes=2)
NEW_AT_MOST = 100
IN_PANEL = 6
SHOWN_PAYLOAD = 200_000


@signed_in_reader
@require_safe
def alert_detail(request: HttpRequest, number: str) -> HttpResponse:
    """The page. ``?entry=`` shows the timeline from that entry on."""
    user = person_of(request)
    alert = alert_for(user, number)
    return render(request, TEMPLATE, page_context(user, alert, request))


@signed_in_reader
@require_safe
def alert_panel(request: HttpRequest, number: str) -> HttpResponse:
    """The alert beside the queue; without htmx its page."""
    user = person_of(request)
    alert = alert_for(user, number)
    if not is_partial(request):
        return render(request, TEMPLATE, page_context(user, alert, request))
    context = region_context(user, alert, ["head", "incident", "observables", "details"])
    context |= regions.latest(alert, IN_PANEL)
    context |= {"cursor": cursor_of(alert), "panel": True}
    return render_regions(request, TEMPLATE, ["panel"], context)


@signed_in_reader
@require_safe
def alert_live(request: HttpRequest, number: str) -> HttpResponse:
    """The poll of the page: 204, or what changed since the cursor."""
    user = person_of(request)
    alert = alert_for(user, number)
    cursor = cursor_of(alert)
    old = request.GET.get("cursor", "")
    if cursor == old:
        return HttpResponse(status=204)
    chosen = TimelineFilter.parse(request.GET)
    rows = timeline_read.entries_of_alert(alert)
    context = {
        **region_context(user, alert, ["head", "incident", "details", "mails"]),
        **timeline_parts.filters(rows, chosen),
        "cursor": cursor,
        "entries": _news(alert, chosen),
        "live": True,
    }
    if chosen.order == EVENT:  # what is new may stand anywhere
        context |= regions.timeline(user, alert, chosen)
    changed = old.split(".")[:2] != cursor.split(".")[:2]
    names = ["head", "incident", "composer", "details", "mails"] if changed else []
    stream = "stream" if chosen.order == EVENT else "fresh"
    return render_regions(request, TEMPLATE, ["live", stream, "kinds", "pins", *names], context)


@signed_in_reader
@require_safe
def alert_timeline(request: HttpRequest, number: str) -> HttpResponse:
    """Older entries, or those of another kind; without htmx the page itself does it."""
    user = person_of(request)
    alert = alert_for(user, number)
    if not is_partial(request):
        return render(request, TEMPLATE, page_context(user, alert, request))
    context = regions.base(user, alert)
    chosen, before = TimelineFilter.parse(request.GET), number_of(request.GET.get("before", ""))
    context |= regions.timeline(user, alert, chosen, before=before)
    context["cursor"] = cursor_of(alert)
    if before:
        return render_regions(request, TEMPLATE, ["older"], context)
    address = reverse("alert-detail", args=[alert.number]) + (f"?{chosen.query}" if chosen.query else "")
    return push_url(render_regions(request, TEMPLATE, ["stream", "filters"], context), address)


@signed_in_reader
@require_safe
def alert_similar(request: HttpRequest, number: str) -> HttpResponse:
    """Similar alerts anew."""
    user = person_of(request)
    alert = alert_for(user, number)
    if not is_partial(request):
        return render(request, TEMPLATE, page_context(user, alert, request))
    return render_regions(request, TEMPLATE, ["similar"], region_context(user, alert, ["similar", "incident"]))


@signed_in_reader
@require_safe
def alert_raw(request: HttpRequest, number: str) -> HttpResponse:
    """The payload as it came: the first one, and the latest of the repeats (``?which=latest``)."""
    alert = alert_for(person_of(request), number)
    payload = AlertPayload.objects.filter(alert=alert).first()
    latest = request.GET.get("which") == "latest" and payload is not None and payload.latest_body is not None
    body = "" if payload is None else str(payload.latest_body) if latest else payload.body
    context: dict[str, Any] = {
        "alert": alert,
        "number": alert.number,
        "latest": latest,
        "has_latest": payload is not None and payload.latest_body is not None,
        "latest_at": payload.latest_at if payload else None,
        "text": pretty(body),
        "cut": len(body) > SHOWN_PAYLOAD,
    }
    return render(request, "cases/alerts/raw.html", context)


def pretty(body: str) -> str:
    """JSON indented, anything else as it is; cut where a browser would be lost."""
    if len(body) <= SHOWN_PAYLOAD:
        try:
            body = json.dumps(json.loads(body), indent=2, ensure_ascii=False)
        except (ValueError, RecursionError):
            return body
    return body[:SHOWN_PAYLOAD]


def _news(alert: Alert, chosen: TimelineFilter) -> list[EntryView]:
    """The newest entries, enough to hold what came since the page's last look."""
    rows = timeline_read.entries_of_alert(alert)
    newest = rows.values_list("recorded_at", flat=True).first()
    if newest is None:
        return []
    fresh = rows.filter(Q(recorded_at__gte=newest - OVERLAP))
    entries: list[TimelineEntry] = list(chosen.apply(fresh)[:NEW_AT_MOST])
    return timeline_read.views(entries)
