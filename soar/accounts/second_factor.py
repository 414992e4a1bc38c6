"""Who must have a second factor, by role, and who lacks it (access.md 1)."""

from __future__ import annotations

from allauth.mfa.models import Authenticator
from django.db.models import Exists, OuterRef, Q
from django.http import HttpRequest

from soar.accounts.models import Role, User

LACKS = "_lacks_second_factor"
# Recovery codes alone are none: they are made with the first real one, and help when that is lost.
REAL = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)
VOUCHED = "second_factor_vouched"  # in a session: whom the provider of single sign-on has asked for it


def lacking() -> Q:
    """Of a query of users: a role of theirs asks for a second factor, and they have none."""
    asked = Role.objects.filter(second_factor=True, group__user=OuterRef("pk"))
    held = Authenticator.objects.filter(user=OuterRef("pk"), type__in=REAL)
    return Exists(asked) & ~Exists(held)


def lacks(user: User) -> bool:
    """Whether this person has to set one up first. No query for the person of a session."""
    known = getattr(user, LACKS, None)
    return bool(known) if known is not None else User.objects.filter(lacking(), pk=user.pk).exists()


def is_missing(request: HttpRequest, user: User) -> bool:
    """Whether this person of a session can do nothing but set one up."""
    return lacks(user) and request.session.get(VOUCHED) != user.pk


def is_asked_of(user: User) -> bool:
    """Whether a role of this person asks for a second factor."""
    return Role.objects.filter(second_factor=True, group__user=user).exists()


def is_last(authenticator: Authenticator) -> bool:
    """Whether it is the only real one that its person has."""
    others = Authenticator.objects.filter(user_id=authenticator.user_id, type__in=REAL).exclude(pk=authenticator.pk)
    return authenticator.type in REAL and not others.exists()
