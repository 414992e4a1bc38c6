"""Who holds a permission of the product, as one condition of a query."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import Permission
from django.db.models import BooleanField, F, Func

from soar.accounts.models import User

NOBODY: tuple[int, list[int]] = (0, [])
_SQL = (
    "({is_superuser} OR {pk} IN (SELECT user_id FROM {members} WHERE group_id = ANY(%s))"
    " OR {pk} IN (SELECT user_id FROM {own} WHERE permission_id = %s))"
)


def groups_by_permission() -> dict[str, tuple[int, list[int]]]:
    """For each permission of the product its id and the groups that give it."""
    found: dict[str, tuple[int, list[int]]] = {}
    ours = Permission.objects.filter(content_type__app_label="accounts")
    for name, permission, group in ours.values_list("codename", "pk", "group"):
        groups = found.setdefault(name, (permission, []))[1]
        if group is not None:
            groups.append(group)
    return found


class Holds(Func):
    """That a user holds a permission: as superuser, by a group, or themselves. A page asks it a dozen times,
    and Django takes longer to make SQL of the same in its own words than the database to answer."""

    output_field = BooleanField()
    conditional = True

    def __init__(self, permission: int, groups: list[int]) -> None:
        super().__init__(F("pk"), F("is_superuser"))
        self.permission, self.groups = permission, groups

    def as_sql(self, compiler: Any, connection: Any, **_more: Any) -> Any:  # type: ignore[override]
        """The condition, for the columns of the query's users."""
        pk, is_superuser = (compiler.compile(one)[0] for one in self.get_source_expressions())
        names = {"members": User.groups.through._meta.db_table, "own": User.user_permissions.through._meta.db_table}
        return _SQL.format(pk=pk, is_superuser=is_superuser, **names), (self.groups, self.permission)
