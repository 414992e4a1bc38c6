"""Who calls the API: bearer tokens of people, and people signed in to the pages.

Tokens are not asked for a second factor or a fresh login, which nobody could give: making one is."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from rest_framework import authentication
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed, PermissionDenied
from rest_framework.request import Request

from soar.accounts import fresh, second_factor, sessions
from soar.accounts.models import ApiToken, User
from soar.accounts.tokens import digest
from soar.lib.context import via

# A use is written at most once a minute: an update per call would cost more than the call.
USE_GRAIN = timedelta(minutes=1)
SECOND_FACTOR, FRESH_LOGIN = "second_factor_needed", "fresh_login_needed"


class TokenAuthentication(BaseAuthentication):
    """``Authorization: Bearer <token>``. A missing header leaves the session login to decide."""

    def authenticate(self, request: Request) -> tuple[User, ApiToken] | None:
        """The token's user and the token. Raises AuthenticationFailed for a wrong, expired or revoked one."""
        scheme, _, value = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            return None
        token = find(value.strip())
        if token is None:
            raise AuthenticationFailed(gettext("The token is not known, has expired or was revoked."))
        note_use(token)
        via.set(token.name)
        token.user.token_scopes = frozenset(token.scopes) if token.scopes else None
        return token.user, token

    def authenticate_header(self, request: Request) -> str:
        """What a 401 asks for."""
        return 'Bearer realm="soar"'


class SessionAuthentication(authentication.SessionAuthentication):
    """Somebody signed in to the pages. What the pages ask of them first, the API asks too, in words."""

    def authenticate(self, request: Request) -> tuple[User, None] | None:
        """The person. Raises PermissionDenied: 403 with ``code`` second_factor_needed or fresh_login_needed."""
        found: tuple[User, None] | None = super().authenticate(request)
        if found is None:
            return None
        plain = request._request
        if getattr(found[0], "viewer", None) is not None:  # soar.accounts.viewing: nothing is written for them
            return found
        sessions.note(plain, found[0])
        if second_factor.is_missing(plain, found[0]):
            raise PermissionDenied(_("Set up a second factor first: a role of yours asks for one."), SECOND_FACTOR)
        name = plain.resolver_match.url_name if plain.resolver_match else ""
        if fresh.is_asked_of_call(plain, name or "") and not fresh.is_fresh(plain):
            raise PermissionDenied(_("Your login is too old for this. Confirm it is you, or use a token."), FRESH_LOGIN)
        return found


def find(value: str) -> ApiToken | None:
    """The usable token with this value, or None (unknown, expired, revoked, user disabled)."""
    token = ApiToken.objects.select_related("user").filter(digest=digest(value), revoked_at=None).first()
    if token is None or not token.user.is_active:
        return None
    if token.expires_at and token.expires_at <= timezone.now():
        return None
    return token


def note_use(token: ApiToken) -> None:
    """Write the time of use, at most once a minute."""
    now = timezone.now()
    if token.last_used_at is None or now - token.last_used_at > USE_GRAIN:
        ApiToken.objects.filter(pk=token.pk).update(last_used_at=now)
