"""People, their tokens and teams for those who manage them (access.md 8)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any, TypeVar

from django.db import transaction
from django.db.models import Model, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from cases.api import admin_shapes as a
from cases.api import bodies, documented, paging, shapes
from cases.api import people as plain
from cases.api.base import ApiViewSet, as_read, read_facts, whole, with_facts
from soar.accounts import authority, owning
from soar.accounts import people as listed
from soar.accounts.actions import people as actions
from soar.accounts.actions import teams as team_actions
from soar.accounts.actions import tokens as token_actions
from soar.accounts.models import ApiToken, Team, User
from soar.lib.clock import iso

NOT_YOURS = gettext_noop("The permission to manage people is missing.")
PASSING = ("owns", "last_login", "second_factor")  # not for those to change who change people and teams
M = TypeVar("M", bound=Model)
MOVE_TO = OpenApiParameter("move_to", str, description="What belongs to it goes there; empty: to no team.")


class Managing(ApiViewSet):
    """Calls of those who manage people."""

    def manage(self) -> None:
        """Raise PermissionDenied for others."""
        self.need("manage_people", _(NOT_YOURS))

    def look(self) -> None:
        """The same for what auditors read too."""
        self.need("manage_people", _(NOT_YOURS), read_by="view_setup")

    @transaction.atomic
    def as_read(
        self,
        request: Request,
        rows: QuerySet[M],
        show: Callable[[M], dict[str, Any]],
        act: Callable[[], object],
        passing: tuple[str, ...] = PASSING,
    ) -> None:
        """``act`` under ``If-Match``. All such changes wait for each other: who is in a team shows there and with the
        person. Raises Stale."""
        authority.one_at_a_time(self.user)
        as_read(request, rows, show, act, passing)


class Users(plain.Users, Managing):
    """``/users/``."""

    @extend_schema(**documented.secret("Make a person or a program", a.NewAccount, a.MadeAccount))
    def create(self, request: Request) -> Response:
        """The password is shown this once. A program has none: it gets tokens. Nobody gives what they do not hold."""
        self.manage()
        given = self.body(a.NewAccount)
        user, password = actions.create(self.user, given.pop("username"), **given)
        return Response({**_account(self.user, user.pk), "password": password}, status=201)

    @extend_schema(**documented.read("Read a person", a.Account))
    def retrieve(self, request: Request, id: str) -> Response:
        """With roles, teams and what they own, as far as you see it."""
        self.look()
        return read_facts(request, _account(self.user, whole(id)), PASSING)

    @extend_schema(**documented.verb("Change a person", a.AccountChanges, a.Account, keyed=False))
    def partial_update(self, request: Request, id: str) -> Response:
        """409 for the last admin, 403 for somebody who holds more than you."""
        self.manage()
        pk, changes = whole(id), self.body(a.AccountChanges)
        rows = User.objects.filter(pk=pk)
        self.as_read(request, rows, lambda row: _account(self.user, pk), lambda: actions.update(self.user, pk, changes))
        return with_facts(_account(self.user, pk), passing=PASSING)

    @extend_schema(**documented.verb("Deactivate a person", bodies.Nothing, a.Account, tagged=False, keyed=False))
    def deactivate(self, request: Request, id: str) -> Response:
        """Sessions and tokens do nothing from then on. Twice changes nothing."""
        return self._switch(id, active=False)

    @extend_schema(**documented.verb("Activate a person", bodies.Nothing, a.Account, tagged=False, keyed=False))
    def activate(self, request: Request, id: str) -> Response:
        """They can sign in again. Twice changes nothing."""
        return self._switch(id, active=True)

    @extend_schema(**documented.secret("Set a new password", bodies.Nothing, a.Password))
    def password(self, request: Request, id: str) -> Response:
        """Shown this once; their sessions end."""
        self.manage()
        self.body(bodies.Nothing)
        user, password = actions.new_password(self.user, whole(id))
        return Response({"username": user.username, "password": password}, status=201)

    @extend_schema(
        **documented.verb("Hand over what a person owns", a.HandOver, a.HandedOver, tagged=False, keyed=False)
    )
    def hand_over(self, request: Request, id: str) -> Response:
        """Open alerts, open incidents and open tasks that you see go to an active person."""
        self.manage()
        return Response({"given": actions.hand_over(self.user, whole(id), self.body(a.HandOver)["to"])})

    @extend_schema(**documented.listing("List a person's tokens", shapes.TOKEN_PAGE))
    def tokens(self, request: Request, id: str) -> Response:
        """Newest first; the tokens themselves are not kept."""
        self.look()
        rows = ApiToken.objects.filter(user=_user(whole(id)))
        found = paging.page(request, rows, paging.NEWEST)
        return Response(paging.paged(request, found, [plain.token_dict(row) for row in found.rows]))

    @extend_schema(**documented.secret("Make a token for a program", bodies.NewToken, shapes.MadeToken))
    def new_token(self, request: Request, id: str) -> Response:
        """Shown this once. People make their own: 409. An expiring token makes none that lasts longer."""
        self.manage()
        given = self.body(bodies.NewToken)
        ends = timezone.now() + timedelta(days=given["days"]) if given.get("days") else None
        row, token = token_actions.create_for(
            self.user,
            whole(id),
            given["name"],
            scopes=given.get("scopes", ()),
            expires_at=plain.not_after(request, ends),
        )
        return plain.made_token(row, token)

    @extend_schema(**documented.remove("Revoke a person's token"))
    def revoke_token(self, request: Request, id: str, token: str) -> Response:
        """At once; twice changes nothing."""
        self.manage()
        rows = ApiToken.objects.filter(pk=whole(token), user=_user(whole(id)))
        if not rows.exists():
            raise NotFound
        revoke = partial(token_actions.revoke, self.user, whole(token))
        self.as_read(request, rows, plain.token_dict, revoke, plain.TOKEN_PASSING)
        return Response(status=204)

    def _switch(self, id: str, *, active: bool) -> Response:
        self.manage()
        self.body(bodies.Nothing)
        actions.set_active(self.user, whole(id), active)
        return Response(_account(self.user, whole(id)))


class Teams(plain.Teams, Managing):
    """``/teams/``."""

    @extend_schema(**documented.create("Make a team", a.TeamName, a.TeamDetail, tagged=False))
    def create(self, request: Request) -> Response:
        """Nobody is in it yet, and nothing belongs to it."""
        self.manage()
        name = self.body(a.TeamName)["name"]
        return self.once(
            lambda: with_facts(_team(self.user, team_actions.create(self.user, name).pk), 201, passing=PASSING)
        )

    @extend_schema(**documented.read("Read a team", a.TeamDetail))
    def retrieve(self, request: Request, id: str) -> Response:
        """Who is in it, and what belongs to it as far as you see it."""
        self.look()
        return read_facts(request, _team(self.user, whole(id)), PASSING)

    @extend_schema(**documented.verb("Change a team", a.TeamChanges, a.TeamDetail, keyed=False))
    def partial_update(self, request: Request, id: str) -> Response:
        """Who joins sees what belongs to the team."""
        self.manage()
        changes = self.body(a.TeamChanges)
        self._as_read(request, whole(id), lambda: team_actions.update(self.user, whole(id), **changes))
        return with_facts(_team(self.user, whole(id)), passing=PASSING)

    @extend_schema(
        **documented.remove(
            "Remove a team",
            params=[MOVE_TO],
            codes=(409,),
        )
    )
    def destroy(self, request: Request, id: str) -> Response:
        """409 while something belongs to it, unless `move_to` says where that goes."""
        self.manage()
        move_to = request.query_params.get("move_to")
        self._as_read(request, whole(id), lambda: team_actions.delete(self.user, whole(id), move_to=move_to))
        return Response(status=204)

    def _as_read(self, request: Request, pk: int, act: Callable[[], object]) -> None:
        self.as_read(request, Team.objects.filter(pk=pk), lambda row: _team(self.user, pk), act)


def _user(pk: int) -> User:
    user = listed.people().filter(pk=pk).first()
    if user is None:
        raise NotFound
    return user


def _account(viewer: User, pk: int) -> dict[str, Any]:
    user = _user(pk)
    return {
        "id": user.pk,
        "username": user.username,
        "name": user.display_name(),
        "first_name": user.first_name,
        "last_name": user.last_name,
        "email": user.email,
        "active": user.is_active,
        "service": user.is_service,
        "second_factor": bool(getattr(user, "has_factor", False)),
        "roles": listed.roles_of(user),
        "teams": listed.teams_of(user),
        "last_login": iso(user.last_login),
        "created_at": iso(user.date_joined),
        "owns": _counts(owning.of_user(viewer, user)),
    }


def _team(viewer: User, pk: int) -> dict[str, Any]:
    team = Team.objects.select_related("group").filter(pk=pk).first()
    if team is None:
        raise NotFound
    members = list(team.group.user_set.order_by("username").values_list("username", flat=True))
    return {"id": team.pk, "name": team.name, "members": members, "owns": _counts(owning.of_team(viewer, team))}


def _counts(owned: list[owning.Owned]) -> list[dict[str, Any]]:
    return [{"name": one.name, "count": one.count, "more": one.more, "movable": one.movable} for one in owned]
