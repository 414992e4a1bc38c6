"""Grants as they stand in guardian's direct tables, read as one record each, whatever the level."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.contrib.auth.models import Group, Permission
from django.db.models import Case, Exists, F, IntegerField, Model, OuterRef, Q, Value, When

from soar.accounts.models import User
from soar.accounts.models.grant import current

if TYPE_CHECKING:
    from soar.accounts.access.kinds import Grantable

Holder = User | Group


@dataclass(frozen=True, slots=True)
class Grant:
    """What one person or group holds on one object. ``id`` is ``user-7`` or ``group-3``: a grant keeps it whatever
    its level. ``name`` is for people, ``key`` the user's name or the team's or role's."""

    id: str
    holder_id: int
    is_group: bool
    key: str
    name: str
    level: str
    expires_at: datetime | None
    granted_by: str
    granted_at: datetime | None
    reason: str
    rule: str


def group_name(group: Group) -> str:
    """A team's name, or the name of the role."""
    team = getattr(group, "team", None)
    return team.name if team is not None else group.name


def permission_ids(kind: Grantable, levels: Iterable[str]) -> list[int]:
    """Ids of guardian's permissions of these levels."""
    wanted = {kind.codename(level) for level in levels}
    found = Permission.objects.filter(content_type__app_label=kind.model._meta.app_label, codename__in=wanted)
    return list(found.values_list("pk", flat=True))


def held(kind: Grantable, obj: Model, *, level: str = "") -> tuple[Q, Q]:
    """Conditions on a user: that the object is granted to them, or to one of their groups, at ``level`` or above."""
    names = kind.rule.names(level or kind.levels[0])
    which = Q(content_object=obj, permission__codename__in=names) & current()
    own = kind.users.objects.filter(which, user=OuterRef("pk"))
    return Q(Exists(own)), Q(Exists(kind.groups.objects.filter(which, group__user=OuterRef("pk"))))


def grants_on(kind: Grantable, obj: Model, *, only: Iterable[int] | None = None, expired: bool = False) -> list[Grant]:
    """Grants to people on the object, by name: of all, or of ``only`` these people. With ``expired`` also those that
    count no more."""
    rows = _tops(kind, kind.users, obj, "user_id", expired)
    if only is not None:
        rows = rows.filter(user_id__in=list(only))
    found = rows.values(*_COLUMNS, *(f"user__{name}" for name in _NAMES), holder=F("user_id"))
    made = [_grant(kind, row, "user", row["user__username"], _person(row, "user")) for row in found]
    return sorted(made, key=lambda one: (one.name.lower(), one.key))


def group_grants_on(kind: Grantable, obj: Model, *, expired: bool = False) -> list[Grant]:
    """Grants to teams and roles on the object, by name."""
    rows = _tops(kind, kind.groups, obj, "group_id", expired)
    found = rows.values(*_COLUMNS, "group__name", "group__team__name", holder=F("group_id"))
    named = [(row, row["group__team__name"] or row["group__name"]) for row in found]
    return sorted((_grant(kind, row, "group", name, name) for row, name in named), key=lambda one: one.name.lower())


def grant_of(kind: Grantable, obj: Model, holder: Holder) -> Grant | None:
    """What this person or group holds on the object now, itself."""
    if isinstance(holder, User):
        return next(iter(grants_on(kind, obj, only=[holder.pk])), None)
    return next((one for one in group_grants_on(kind, obj) if one.holder_id == holder.pk), None)


def write(kind: Grantable, obj: Model, holder: Holder, level: str, *, above: str = "", **columns: Any) -> None:
    """Let the holder's grant be this one: a row for each level up to it. What they hold up to ``above`` stays as it
    is, and shows again when this ends. The caller holds the object's lock."""
    first = kind.levels.index(above) + 1 if above else 0
    wanted = kind.levels[first : kind.levels.index(level) + 1]
    table, column = table_of(kind, holder)
    gone = [kind.codename(one) for one in kind.levels[first:]]
    table.objects.filter(content_object=obj, permission__codename__in=gone, **{column: holder}).delete()
    ids = permission_ids(kind, wanted)
    table.objects.bulk_create(
        [table(permission_id=pk, content_object=obj, **{column: holder}, **columns) for pk in ids]
    )


def remove(kind: Grantable, obj: Model, holder: Holder) -> int:
    """Take the holder's grant away, expired or not. Returns how many rows went."""
    table, column = table_of(kind, holder)
    gone: int = table.objects.filter(content_object=obj, **{column: holder}).delete()[0]
    return gone


def table_of(kind: Grantable, holder: Holder) -> tuple[type[Any], str]:
    """The table in which this holder's grants stand, and its column of holders."""
    return (kind.users, "user") if isinstance(holder, User) else (kind.groups, "group")


_NAMES = ("username", "first_name", "last_name")
_COLUMNS = (
    "rank", "expires_at", "granted_at", "reason", "rule", *(f"granted_by__{name}" for name in _NAMES),
)  # fmt: skip


def _tops(kind: Grantable, table: type[Any], obj: Model, holder: str, expired: bool) -> Any:
    """The row of the highest level of each holder: what it says is what the grant says."""
    levels = [When(permission__codename=kind.codename(name), then=Value(n)) for n, name in enumerate(kind.levels)]
    rows = table.objects.filter(content_object=obj, permission__codename__in=kind.rule.names(kind.levels[0]))
    rows = rows if expired else rows.filter(current())
    ranked = rows.annotate(rank=Case(*levels, output_field=IntegerField()))
    return ranked.order_by(holder, "-rank").distinct(holder)


def _grant(kind: Grantable, row: dict[str, Any], what: str, key: str, name: str) -> Grant:
    return Grant(
        id=f"{what}-{row['holder']}",
        holder_id=row["holder"],
        is_group=what == "group",
        key=key,
        name=name,
        level=kind.levels[row["rank"]],
        expires_at=row["expires_at"],
        granted_by=_person(row, "granted_by"),
        granted_at=row["granted_at"],
        reason=row["reason"],
        rule=row["rule"],
    )


def _person(row: dict[str, Any], who: str) -> str:
    full = f"{row[f'{who}__first_name'] or ''} {row[f'{who}__last_name'] or ''}".strip()
    return full or row[f"{who}__username"] or ""
