"""All conflicts: those to decide, and how the others ended."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from cases.views.parts import person_of, signed_in_reader
from cases.views.servicenow import conflicts
from cases.views.servicenow.tabs import tabs
from soar.accounts.models import User
from soar.lib.htmx import render_regions
from soar.lib.keyset import BadCursor, Order, keyset_page

TEMPLATE = "servicenow/conflicts.html"
NEWEST = Order("newest", ("id",))


@signed_in_reader
@require_safe
def conflict_list(request: HttpRequest) -> HttpResponse:
    """Open ones, or with ``settled`` the others, newest first."""
    user = person_of(request)
    if not request.GET.get("settled"):
        rows = conflicts.open_rows(user)
        return render(request, TEMPLATE, {**_head(user, rows), "rows": rows, "cursor": _mark(rows)})
    try:
        page = keyset_page(conflicts.settled(user), NEWEST, request.GET.get("cursor", ""))
    except BadCursor:
        page = keyset_page(conflicts.settled(user), NEWEST)
    found = conflicts.settled(user).filter(pk__in=[one.pk for one in page.rows]).order_by("-pk")
    context = {
        "settled": True,
        "rows": conflicts.rows_of(user, found),
        "newer_url": _url(page.previous),
        "older_url": _url(page.next),
    }
    return render(request, TEMPLATE, {**tabs(user, "conflicts"), **context})


@signed_in_reader
@require_safe
def conflict_live(request: HttpRequest) -> HttpResponse:
    """The poll of the open ones."""
    user = person_of(request)
    rows = conflicts.open_rows(user)
    if _mark(rows) == request.GET.get("cursor", ""):
        return HttpResponse(status=204)
    context = {**_head(user, rows), "rows": rows, "cursor": _mark(rows), "live": True}
    return render_regions(request, TEMPLATE, ["live", "tabs", "rows"], context)


def _head(user: User, rows: list[conflicts.ConflictRow]) -> dict[str, Any]:
    return tabs(user, "conflicts", conflicts=len(rows) if len(rows) < conflicts.SHOWN else None)


def _mark(rows: list[conflicts.ConflictRow]) -> str:
    return "-".join(str(one.conflict.pk) for one in rows) or "0"


def _url(cursor: str) -> str:
    return f"{reverse('servicenow-conflicts')}?settled=1&cursor={cursor}" if cursor else ""
