"""Saved views: their tabs over the queue, saving the filter as one, and the page where they are put in order."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from cases.actions import saved_views
from cases.errors import CaseError, Forbidden, Missing
from cases.filters import AlertFilter
from cases.filters_gone import gone
from cases.models import SavedView
from cases.views.alerts_queue import Queue
from cases.views.parts import person_of, signed_in_reader
from soar.accounts.membership import may, team_ids
from soar.accounts.models import Team, User
from soar.lib.htmx import is_partial, render_regions, trigger
from soar.lib.htmx import redirect as send
from soar.lib.keyset import Order
from soar.lib.paging import paged

TEMPLATE = "cases/alerts/view.html"
TABS_AT_MOST = 8
SHOWN = 30
OWN = Order("own", ("position", "id"), descending=False)
SHARED = Order("shared", ("name", "id"), descending=False, folded=("name",))
Context = dict[str, Any]


def opening(request: HttpRequest, user: User) -> str | None:
    """Where a queue without a query, or with nothing but the name of a view, leads; None to show it as it is."""
    params = request.GET
    if is_partial(request) or request.method != "GET":
        return None
    if not params:
        query = saved_views.default_query(user)
        return f"{reverse('alert-list')}?{query}" if query is not None else None
    if set(params) != {"view"} or not _number(params["view"]):
        return None
    try:
        view = saved_views.view_for(user, _number(params["view"]))
    except Missing:
        return None
    # An empty view is the queue as it is: with a query of its own, or it would lead here for ever.
    return f"{reverse('alert-list')}?{saved_views.address(view)}" if view.query else None


def tabs_context(queue: Queue) -> Context:
    """The person's views as tabs, the one that is open, whether its filter was changed, and what it names in vain."""
    views = saved_views.found_by(queue.user)
    current = next((view for view in views if view.pk == queue.view), None)
    named = bool(queue.view) and current is None
    tabs = [
        {"label": view.name, "url": f"{reverse('alert-list')}?{saved_views.address(view)}", "current": view is current,
         "shared": view.owner_id != queue.user.pk}
        for view in views
    ]  # fmt: skip
    now = queue.saved_query()
    return {
        "views": tabs[:TABS_AT_MOST],
        "more_views": tabs[TABS_AT_MOST:],
        "view": current,
        "view_changed": current is not None and current.query != now,
        "view_mine": current is not None and saved_views.may_change(queue.user, current),
        "view_gone": _("That view is gone, or no longer shared with you.") if named else "",
        "named_in_vain": gone(queue.filter, queue.user) if current is not None or queue.filter.params else [],
        "plain_url": reverse("alert-list") + ("?q=" if any(view.is_default for view in views) else ""),  # type: ignore[attr-defined]
        "query_now": now,
    }


@signed_in_reader
@require_http_methods(["GET", "HEAD", "POST"])
def view_new(request: HttpRequest) -> HttpResponse:
    """Save the filter of the queue (``query``) under a name."""
    user = person_of(request)
    if request.method != "POST":
        return _form(request, user, request.GET.get("query", ""))
    given = request.POST
    try:
        view = saved_views.create(
            user, {"name": given.get("name", ""), "query": given.get("query", ""), **_shared(given)}
        )
    except CaseError as error:
        return _form(request, user, given.get("query", ""), error)
    messages.success(request, _("%s is saved.") % view.name)
    return send(request, f"{reverse('alert-list')}?{saved_views.address(view)}")


@signed_in_reader
@require_safe
def view_list(request: HttpRequest) -> HttpResponse:
    """One's own views and those shared with one: order, default, delete, and the way to name and share them."""
    user = person_of(request)
    rows = saved_views.views_for(user)
    own = paged(request, rows.filter(owner=user), OWN, name="own", size=SHOWN, at="#own")
    shared = paged(request, rows.exclude(owner=user), SHARED, name="shared", size=SHOWN, at="#shared")
    for view in (*own.rows, *shared.rows):
        view.mine = saved_views.may_change(user, view)  # type: ignore[attr-defined]
        view.chips = AlertFilter.parse(QueryDict(view.query)).chips()  # type: ignore[attr-defined]
    lists = [("own", _("Your views"), own), ("shared", _("Shared with you"), shared)]
    shown = [{"id": name, "title": title, "page": one, "own": one is own} for name, title, one in lists if one.rows]
    return render(request, "cases/alerts/views.html", {"lists": shown})


