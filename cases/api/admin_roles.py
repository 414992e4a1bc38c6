"""Roles for those who manage people (access.md 2)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db import transaction
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from cases.api import admin_shapes as a
from cases.api import documented, paging
from cases.api.admin_people import Managing
from cases.api.base import read_facts, whole, with_facts
from soar.accounts import people as listed
from soar.accounts.actions import roles as role_actions
from soar.accounts.actions.factors import require_second_factor
from soar.accounts.authority import RIGHTS
from soar.accounts.models import Role

PASSING = ("people",)


class Roles(Managing):
    """``/roles/``."""

    @extend_schema(**documented.listing("List roles", a.ROLE_PAGE))
    def list(self, request: Request) -> Response:
        """The built-in ones and your own, with their permissions."""
        self.look()
        found = paging.page(request, listed.roles().order_by(), paging.OLDEST)
        return Response(paging.paged(request, found, [_role(row) for row in found.rows]))

    @extend_schema(**documented.create("Make a role", a.NewRole, a.Role, tagged=False))
    def create(self, request: Request) -> Response:
        """Of permissions that you hold yourself."""
        self.manage()
        given = self.body(a.NewRole)
        return self.once(lambda: with_facts(_role_of(self._made(given)), 201, passing=PASSING))

    @transaction.atomic
    def _made(self, given: dict[str, Any]) -> int:
        asked = given.pop("second_factor", False)
        role = role_actions.create(self.user, **given)
        require_second_factor(self.user, role, asked)
        return role.pk

    @extend_schema(**documented.read("Read a role", a.Role))
    def retrieve(self, request: Request, id: str) -> Response:
        """With its permissions."""
        self.look()
        return read_facts(request, _role_of(whole(id)), PASSING)

    @extend_schema(**documented.verb("Change a role", a.RoleChanges, a.Role, keyed=False))
    def partial_update(self, request: Request, id: str) -> Response:
        """Own roles only, but for the second factor; everybody who has it has the new permissions at once."""
        self.manage()
        pk, given = whole(id), self.body(a.RoleChanges)
        self._as_read(request, pk, lambda: self._change(pk, given))
        return with_facts(_role_of(pk), passing=PASSING)

    @transaction.atomic
    def _change(self, pk: int, given: dict[str, Any]) -> None:
        asked = given.pop("second_factor", None)
        if given or asked is None:
            role_actions.update(self.user, pk, **given)
        if asked is not None:
            row = Role.objects.select_related("group").filter(pk=pk).first()
            if row is None:
                raise NotFound
            require_second_factor(self.user, row, asked)

    @extend_schema(**documented.remove("Remove a role", codes=(409,)))
    def destroy(self, request: Request, id: str) -> Response:
        """Own roles only. Everybody who has it loses what no other role gives them."""
        self.manage()
        self._as_read(request, whole(id), lambda: role_actions.delete(self.user, whole(id)))
        return Response(status=204)

    def _as_read(self, request: Request, pk: int, act: Callable[[], object]) -> None:
        self.as_read(request, Role.objects.filter(pk=pk), lambda row: _role_of(pk), act, PASSING)


def _role_of(pk: int) -> dict[str, Any]:
    role = listed.roles().filter(pk=pk).first()
    if role is None:
        raise NotFound
    return _role(role)


def _role(role: Role) -> dict[str, Any]:
    rights = {one.codename for one in role.group.permissions.all()}
    return {
        "id": role.pk,
        "name": role.group.name,
        "description": role.description,
        "builtin": role.builtin,
        "permissions": [name for name in RIGHTS if name in rights],
        "people": getattr(role, "people", 0),
        "second_factor": role.second_factor,
    }
