"""Who calls the API: bearer tokens of people."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from soar.accounts.models import ApiToken, User
from soar.accounts.tokens import digest

# A use is written at most once a minute: an update per call would cost more than the call.
USE_GRAIN = timedelta(minutes=1)


class TokenAuthentication(BaseAuthentication):
    """``Authorization: Bearer <token>``. A missing header leaves the session login to decide."""

    def authenticate(self, request: Request) -> tuple[User, ApiToken] | None:
        """The token's user and the token. Raises AuthenticationFailed for a wrong, expired or revoked one."""
        scheme, _, value = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            return None
        token = find(value.strip())
        if token is None:
            raise AuthenticationFailed("The token is not known, has expired or was revoked.")
        note_use(token)
        token.user.token_scopes = frozenset(token.scopes) if token.scopes else None
        return token.user, token

    def authenticate_header(self, request: Request) -> str:
        """What a 401 asks for."""
        return 'Bearer realm="soar"'


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
