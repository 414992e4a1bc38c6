"""Pages of the frame itself: theme, keyboard help, the other places on a phone."""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth.decorators import login_not_required, login_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.safestring import mark_safe
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST, require_safe

from soar import nav
from soar.accounts.actions.own import set_theme
from soar.lib.htmx import is_partial
from soar.theme import COOKIE, THEMES

OOB = mark_safe(' hx-swap-oob="true"')
SHORTCUTS = (
    (_("Move in the list"), ("j", "k")),
    (_("Select the row"), ("x",)),
    (_("Select all rows from there to here"), ("Shift", "x")),
    (_("Open it"), ("Enter",)),
    (_("Assign to me"), ("a",)),
    (_("Resolve"), ("r",)),
    (_("Escalate to an incident"), ("e",)),
    (_("To the filter"), ("/",)),
    (_("Open or close the facets"), ("f",)),
    (_("Clear the selection, close the panel"), ("Esc",)),
    (_("These keys"), ("?",)),
    *((entry.label, ("g", entry.go)) for group in nav.GROUPS for entry in group.entries if entry.go),
)


@require_safe
def nav_counts(request: HttpRequest) -> HttpResponse:
    """The figures of the navigation, for a page that stays open; 204 while they are those of ``shown``."""
    places = [place for _label, found in nav.places(request.user, "") for place in found if place.counted]
    figures = nav.counted(places, request.user)
    counts = [(place, figures.get(place.entry.url_name)) for place in places]
    url = nav.counts_url(counts)
    if request.get_full_path() == url:
        return HttpResponse(status=204)
    context = {"places": counts, "counts_url": url, "oob": OOB}
    return render(request, "components/nav_counts.html", context)


@login_not_required
@require_POST
def theme(request: HttpRequest) -> HttpResponse:
    """Choose light, dark or auto: for the person when signed in, and for this browser by a cookie."""
    chosen = request.POST.get("theme", "")
    if chosen not in THEMES:
        return HttpResponseBadRequest("theme is auto, light or dark")
    if request.user.is_authenticated:
        set_theme(request.user, chosen)
    response = HttpResponse(status=204) if is_partial(request) else redirect(_back(request))
    year = 365 * 86400
    secure = settings.SESSION_COOKIE_SECURE
    response.set_cookie(COOKIE, chosen, max_age=year, samesite="Lax", secure=secure, httponly=True)
    return response


def _back(request: HttpRequest) -> str:
    """The page the form was on, when it is one of ours."""
    url = request.headers.get("Referer", "")
    ours = url_has_allowed_host_and_scheme(url, {request.get_host()}, request.is_secure())
    return url if ours else "/"


@login_not_required
def nothing(request: HttpRequest, **_more: str) -> HttpResponse:
    """404, for pages of a library that this portal does not have."""
    raise Http404


@login_required
@require_safe
def shortcuts(request: HttpRequest) -> HttpResponse:
    """The keys: a page, or for htmx the inside of a dialog."""
    name = "shortcuts.html#keys" if is_partial(request) else "shortcuts.html"
    return render(request, name, {"shortcuts": SHORTCUTS})


@login_required
@require_safe
def more(request: HttpRequest) -> HttpResponse:
    """All places, for a phone where the sidebar is a bar of a few."""
    return render(request, "more.html", {"groups": list(nav.places(request.user, request.path)), "themes": _themes()})


def _themes() -> list[tuple[str, object]]:
    return [("auto", _("By the system")), ("light", _("Light")), ("dark", _("Dark"))]
