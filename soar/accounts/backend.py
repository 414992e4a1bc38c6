"""Who signs in and stays so: Django's own, and with the same query whether a second factor is missing."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import Permission
from django.db import connection

from soar.accounts.models import User
from soar.accounts.second_factor import LACKS, lacking


class Backend(ModelBackend):
    """Setting ``AUTHENTICATION_BACKENDS``."""

    def get_user(self, user_id: Any) -> User | None:
        """The person of a session, None once they are deactivated. Carries what ``second_factor.lacks`` asks for."""
        user = next(iter(User.objects.raw(*_person(User._meta.pk.to_python(user_id)))), None)
        return user if user is not None and self.user_can_authenticate(user) else None

    def user_can_authenticate(self, user: Any) -> bool:
        """Neither the deactivated nor programs, which have tokens only."""
        return super().user_can_authenticate(user) and not user.is_service

    def get_all_permissions(self, user_obj: Any, obj: Any = None) -> set[str]:
        """As Django's, by one query instead of two: every page asks for them."""
        if not user_obj.is_active or user_obj.is_anonymous or obj is not None:
            return set()
        if not hasattr(user_obj, "_perm_cache"):
            user_obj._perm_cache = {f"{app}.{name}" for app, name in _held_by(user_obj)}
        cached: set[str] = user_obj._perm_cache
        return cached


# Every page and every call of the API asks these two. Django takes several times as long to make their SQL as the
# database to answer, so it is made once, and by hand.
_HELD = """
SELECT c.app_label, p.codename FROM auth_permission p JOIN django_content_type c ON c.id = p.content_type_id
WHERE p.id IN (SELECT permission_id FROM accounts_user_user_permissions WHERE user_id = %(user)s
    UNION ALL SELECT g.permission_id FROM auth_group_permissions g
    JOIN accounts_user_groups m ON m.group_id = g.group_id WHERE m.user_id = %(user)s)"""
_HELD_BY_EACH = """
SELECT h.user_id, array_agg(c.app_label || '.' || p.codename) FROM (
    SELECT user_id, permission_id FROM accounts_user_user_permissions WHERE user_id = ANY(%(users)s)
    UNION SELECT m.user_id, g.permission_id FROM auth_group_permissions g
    JOIN accounts_user_groups m ON m.group_id = g.group_id WHERE m.user_id = ANY(%(users)s)) h
JOIN auth_permission p ON p.id = h.permission_id JOIN django_content_type c ON c.id = p.content_type_id
GROUP BY h.user_id"""
_NOBODY = -1  # stands for the id of the person


def read_permissions(people: Sequence[User]) -> None:
    """What each of these people holds, by one statement for all, for ``has_perm``. Superusers hold all without it;
    who was read before is not read again."""
    asked = [one for one in people if one.is_active and not one.is_superuser and not hasattr(one, "_perm_cache")]
    if not asked:
        return
    with connection.cursor() as cursor:
        cursor.execute(_HELD_BY_EACH, {"users": [user.pk for user in asked]})
        held = dict(cursor.fetchall())
    for user in asked:
        user._perm_cache = set(held.get(user.pk, ()))  # type: ignore[attr-defined]


def _held_by(user: User) -> Any:
    if user.is_superuser:
        return Permission.objects.order_by().values_list("content_type__app_label", "codename")
    with connection.cursor() as cursor:
        cursor.execute(_HELD, {"user": user.pk})
        return cursor.fetchall()


def _person(pk: int) -> tuple[str, list[Any]]:
    """The selection of one person with what they lack, for ``raw``."""
    sql, values = _selection()
    return sql, [pk if value == _NOBODY else value for value in values]


@cache
def _selection() -> tuple[str, tuple[Any, ...]]:
    sql, values = User.objects.annotate(**{LACKS: lacking()}).filter(pk=_NOBODY).query.sql_with_params()
    return sql, tuple(values)
