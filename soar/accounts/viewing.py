"""What a request sees while somebody looks at the portal as another person: that person's view, and nothing written."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from typing import Any, cast

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.translation import gettext as _

from soar.accounts.actions import viewing as actions
from soar.accounts.models import User, Viewing
from soar.errors import forbidden
from soar.lib.htmx import is_partial
from soar.lib.read_only import is_refusal, read_only

KEY = "viewing"  # in the session: the id of the Viewing
READS = ("GET", "HEAD", "OPTIONS")
# About an account and its secrets, or the session itself: these are nobody else's to see.
OWN = ("/accounts/", "/settings/tokens/", "/settings/security/", "/settings/sessions/", "/api/v1/tokens/")


class ViewAs:
    """Middleware, behind all that acts for the one who is really there. A request by a token is the token's person's
    own, whatever stands in a session beside it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """The answer."""
        with ExitStack() as request.while_viewing:  # type: ignore[attr-defined]
            return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> HttpResponse | None:
        """None lets the request pass: as the other person, in a connection that writes nothing."""
        if not _asked(request):
            return None
        viewing = actions.current(cast(User, request.user), int(request.session[KEY]))
        if viewing is None:
            return _over(request)
        request.viewing = viewing  # type: ignore[attr-defined]
        if request.path_info.startswith(reverse("view-as")):
            return None
        if request.path_info == reverse("account_logout"):
            if request.method == "POST":
                leave(request, viewing)
            return None
        refusal = _refused(request, viewing)
        if refusal is None:
            _become(request, viewing)
        return refusal

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """What the database refused to write is a refusal, not an error."""
        viewing: Viewing | None = getattr(request, "viewing", None)
        if viewing is None or not is_refusal(exception):
            return None
        return forbidden(request, PermissionDenied(_refusal(viewing)))


def _refused(request: HttpRequest, viewing: Viewing) -> HttpResponse | None:
    if request.method not in READS:
        return forbidden(request, PermissionDenied(_refusal(viewing)))
    if request.path_info.startswith(OWN):
        text = _("This is about %s's own account: nobody else sees it. Stop viewing to see yours.")
        return forbidden(request, PermissionDenied(text % viewing.person))
    return None


def _become(request: HttpRequest, viewing: Viewing) -> None:
    person = viewing.person
    person.viewer = viewing.viewer
    request.user = person
    request.while_viewing.enter_context(read_only())  # type: ignore[attr-defined]


def _over(request: HttpRequest) -> HttpResponse | None:
    """It ended by itself. What was meant for another view is not done in one's own."""
    if request.method in READS and is_partial(request):
        # A region of a page that still shows the other view: the whole page is to be loaded anew.
        return HttpResponse(status=204, headers={"HX-Refresh": "true"})
    del request.session[KEY]
    if request.method in READS:
        messages.info(request, _("You see your own view again: looking at somebody else's has ended."))
        return None
    text = _("You see your own view again: looking at somebody else's has ended. Nothing was done.")
    return forbidden(request, PermissionDenied(text))


def enter(request: HttpRequest, viewing: Viewing) -> None:
    """From the next request on, this session sees what ``viewing`` shows."""
    request.session[KEY] = viewing.pk


def leave(request: HttpRequest, viewing: Viewing) -> None:
    """Back to one's own view."""
    request.session.pop(KEY, None)
    actions.end(viewing, actions.STOPPED)


def _asked(request: HttpRequest) -> bool:
    if request.headers.get("Authorization") and request.path_info.startswith("/api/"):
        return False
    return KEY in request.session and request.user.is_authenticated


def _refusal(viewing: Viewing) -> str:
    return _("You see Soar as %s does: read only. Nothing was changed. Stop viewing to work yourself.") % viewing.person
