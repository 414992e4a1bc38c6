"""All links of incidents and tickets: filter, search, paging; and those that were taken away."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery
from django.db.models.aggregates import Count
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from cases.actions.servicenow_access import failed, links_seen, open_conflicts
from cases.models import LinkState, ServiceNowInstance, TicketChange, TicketConflict, TicketLink
from cases.models.servicenow_traffic import ChangeState
from cases.querysets import capped_count
from cases.restricted_views import note_rows
from cases.ticket_words import host_of, ticket_url
from cases.views.parts import person_of, signed_in_reader
from cases.views.servicenow.looks import Look, look_of
from cases.views.servicenow.tabs import tabs
from soar.lib.htmx import is_partial, live, render_regions
from soar.lib.keyset import BadCursor, Order, Page, keyset_page

TEMPLATE = "servicenow/links.html"
NEWEST = Order("newest", ("id",))
SIZE = 50
HEAVY = (
    "instance__vocabulary",
    "incident__summary",
    "base",
    "pending",
    "theirs",
    "profile__maps",
    "profile__description",
)
SEARCH_AT_MOST = 100
NUMBER = re.compile(r"(?:INC-)?([0-9]{1,18})", re.IGNORECASE)
STATES = {
    "": gettext_lazy("Linked now"),
    "waiting": gettext_lazy("With waiting changes"),
    "failed": gettext_lazy("Failed or broken"),
    "conflict": gettext_lazy("In conflict"),
    "creating": gettext_lazy("Being created"),
    "ended": gettext_lazy("Unlinked"),
}


@dataclass(frozen=True, slots=True)
class LinkRow:
    """A line of the list."""

    link: TicketLink
    url: str
    host: str
    look: Look
    waiting: int


@signed_in_reader
@require_safe
def link_list(request: HttpRequest) -> HttpResponse:
    """The list; ``q`` is a number of an incident or ticket, or words of a title."""
    user = person_of(request)
    chosen = {
        name: request.GET.get(name, "").replace("\x00", "")[:SEARCH_AT_MOST] for name in ("q", "state", "instance")
    }
    chosen["state"] = chosen["state"] if chosen["state"] in STATES else ""
    rows = with_figures(_filtered(links_seen(user), chosen))
    page, wrong = _page(rows, request.GET.get("cursor", ""))
    query = urlencode({name: value for name, value in chosen.items() if value})
    note_rows(user, [one.incident for one in page.rows])
    total = capped_count(_filtered(links_seen(user), chosen))
    context = {
        "rows": [_row(one) for one in page.rows],
        "total": total,
        "picked": chosen,
        "query": query,
        "states": STATES.items(),
        "instances": [(one.slug, host_of(one.account.settings.get("url"))) for one in _instances()],
        "newer_url": _url(query, page.previous),
        "older_url": _url(query, page.next),
        "wrong": wrong,
    }
    if is_partial(request):
        said = live(f"{total[0]}{'+' if total[1] else ''}")
        return render_regions(request, TEMPLATE, ["rows"], context, extra=[said])
    return render(request, TEMPLATE, {**tabs(user, "links"), **context})


def with_figures(rows: QuerySet[TicketLink]) -> QuerySet[TicketLink]:
    """With what tells how a link does: what waits, whether something failed, whether a conflict is open."""
    changes = TicketChange.objects.filter(link=OuterRef("pk"))
    waits = changes.filter(state__in=(ChangeState.WAITING, ChangeState.SENDING))
    counted = waits.order_by().values("link").annotate(n=Count("pk")).values("n")
    return (
        rows.select_related("incident", "instance__account", "profile")
        .defer(*HEAVY)
        .annotate(
            waiting=Coalesce(Subquery(counted), 0),
            has_failed=Exists(failed(changes)),
            has_conflict=Exists(open_conflicts(TicketConflict.objects.filter(link=OuterRef("pk")))),
        )
    )


def _filtered(rows: QuerySet[TicketLink], chosen: dict[str, str]) -> QuerySet[TicketLink]:
    rows = rows.filter(state=LinkState.ENDED) if chosen["state"] == "ended" else rows.exclude(state=LinkState.ENDED)
    if chosen["state"] == "waiting":
        open_changes = TicketChange.objects.filter(
            link=OuterRef("pk"), state__in=(ChangeState.WAITING, ChangeState.SENDING)
        )
        rows = rows.filter(Exists(open_changes))
    elif chosen["state"] == "failed":
        refused = failed(TicketChange.objects.filter(link=OuterRef("pk")))
        rows = rows.filter(Q(state=LinkState.BROKEN) | Exists(refused))
    elif chosen["state"] == "conflict":
        rows = rows.filter(Exists(open_conflicts(TicketConflict.objects.filter(link=OuterRef("pk")))))
    elif chosen["state"] == "creating":
        rows = rows.filter(state=LinkState.CREATING)
    if chosen["instance"]:
        rows = rows.filter(instance__slug=chosen["instance"])
    return _searched(rows, chosen["q"].strip())


def _searched(rows: QuerySet[TicketLink], text: str) -> QuerySet[TicketLink]:
    if not text:
        return rows
    wanted = Q(number__icontains=text) | Q(incident__title__icontains=text) | Q(sys_id=text.lower())
    number = NUMBER.fullmatch(text)
    return rows.filter(wanted | Q(incident=int(number[1])) if number else wanted)


def _page(rows: QuerySet[TicketLink], cursor: str) -> tuple[Page[TicketLink], bool]:
    try:
        return keyset_page(rows, NEWEST, cursor, SIZE), False
    except BadCursor:
        return keyset_page(rows, NEWEST, "", SIZE), True


def _row(link: Any) -> LinkRow:
    host = host_of(link.instance.account.settings.get("url"))
    return LinkRow(link, ticket_url(link), host, look_of(link), link.waiting)


def _instances() -> QuerySet[ServiceNowInstance]:
    return ServiceNowInstance.objects.select_related("account").order_by("slug")


def _url(query: str, cursor: str) -> str:
    if not cursor:
        return ""
    return f"{reverse('servicenow-links')}?{query}{'&' if query else ''}cursor={cursor}"
