"""Which teams a person is in, read once per request."""

from __future__ import annotations

from django.contrib.auth.models import Permission
from django.db.models import Q, QuerySet

from soar.accounts.models import Team, User


def team_ids(user: User) -> list[int]:
    """Ids of the teams whose group the user is in. Kept on the user object for the request's time."""
    cached: list[int] | None = getattr(user, "_team_ids", None)
    if cached is None:
        cached = list(Team.objects.filter(group__user=user).order_by("pk").values_list("pk", flat=True))
        keep_team_ids(user, cached)
    return cached


def keep_team_ids(user: User, ids: list[int]) -> None:
    """What ``team_ids`` is to answer for this user object, from who has just read it together with something else."""
    user._team_ids = ids  # type: ignore[attr-defined]


def workers() -> QuerySet[User]:
    """Active people who may work on cases, by name: who can own an alert or incident and be given a task."""
    return holders("work_cases").order_by("first_name", "username")


def holders(permission: str) -> QuerySet[User]:
    """Active people who hold a permission of the product, by its codename (``work_cases``). Who holds it is read at
    once: to ask about each of 500 people takes longer than all else of a page."""
    wanted = Permission.objects.filter(content_type__app_label="accounts", codename=permission)
    members = User.groups.through.objects.filter(group__permissions__in=wanted).values("user")
    own = User.user_permissions.through.objects.filter(permission__in=wanted).values("user")
    return User.objects.filter(Q(is_superuser=True) | Q(pk__in=members) | Q(pk__in=own), is_active=True)


def may(user: User, permission: str) -> bool:
    """Whether the user holds a permission of the product, by its codename (``work_cases``)."""
    return user.is_active and user.has_perm(f"accounts.{permission}")


def scopes_of(user: User | None) -> list[str] | None:
    """The scopes of the token that asks, as rows keep them for what goes on later; None is all that the person may."""
    return None if user is None or user.token_scopes is None else sorted(user.token_scopes)


def asked_within(user: User) -> Q:
    """For jobs, which keep the scopes of the token that asked: a token with scopes reaches those alone that were asked
    for with no more than its own. Without scopes, all."""
    return Q() if user.token_scopes is None else Q(scopes__contained_by=sorted(user.token_scopes))
