"""Which alert sources a person sees and manages: by role and team, or by what is granted on one (rulings 20)."""

from __future__ import annotations

from django.db.models import Q, QuerySet

from cases.grants import MANAGES_SOURCE, granted, holds_some
from cases.models import AlertSource, SourceGroupPermission, SourceUserPermission
from soar.accounts.levels import Kind
from soar.accounts.membership import may, team_ids
from soar.accounts.models import User
from soar.accounts.models.grant import current

# Levels, each contains the former; with the scope that a token needs for it.
SOURCE = Kind(
    "source",
    {"view": "view_cases", "manage": "manage_sources"},
    lambda: (SourceUserPermission, SourceGroupPermission),
)


def sources_seen_by(user: User) -> QuerySet[AlertSource]:
    """The sources whose alerts the person sees anyway, and those that they manage. Of others not even the name."""
    if not may(user, "view_cases"):
        return AlertSource.objects.none()
    if may(user, "view_all_teams") or may(user, "manage_sources"):
        return AlertSource.objects.all()
    named = granted(user, "Source") if SOURCE.in_scope(user, "view") else Q(pk__in=[])
    if holds_some(user, MANAGES_SOURCE):  # of a few people only: it is asked about each source
        named |= SOURCE.granted(user, "manage")
    return AlertSource.objects.filter(named | Q(team=None) | Q(team__in=team_ids(user)))


def sources_managed_by(user: User) -> QuerySet[AlertSource]:
    """The sources that the person may set up: all, by role; or those that were granted to them."""
    if may(user, "manage_sources"):
        return AlertSource.objects.all()
    if not manages_some(user):
        return AlertSource.objects.none()
    return AlertSource.objects.filter(SOURCE.granted(user, "manage"))


def managers_by_grant(source: AlertSource) -> list[User]:
    """The active people who may set up this source because it was granted to them, or to a group of theirs."""
    given = {"content_object": source, "permission__codename": "manage_source"}
    people = SourceUserPermission.objects.filter(current(), **given).values("user")
    groups = SourceGroupPermission.objects.filter(current(), **given).values("group")
    named = User.objects.filter(Q(pk__in=people) | Q(groups__in=groups), is_active=True).distinct().order_by("pk")
    return [user for user in named if sources_managed_by(user).filter(pk=source.pk).exists()]


def sources_read_by(user: User) -> QuerySet[AlertSource]:
    """The sources whose set-up the person may read: all, by role (rulings 20); or those that they manage."""
    return AlertSource.objects.all() if may(user, "view_setup") else sources_managed_by(user)


def reads_some(user: User) -> bool:
    """Whether there is a source whose set-up the person may read."""
    return may(user, "view_setup") or manages_some(user)


def manages_some(user: User) -> bool:
    """Whether there is a source that the person may set up. One query a request, shared with what they may see."""
    if may(user, "manage_sources"):
        return True
    return may(user, "view_cases") and SOURCE.in_scope(user, "manage") and holds_some(user, MANAGES_SOURCE)
