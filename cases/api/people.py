"""People and teams as far as casework needs them, the caller, and the caller's own tokens."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import Any

from django.core.exceptions import ValidationError as Invalid
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import NotFound, PermissionDenied, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from cases.api import bodies, documented, paging, shapes
from cases.api.base import ApiViewSet, as_read, whole
from cases.api.etags import facts_tag
from soar.accounts.actions.users import SCOPES, create_token, revoke_token
from soar.accounts.membership import may
from soar.accounts.models import ApiToken, Role, Team, User
from soar.lib.clock import iso

TOKEN_PASSING = ("last_used_at",)
READ_CASES = gettext_noop("The permission to see alerts and incidents is missing.")


class Users(ApiViewSet):
    """``/users/``."""

    @extend_schema(**documented.listing("List people", shapes.PERSON_PAGE, params=["q"]))
    def list(self, request: Request) -> Response:
        """Active people; those who may work on cases can be owners. `q` finds the beginning of a user name."""
        self.need("view_cases", _(READ_CASES))
        paging.check_params(request, ("q",))
        rows = User.objects.filter(is_active=True)
        if start := request.query_params.get("q"):
            rows = rows.filter(username__istartswith=start)
        found = paging.page(request, rows, paging.OLDEST)
        return Response(paging.paged(request, found, [_person(user) for user in found.rows]))


class Teams(ApiViewSet):
    """``/teams/``."""

    @extend_schema(**documented.listing("List teams", shapes.TEAM_PAGE))
    def list(self, request: Request) -> Response:
        """All teams."""
        self.need("view_cases", _(READ_CASES))
        paging.check_params(request, ())
        found = paging.page(request, Team.objects.all(), paging.OLDEST)
        return Response(paging.paged(request, found, [{"id": team.pk, "name": team.name} for team in found.rows]))


class Me(ApiViewSet):
    """``/me/``."""

    @extend_schema(**documented.read("Who am I", shapes.Me, tagged=False))
    def retrieve(self, request: Request) -> Response:
        """And what may I do with this token or session."""
        user, token = self.user, request.auth
        return Response(
            {
                **_person(user),
                "roles": list(
                    Role.objects.filter(group__user=user).order_by("pk").values_list("group__name", flat=True)
                ),
                "teams": list(Team.objects.filter(group__user=user).order_by("name").values_list("name", flat=True)),
                "permissions": sorted(name for name in SCOPES if may(user, name)),
                "token": token_dict(token) if isinstance(token, ApiToken) else None,
            }
        )


class Tokens(ApiViewSet):
    """``/tokens/``: one's own."""

    @extend_schema(
        **documented.listing("List your tokens", shapes.TOKEN_PAGE, params=[documented.ordering(paging.BY_ID)])
    )
    def list(self, request: Request) -> Response:
        """Newest first; the tokens themselves are not kept."""
        paging.check_params(request, ("ordering",))
        found = paging.page(request, ApiToken.objects.filter(user=self.user), paging.order_of(request, paging.BY_ID))
        return Response(paging.paged(request, found, [token_dict(row) for row in found.rows]))

    @extend_schema(**documented.secret("Make a token", bodies.NewToken, shapes.MadeToken))
    def create(self, request: Request) -> Response:
        """It is shown this once. A token with scopes makes only tokens with no more than these."""
        given = self.body(bodies.NewToken)
        _check_scopes(request, given.get("scopes", []))
        expires = timezone.now() + timedelta(days=given["days"]) if given.get("days") else None
        expires = not_after(request, expires)
        try:
            row, token = create_token(
                self.user, given["name"], actor=self.user, scopes=given.get("scopes", ()), expires_at=expires
            )
        except Invalid as error:
            raise ValidationError(error.message_dict) from error
        return made_token(row, token)

    @extend_schema(**documented.remove("Revoke a token"))
    def destroy(self, request: Request, id: str) -> Response:
        """At once. Revoking twice changes nothing. A token with scopes revokes itself and tokens with no more."""
        row = ApiToken.objects.filter(user=self.user, pk=whole(id)).first()
        if row is None:
            raise NotFound
        if row != request.auth:
            _check_scopes(request, row.scopes)
        revoke = partial(revoke_token, row, actor=self.user)
        as_read(request, ApiToken.objects.filter(pk=row.pk), token_dict, revoke, TOKEN_PASSING)
        return Response(status=204)


def made_token(row: ApiToken, token: str) -> Response:
    """The only answer that shows the token, with the ETag under which it can be revoked."""
    tag = facts_tag(token_dict(row), TOKEN_PASSING)
    return Response({**token_dict(row), "token": token}, status=201, headers={"ETag": tag})


def token_dict(token: ApiToken) -> dict[str, Any]:
    """A token in JSON, without the token."""
    return {
        "id": token.pk,
        "name": token.name,
        "prefix": token.prefix,
        "scopes": token.scopes,
        "created_at": iso(token.created_at),
        "expires_at": iso(token.expires_at),
        "last_used_at": iso(token.last_used_at),
        "revoked_at": iso(token.revoked_at),
    }


def _person(user: User) -> dict[str, Any]:
    return {"id": user.pk, "username": user.username, "name": user.display_name()}


def _check_scopes(request: Request, scopes: list[str]) -> None:
    """A token must neither make nor revoke a stronger one. Raises PermissionDenied."""
    held = request.auth.scopes if isinstance(request.auth, ApiToken) else []
    if held and (not scopes or not set(scopes) <= set(held)):
        raise PermissionDenied(
            _("This token is only good for tokens with scopes among these: %(held)s.") % {"held": ", ".join(held)}
        )


def not_after(request: Request, expires: Any) -> Any:
    """A token must not make a longer-lived one either."""
    end = request.auth.expires_at if isinstance(request.auth, ApiToken) else None
    return min(expires, end) if expires and end else expires or end
