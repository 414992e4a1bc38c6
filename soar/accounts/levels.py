"""Levels of object grants, alike for every kind of thing: what is granted on it to a person or one of their groups,
now (access.md 3, rulings 20). What a role gives is asked by each kind itself, beside this."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db.models import Exists, Model, OuterRef, Q
from guardian.models import GroupObjectPermissionBase, UserObjectPermissionBase

from soar.accounts.models import User
from soar.accounts.models.grant import current

Tables = tuple[type[UserObjectPermissionBase], type[GroupObjectPermissionBase]]


@dataclass(frozen=True)
class Kind:
    """A kind of thing that can be granted. ``levels``, each containing the former, with the scope that a token needs
    to use it: a grant gives the person a level, not the token that was made for less."""

    noun: str
    levels: dict[str, str]
    tables: Callable[[], Tables]

    def names(self, level: str) -> list[str]:
        """Codenames of the permissions that contain ``level``."""
        known = list(self.levels)
        return [f"{name}_{self.noun}" for name in known[known.index(level) :]]

    def in_scope(self, user: User, level: str) -> bool:
        """Whether the token of this request, if there is one, reaches so far."""
        return user.token_scopes is None or self.levels[level] in user.token_scopes

    def granted(self, user: User, level: str, outer: str = "pk") -> Q:
        """That the row ``outer`` points at is granted to the user, or one of their groups, at ``level`` at least. By
        the clock of the database: what has expired counts for nothing, whether or not it was tidied up."""
        if not user.is_active or not self.in_scope(user, level):
            return Q(pk__in=[])
        own, groups = (self._rows(table, level).filter(content_object=OuterRef(outer)) for table in self.tables())
        return Q(Exists(own.filter(user=user.pk))) | Q(Exists(groups.filter(group__user=user.pk)))

    def is_granted(self, user: User, thing: Model, level: str) -> bool:
        """The same for one thing."""
        if not user.is_active or not self.in_scope(user, level):
            return False
        own, groups = (self._rows(table, level).filter(content_object=thing.pk) for table in self.tables())
        return bool(own.filter(user=user.pk).exists() or groups.filter(group__user=user.pk).exists())

    def any_granted(self, user: User, level: str) -> bool:
        """Whether there is a thing of this kind that is granted to the user at ``level`` at least."""
        if not user.is_active or not self.in_scope(user, level):
            return False
        own, groups = (self._rows(table, level) for table in self.tables())
        return bool(own.filter(user=user.pk).exists() or groups.filter(group__user=user.pk).exists())

    def _rows(self, table: Any, level: str) -> Any:
        return table.objects.filter(current(), permission__codename__in=self.names(level))
