"""What a signed-in person passes: their session is noted, a second factor that is missing comes first, and what
matters asks for a fresh login. The API asks the same in soar.accounts.authentication."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import reverse

from soar.accounts import fresh, sessions
from soar.accounts.second_factor import is_missing
from soar.lib.htmx import redirect

GetResponse = Callable[[HttpRequest], HttpResponseBase]
ELSEWHERE = ("/api/", "/static/")
# All that somebody can do who has yet to set up a second factor.
SETTING_UP = {
    "mfa_index", "mfa_activate_totp", "mfa_add_webauthn", "mfa_view_recovery_codes", "mfa_generate_recovery_codes",
    "account_logout", "account_reauthenticate", "mfa_reauthenticate", "oidc_confirm", "openid_connect_callback",
    "theme",
}  # fmt: skip


class SignedIn:
    """Stands right behind the login, before anything acts for the person or in somebody else's place."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """The answer."""
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> HttpResponse | None:
        """None lets the request pass."""
        if request.path_info.startswith(ELSEWHERE) or not request.user.is_authenticated:
            return None
        sessions.note(request, request.user)
        name = request.resolver_match.url_name if request.resolver_match else ""
        if name in SETTING_UP or not is_missing(request, request.user):
            return None
        return redirect(request, reverse("mfa_index"))


class FreshLogin:
    """Stands behind django-allauth's middleware, whose confirmation it uses."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """The answer."""
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> HttpResponse | None:
        """None lets the request pass."""
        name = request.resolver_match.url_name if request.resolver_match else ""
        if not fresh.is_asked(request, name or "") or not request.user.is_authenticated or fresh.is_fresh(request):
            return None
        return fresh.ask(request)
