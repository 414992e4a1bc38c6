"""Who signs in and stays so: Django's own, and with the same query whether a second factor is missing."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import Permission

from soar.accounts.models import User
from soar.accounts.second_factor import LACKS, lacking


class Backend(ModelBackend):
    """Setting ``AUTHENTICATION_BACKENDS``."""

    def get_user(self, user_id: Any) -> User | None:
        """The person of a session, None once they are deactivated. Carries what ``second_factor.lacks`` asks for."""
        user = User.objects.annotate(**{LACKS: lacking()}).filter(pk=user_id).first()
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


def _held_by(user: User) -> Any:
    named = Permission.objects.order_by().values_list("content_type__app_label", "codename")
    return named if user.is_superuser else named.filter(user=user).union(named.filter(group__user=user))
