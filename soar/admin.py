"""Django's admin, for what has no page of our own yet.

Out of it are tables that are not in use: our tasks stand in our own table, so django-q2's stay empty. And its own login
form and form for a new password, which would know no limit of tries and no audit log: people do both where everybody
does. What is changed in it is
in the audit log like everything else (access.md 7).

Loaded by the admin after those of the applications that stand before ``soar`` in INSTALLED_APPS.
"""

from __future__ import annotations

from typing import Any

from allauth.account.decorators import secure_admin_login
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin
from django.contrib.auth.models import Group
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from soar.accounts.audit import record
from soar.accounts.models import User


def _audit(request: HttpRequest, verb: str, thing: Model, **data: Any) -> None:
    if isinstance(thing, Group) and verb != "deleted":
        data["permissions"] = sorted(thing.permissions.values_list("codename", flat=True))
    user = request.user if isinstance(request.user, User) else None
    kind = thing._meta.model_name
    record(user, f"{kind}.{verb}", str(thing), **data)


class Audited(admin.ModelAdmin):  # type: ignore[type-arg]
    """Writes one audit row for each change, in its transaction; a group's with the permissions it has afterwards."""

    def log_addition(self, request: HttpRequest, obj: Model, message: Any) -> Any:
        """Called by Django's admin after an addition."""
        _audit(request, "created", obj)
        return super().log_addition(request, obj, message)

    def log_change(self, request: HttpRequest, obj: Model, message: Any) -> Any:
        """Called by Django's admin after a change, relations included."""
        _audit(request, "changed", obj, fields=message)
        return super().log_change(request, obj, message)

    def log_deletions(self, request: HttpRequest, queryset: QuerySet[Model]) -> Any:
        """Called by Django's admin before it deletes one or several."""
        for thing in queryset:
            _audit(request, "deleted", thing)
        return super().log_deletions(request, queryset)


class AuditedGroups(Audited, GroupAdmin):
    """Groups that are neither role nor team. Those have pages of their own, with rules that hold there."""

    def get_queryset(self, request: HttpRequest) -> QuerySet[Group]:
        """The groups that can be changed here."""
        return super().get_queryset(request).filter(role=None, team=None)


admin.site.unregister(
    model for model in apps.get_app_config("django_q").get_models() if admin.site.is_registered(model)
)
for model, registered in list(admin.site._registry.items()):
    admin.site.unregister(model)
    base = type(registered)
    admin.site.register(model, AuditedGroups if model is Group else type(base.__name__, (Audited, base), {}))
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]


def _password_change(request: HttpRequest, extra_context: Any = None) -> HttpResponse:
    return redirect("account_change_password")


admin.site.password_change = _password_change  # type: ignore[method-assign,assignment]