@signed_in_reader
@require_http_methods(["GET", "HEAD", "POST"])
def view_change(request: HttpRequest, pk: int) -> HttpResponse:
    """The form for the name and who finds it. What it and the forms of the page and of the queue ask: ``do`` is save,
    query, default, no_default, up, down, delete."""
    user, given = person_of(request), request.POST
    if request.method != "POST":
        view = saved_views.view_for(user, pk, change=True)
        return _form(request, user, view.query, view=view)
    try:
        said, where = _done(user, pk, given.get("do", ""), given)
    except Missing:
        raise
    except CaseError as error:
        if given.get("do") == "save" and not isinstance(error, Forbidden):
            view = saved_views.view_for(user, pk, change=True)
            return _form(request, user, view.query, error, view=view)
        messages.warning(request, error.message)
        return send(request, reverse("view-list"))
    if said:
        messages.success(request, said)
    return send(request, where)


def _done(user: User, pk: int, what: str, given: QueryDict) -> tuple[str, str]:
    listed = reverse("view-list")
    if what == "query":
        view = saved_views.update(user, pk, {"query": given.get("query", "")})
        return _("%s is updated.") % view.name, f"{reverse('alert-list')}?{saved_views.address(view)}"
    if what == "delete":
        saved_views.delete(user, pk)
        return _("The view is deleted."), listed
    if what in ("up", "down"):
        _move(user, pk, -1 if what == "up" else 1)
        return "", listed
    if what in ("default", "no_default"):
        saved_views.update(user, pk, {"default": what == "default"})
        return "", listed
    view = saved_views.update(user, pk, {"name": given.get("name", ""), **_shared(given)})
    return _("%s is saved.") % view.name, listed


def _move(user: User, pk: int, step: int) -> None:
    own = list(SavedView.objects.filter(owner=user).order_by("position", "pk").values_list("pk", flat=True))
    if pk in own:
        here = own.index(pk)
        there = min(max(here + step, 0), len(own) - 1)
        own[here], own[there] = own[there], own[here]
        saved_views.reorder(user, own)


def _shared(given: QueryDict) -> dict[str, Any]:
    """``share`` is me, all, or the id of a team."""
    share = given.get("share", "me")
    if share in ("me", "all"):
        return {"audience": share}
    team = Team.objects.filter(pk=_number(share)).first()
    return {"audience": "team", "team": team}


def _audiences(user: User, view: SavedView | None) -> list[tuple[str, str]]:
    """With whom the person may share, and with whom the view is shared now."""
    everybody = may(user, "manage_settings")
    teams = Team.objects.all() if everybody else Team.objects.filter(pk__in=team_ids(user))
    found = {team.pk: team.name for team in teams} if may(user, "work_cases") else {}
    if view is not None and view.team is not None:
        found.setdefault(view.team.pk, view.team.name)
    shares = [("me", _("Me")), *((str(pk), _("Team %s") % name) for pk, name in found.items())]
    return [*shares, ("all", _("Everybody"))] if everybody or (view and view.audience == "all") else shares


def _form(
    request: HttpRequest, user: User, query: str, error: CaseError | None = None, *, view: SavedView | None = None
) -> HttpResponse:
    """Name and audience of a new view, or of one that there is; what was typed stays when it was refused."""
    chosen = AlertFilter.parse(QueryDict(query[: saved_views.QUERY_AT_MOST]))
    audience = (str(view.team_id) if view.team_id else view.audience) if view else "me"
    context = {
        "query": query, "chips": chosen.chips(), "name": request.POST.get("name", view.name if view else ""),
        "error": error.message if error else "", "shares": _audiences(user, view), "view": view,
        "share": request.POST.get("share", audience),
        "post_url": reverse("view-change", args=[view.pk]) if view else reverse("view-new"),
        "back_url": reverse("view-list") if view else f"{reverse('alert-list')}?{query}",
    }  # fmt: skip
    status = 422 if error else 200
    if is_partial(request):
        answer = render_regions(request, TEMPLATE, ["form"], context, status=status)
        answer["HX-Retarget"], answer["HX-Reswap"] = "#dialog", "innerHTML"
        return answer if error else trigger(answer)
    return render(request, TEMPLATE, context, status=status)


def _number(text: str) -> int:
    return int(text) if text.isdecimal() and len(text) < 18 else 0
