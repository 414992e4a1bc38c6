"""The list of incidents: tabs, filters, facets, rows, and what is new since it was opened (casework.md 6)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_safe

from cases.choices import Determination, IncidentStatus, Severity
from cases.incident_figures import Figures, figures_of
from cases.incident_filters import IncidentFilter
from cases.models import Incident, IncidentOwner, IncidentTask
from cases.restricted_views import note_rows
from cases.views import sla_parts
from cases.views.hidden import hidden_url
from cases.views.parts import person_of, signed_in_reader
from soar.accounts.membership import may
from soar.accounts.models import Team, User
from soar.lib import parts
from soar.lib.clock import moment_of
from soar.lib.htmx import is_partial, is_typing, live, push_url, render_regions
from soar.lib.keyset import BadCursor, Order, Page, keyset_page

TEMPLATE = "cases/incidents/list.html"
SIZE = 50
ORDERS = {
    "severity": Order("severity", ("severity", "id")),
    "changed": Order("changed", ("updated_at", "id")),
    "number": Order("number", ("id",)),
    "due": Order("due", ("sla_due_at", "id"), descending=False),
}
SLA_LABELS = {
    "breached": gettext_lazy("Overdue"),
    "at_risk": gettext_lazy("At risk"),
    "ok": gettext_lazy("In time"),
    "paused": gettext_lazy("Paused"),
    "missed": gettext_lazy("A target was missed"),
    "none": gettext_lazy("Nothing due"),
    "urgent": gettext_lazy("Overdue or at risk"),
}
AT_RISK = "sla=urgent"
TABS = ("open", "mine", "unowned", "closed")
ENDED = Q(status__gte=IncidentStatus.RESOLVED)


@dataclass(frozen=True, slots=True)
class Row:
    """What a row shows, finished: rendering is the cost of a list, not its queries."""

    incident: Incident
    url: str
    severity: str
    state: str
    determination: str
    tasks: str
    owners: str
    due: str
    changed: str


@signed_in_reader
@require_safe
def incident_list(request: HttpRequest) -> HttpResponse:
    """The page, or for htmx its rows with what stands around them. 204 for a filter that makes no sense yet."""
    context = _context(request, person_of(request))
    if context["filter"].errors and is_typing(request):
        return HttpResponse(status=204)
    if not is_partial(request):
        return render(request, TEMPLATE, context)
    said = ngettext("%(n)s incident", "%(n)s incidents", context["shown"]) % {"n": context["shown"]}
    answer = render_regions(request, TEMPLATE, ["rows", "tabs", "counts", "new"], context, extra=[live(said)])
    return push_url(answer, request.get_full_path())


@signed_in_reader
@require_safe
def incident_new_since(request: HttpRequest) -> HttpResponse:
    """How many of this list are new or changed since it was loaded; 204 when none."""
    user = person_of(request)
    since = moment_of(request.GET.get("since", "").replace(" ", "+"))
    if since is None:
        return HttpResponse(status=204)
    rows, _tab, _filter = selected(request, user)
    news = rows.filter(updated_at__gt=since).aggregate(
        new=Count("pk", filter=Q(created_at__gt=since)), changed=Count("pk", filter=Q(created_at__lte=since))
    )
    if not any(news.values()):
        return HttpResponse(status=204)
    back = _query(request, without=("since", "cursor"))
    context = {"news": news, "list_url": f"{reverse('incident-list')}?{back}", "since": since.isoformat()}
    return render_regions(request, TEMPLATE, ["new"], {**context, "poll_query": _query(request, without=("since",))})


def _context(request: HttpRequest, user: User) -> dict[str, Any]:
    now = timezone.now()
    rows, tab, chosen = selected(request, user)
    order = order_of(request, tab)
    page, notice = _page(rows, order, request.GET.get("cursor", ""))
    note_rows(user, page.rows)
    figures = figures_of(
        rows, user, whole=tab == "open" and not (chosen.params or chosen.errors), closed=tab == "closed"
    )
    return {
        "tab": tab,
        "tabs": _tabs(figures, "urgent" if tab == "open" and chosen.query_string() == AT_RISK else tab),
        "filter": chosen,
        "chips": [
            {"label": chip.label, "value": chip.value, "remove_url": _url(tab, chip.remove)} for chip in chosen.chips()
        ],
        "facets": _facets(figures, chosen, tab),
        "rows": _rows(page.rows, now),
        "shown": len(page.rows),
        "total": figures.total,
        "sort": order.name,
        "sort_urls": {name: _url(tab, chosen.query_string(), sort=name) for name in ORDERS},
        "newer_url": _url(tab, chosen.query_string(), sort=order.name, cursor=page.previous) if page.previous else "",
        "older_url": _url(tab, chosen.query_string(), sort=order.name, cursor=page.next) if page.next else "",
        "notice": notice,
        "export_url": f"{reverse('incident-export')}?{_query(request, without=('cursor', 'since'))}"
        if may(user, "export")
        else "",
        "since": now.isoformat(),
        "poll_query": _query(request, without=("since",)),
        "may_work": may(user, "work_cases"),
        "hidden_url": hidden_url(user, "incident-hidden", _query(request, without=("cursor", "sort"))),
        **_choices(user),
    }


def order_of(request: HttpRequest, tab: str) -> Order:
    """The order that is asked for; without one what is urgent first, of what ended what changed last."""
    return ORDERS.get(request.GET.get("sort", ""), ORDERS["changed" if tab == "closed" else "severity"])


def selected(request: HttpRequest, user: User) -> tuple[QuerySet[Incident], str, IncidentFilter]:
    """The incidents of the tab that match the filter. A filter that names states is not narrowed by the tab."""
    chosen = IncidentFilter.parse(request.GET)
    tab = request.GET.get("tab", "open")
    tab = tab if tab in TABS else "open"
    rows = Incident.objects.visible_to(user)
    if tab == "closed":
        rows = rows.filter(ENDED)
    elif not chosen.names_status:
        rows = rows.open()
    if tab == "mine":
        rows = rows.filter(owner_rows__user=user)
    elif tab == "unowned":
        rows = rows.filter(owner_rows=None)
    return chosen.apply(rows, user), tab, chosen


def _page(rows: QuerySet[Incident], order: Order, cursor: str) -> tuple[Page[Incident], str]:
    rows = rows.with_row_data()  # type: ignore[attr-defined]
    try:
        return keyset_page(rows, order, cursor, SIZE), ""
    except BadCursor:
        return keyset_page(rows, order, "", SIZE), _("That page of the list is no longer there; this is its beginning.")


def _rows(incidents: Sequence[Incident], now: datetime) -> list[Row]:
    found = IncidentTask.objects.filter(incident__in=incidents).order_by().values_list("incident")
    counts = {pk: (done, n) for pk, done, n in found.annotate(done=Count("done_at"), n=Count("pk"))}
    return [_row(incident, now, *counts.get(incident.pk, (0, 0))) for incident in incidents]


def _row(incident: Incident, now: datetime, done: int, tasks: int) -> Row:
    owners = [row.user for row in incident.owner_rows.all()]
    faces = "".join(parts.face(user) for user in owners[:3]) if owners else parts.face(None)
    more = f'<span class="small">+{len(owners) - 3}</span>' if len(owners) > 3 else ""
    verdict = Determination(incident.determination)
    return Row(
        incident,
        reverse("incident-detail", args=[incident.number]),
        parts.sev(Severity(incident.severity).word),
        parts.state(IncidentStatus(incident.status).word),
        parts.label(verdict.word).lower() if verdict else "",
        f"{done}/{tasks}" if tasks else "",
        mark_safe(f'<span class="faces">{faces}{more}</span>'),  # noqa: S308  made of finished parts
        sla_parts.cell(incident, now),
        parts.ago(incident.updated_at, now),
    )


def _tabs(figures: Figures, current: str) -> list[dict[str, Any]]:
    """Open, mine, unowned, at risk and closed, with figures over what is still work."""
    names = {
        "open": _("Open"),
        "mine": _("Mine"),
        "unowned": _("Unowned"),
        "urgent": _("SLA at risk"),
        "closed": _("Closed"),
    }
    urls = {name: _url(name, "") for name in TABS} | {"urgent": _url("open", AT_RISK, sort="due")}
    return [
        {"name": name, "label": label, "n": figures.tabs.get(name), "url": urls[name], "current": name == current}
        for name, label in names.items()
    ]


def _facets(figures: Figures, chosen: IncidentFilter, tab: str) -> list[dict[str, Any]]:
    """Severities of the list with their figures; only for open work."""
    current = chosen.params.get("severity", [])
    facets = []
    for severity in reversed(Severity):
        if number := figures.severities.get(severity):
            on = severity.word in current
            query = chosen.query_string(without="severity") if on else chosen.query_string(severity=severity.word)
            facet = {"severity": severity, "sign": f"sev-{severity.word}", "url": _url(tab, query), "current": on}
            facets.append({**facet, "n": number})
    return facets


def _choices(user: User) -> dict[str, Any]:
    """What the filter menus offer."""
    seen = IncidentOwner.objects.filter(incident__in=Incident.objects.visible_to(user)).values("user")
    people = User.objects.filter(is_active=True, pk__in=seen).order_by("username")[:30]
    return {
        "statuses": [(status.word, _(str(status.label))) for status in IncidentStatus],
        "sla_words": SLA_LABELS.items(),
        "people": people,
        "teams": Team.objects.all()[:50],
    }


def _url(tab: str, query: str, **more: str) -> str:
    extra = urlencode({**({"tab": tab} if tab != "open" else {}), **{k: v for k, v in more.items() if v}})
    joined = "&".join(part for part in (query, extra) if part)
    return reverse("incident-list") + (f"?{joined}" if joined else "")


def _query(request: HttpRequest, without: tuple[str, ...]) -> str:
    """The query string of the request without some names."""
    given = request.GET.copy()
    for name in without:
        given.pop(name, None)
    return given.urlencode()
