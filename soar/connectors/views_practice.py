"""What the practice range was told: mails, cards and posts, for people who may see cases. Only where it runs."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from soar.connectors import showing
from soar.connectors.practice_messages import READERS, Shown, messages_of
from soar.connectors.practice_servicenow import KIND as TICKETS
from soar.connectors.views_accounts import user_of
from soar.connectors.views_practice_servicenow import show_home
from soar.lib.http import RemoteError
from soar.standins import folder

PAGES = (*READERS, TICKETS)
# A mail is shown as its own page that may do nothing but look like something.
ALONE = "sandbox allow-popups allow-top-navigation-by-user-activation; default-src 'none'; style-src 'unsafe-inline'"


@require_safe
def practice_home(request: HttpRequest) -> HttpResponse:
    """The messages of one stand-in; ``of`` is its kind."""
    places = _places(request)
    chosen = request.GET.get("of", "smtp")
    if chosen not in places:
        raise Http404
    tabs = [(kind, showing.kind_label(kind)) for kind in places]
    if chosen == TICKETS:
        return show_home(request, tabs)
    found, problem = _read(chosen, places[chosen])
    others = [showing.kind_label(kind) for kind in folder.running() if kind not in PAGES]
    context = {"tabs": tabs, "current": chosen, "messages_shown": found, "problem": problem, "others": others}
    return render(request, "connectors/practice.html", context)


@require_safe
def practice_mail(request: HttpRequest, number: int) -> HttpResponse:
    """The HTML of one mail, as a mail program would show it."""
    found, _problem = _read("smtp", _places(request)["smtp"])
    mail = next((one for one in found if one.id == number and one.html), None)
    if mail is None:
        raise Http404
    return HttpResponse(mail.html, headers={"Content-Security-Policy": ALONE})


def _places(request: HttpRequest) -> dict[str, dict[str, str]]:
    """Where the stand-ins are that have a page: they keep messages, or tickets."""
    if not user_of(request).has_perm("accounts.view_cases"):
        raise PermissionDenied
    running = folder.running()
    found: dict[str, Any] = {kind: running[kind] for kind in PAGES if kind in running}
    if not found:
        raise Http404
    return found


def _read(kind: str, place: dict[str, str]) -> tuple[list[Shown], str]:
    try:
        return messages_of(kind, place), ""
    except (RemoteError, KeyError, TypeError):
        return [], _("The practice range does not answer now. It is started again by itself.")
