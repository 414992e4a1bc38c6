"""Roles and teams that the provider of single sign-on says (settings ``SOAR_OIDC_*``), taken over at each login."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth.models import Group
from django.db import transaction

from soar.accounts import audit
from soar.accounts.models import Role, Team, User

ADMIN = "Admin"


@transaction.atomic
def take_over_claims(user: User, claims: dict[str, Any]) -> None:
    """Give and take what the claims say. Only roles and teams that the settings name are touched; without the name of a
    claim in the settings none are."""
    User.objects.select_for_update().get(pk=user.pk)
    if settings.OIDC_ROLES_CLAIM:
        _change(user, "user.roles_changed", _roles(), claims.get(settings.OIDC_ROLES_CLAIM), settings.OIDC_ROLES)
        _open_admin(user)
    if settings.OIDC_TEAMS_CLAIM:
        _change(user, "user.teams_changed", _teams(), claims.get(settings.OIDC_TEAMS_CLAIM), settings.OIDC_TEAMS)


def _change(user: User, verb: str, known: dict[str, Group], claim: Any, mapping: dict[str, str]) -> None:
    said = {str(one) for one in (claim if isinstance(claim, list) else [claim] if claim else [])}
    wanted = {mapping[one] for one in said if one in mapping} if mapping else said
    managed = {name: group for name, group in known.items() if not mapping or name in _lowered(mapping.values())}
    groups = {group.pk: group for name, group in managed.items() if name in _lowered(wanted)}
    had = set(user.groups.filter(pk__in=[group.pk for group in managed.values()]).values_list("pk", flat=True))
    gone = {group.pk: group for group in managed.values() if group.pk in had - groups.keys()}
    gone = {pk: group for pk, group in gone.items() if not _is_last_admin(user, group)}
    new = {pk: group for pk, group in groups.items() if pk not in had}
    if new or gone:
        user.groups.add(*new.values())
        user.groups.remove(*gone.values())
        added, removed = _names(new), _names(gone)
        audit.record(None, verb, user.username, added=added, removed=removed, by="single sign-on")


def _open_admin(user: User) -> None:
    """Who has the role Admin has Django's admin too, as those have who were made with it."""
    is_admin = user.groups.filter(name=ADMIN).exists()
    User.objects.filter(pk=user.pk).update(is_staff=is_admin, is_superuser=is_admin)
    user.is_staff = user.is_superuser = is_admin


def _is_last_admin(user: User, group: Group) -> bool:
    """A portal without an admin could be mended by its machine only."""
    return group.name == ADMIN and not User.objects.filter(groups=group, is_active=True).exclude(pk=user.pk).exists()


def _roles() -> dict[str, Group]:
    return {role.group.name.lower(): role.group for role in Role.objects.select_related("group")}


def _teams() -> dict[str, Group]:
    return {team.name.lower(): team.group for team in Team.objects.select_related("group")}


def _lowered(names: Any) -> set[str]:
    return {str(name).lower() for name in names}


def _names(groups: dict[int, Group]) -> list[str]:
    return sorted(group.name for group in groups.values())
