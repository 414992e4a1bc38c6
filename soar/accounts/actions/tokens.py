"""Tokens of others: those of programs are made by who manages people, everybody's can be revoked by them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from soar.accounts import authority
from soar.accounts.actions.users import create_token, revoke_token
from soar.accounts.models import ApiToken, User
from soar.lib.errors import Conflict, Missing, Refused


@transaction.atomic
def create_for(
    actor: User | None, pk: int, name: str, *, scopes: Iterable[str] = (), expires_at: datetime | None = None
) -> tuple[ApiToken, str]:
    """A token for a program, shown this once. People make their own.

    Raises Missing, Refused beside the field, Forbidden for a program that may more than the actor, Conflict for a
    person."""
    actor = authority.one_at_a_time(actor)
    user = User.objects.filter(pk=pk).first()
    if user is None:
        raise Missing(_("There is no such person."))
    if not user.is_service:
        raise Conflict(_("People make their own tokens. This is for programs."), code="person")
    authority.check_over(actor, user)
    try:
        return create_token(user, name, actor=actor, scopes=scopes, expires_at=expires_at)
    except ValidationError as error:
        field, problems = next(iter(error.message_dict.items()))
        raise Refused(" ".join(problems), field=field) from error


@transaction.atomic
def revoke(actor: User | None, pk: int) -> ApiToken:
    """Make anybody's token useless at once; twice changes nothing. Raises Missing, Forbidden."""
    actor = authority.one_at_a_time(actor)
    token = ApiToken.objects.select_related("user").filter(pk=pk).first()
    if token is None:
        raise Missing(_("There is no such token."))
    authority.check_over(actor, token.user)
    revoke_token(token, actor=actor)
    return token
