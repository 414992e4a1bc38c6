"""Assets: the list, and one with its facts, alerts, incidents and history."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_safe

from cases.asset_access import asset_for
from cases.asset_filters import AssetFilter
from cases.choices import Criticality, IncidentStatus, Severity
from cases.first_seen import known_since
from cases.models import Alert, Asset, AssetGroup, Incident
from cases.permissions import incident_for
from cases.querysets import AssetQuerySet, capped_count
from cases.restricted_views import note_rows
from cases.views import asset_parts
from cases.views.incident_alert_parts import alert_rows
from cases.views.parts import person_of, signed_in_reader
from soar.accounts.membership import may
from soar.accounts.models import User
from soar.lib import parts
from soar.lib.htmx import is_partial, is_typing, live, push_url, render_regions
from soar.lib.keyset import BadCursor, Order, Page, keyset_page

TEMPLATE = "cases/assets/list.html"
SHOWN = 50
ORDERS = {
    "name": Order("name", ("key",), descending=False),
    "criticality": Order("criticality", ("criticality", "id")),
    "new": Order("new", ("id",)),
}
GROUPS_SHOWN = 200


@signed_in_reader
@require_safe
def asset_list(request: HttpRequest) -> HttpResponse:
    """The page, or for htmx its rows with the figure of the head. 204 for a filter that makes no sense yet."""
    context = _context(request, person_of(request))
    if context["filter"].errors and is_typing(request):
        return HttpResponse(status=204)
    if not is_partial(request):
        return render(request, TEMPLATE, context)
    said = ngettext("%(n)s asset", "%(n)s assets", len(context["rows"])) % {"n": len(context["rows"])}
    answer = render_regions(request, TEMPLATE, ["rows", "counts"], context, extra=[live(said)])
    return push_url(answer, request.get_full_path())


@signed_in_reader
@require_safe
def asset_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One asset with what this person may see of where it was named."""
    user = person_of(request)
    return render(request, "cases/assets/detail.html", _detail(user, asset_for(user, pk)))


def _context(request: HttpRequest, user: User) -> dict[str, Any]:
    chosen = AssetFilter.parse(request.GET)
    rows = chosen.apply(Asset.objects.visible_to(user))
    incident = incident_for(user, request.GET["incident"]) if request.GET.get("incident") else None
    if incident is not None:
        rows = rows.filter(pk__in=asset_parts.ids_of_incident(incident))
    assert isinstance(rows, AssetQuerySet)
    order = ORDERS.get(request.GET.get("sort", ""), ORDERS["name"])
    page, notice = _page(rows, order, request.GET.get("cursor", ""))
    more = {"sort": order.name, "incident": incident.number if incident else ""}
    counts = asset_parts.open_alerts(user, [asset.pk for asset in page.rows])
    return {
        "filter": chosen,
        "incident": incident,
        "chips": [
            {"label": _(chip.label), "value": chip.value, "remove_url": _url(chip.remove, **more)}
            for chip in chosen.chips()
        ],
        "rows": [asset_parts.line(asset, counts.get(asset.pk)) for asset in page.rows],
        "total": capped_count(rows),
        "sort": order.name,
        "sort_urls": {name: _url(chosen.query_string(), **{**more, "sort": name}) for name in ORDERS},
        "newer_url": _url(chosen.query_string(), **more, cursor=page.previous) if page.previous else "",
        "older_url": _url(chosen.query_string(), **more, cursor=page.next) if page.next else "",
        "notice": notice,
        "levels": [(one.word, _(str(one.label))) for one in reversed(Criticality)],
        "groups": list(AssetGroup.objects.values_list("name", flat=True)[:GROUPS_SHOWN]),
        "may_work": may(user, "work_cases"),
        "can_respond": may(user, "respond"),
        "may_import": may(user, "manage_settings"),
    }


def _page(rows: AssetQuerySet, order: Order, cursor: str) -> tuple[Page[Asset], str]:
    try:
        return keyset_page(rows, order, cursor, SHOWN), ""
    except BadCursor:
        return keyset_page(rows, order, "", SHOWN), _(
            "That page of the list is no longer there; this is its beginning."
        )


def _url(query: str, **more: str) -> str:
    extra = urlencode({name: value for name, value in more.items() if value and value != "name"})
    joined = "&".join(part for part in (query, extra) if part)
    return reverse("asset-list") + (f"?{joined}" if joined else "")


def _detail(user: User, asset: Asset) -> dict[str, Any]:
    alerts = Alert.objects.visible_to(user).filter(asset_links__asset=asset)
    seen = Incident.objects.visible_to(user)
    through = seen.filter(alerts__asset_links__asset=asset).values("pk")
    own = seen.filter(asset_links__asset=asset).values("pk")
    incidents = Incident.objects.filter(Q(pk__in=through) | Q(pk__in=own)).order_by("-pk").defer("summary")[:SHOWN]
    note_rows(user, incidents)
    return {
        "asset": asset,
        "since": known_since(user, asset),
        "icon": asset_parts.icon_of(asset),
        "criticality": asset_parts.criticality(asset.criticality),
        "alerts": alert_rows(user, [(alert, "") for alert in alerts.with_line_data().order_by("-pk")[:SHOWN]]),
        "open_count": capped_count(alerts.queued()),
        "alert_count": capped_count(alerts),
        "incidents": [_incident(one) for one in incidents],
        "changes": asset_parts.changes(asset.changes.order_by("-pk")[:SHOWN]),
        "can_work": may(user, "work_cases"),
        "can_remove": asset.listed and may(user, "manage_settings"),
    }


def _incident(incident: Incident) -> dict[str, Any]:
    return {
        "number": incident.number,
        "title": incident.title,
        "severity": parts.sev(Severity(incident.severity).word, hidden=True),
        "state": parts.state(IncidentStatus(incident.status).word),
        "age": parts.ago(incident.created_at),
    }
