"""Second factors of others: which roles ask for one, and helping whoever has lost theirs."""

from __future__ import annotations

from allauth.mfa.models import Authenticator
from django.core.exceptions import PermissionDenied
from django.db import transaction

from soar.accounts import audit, notices
from soar.accounts.actions.sessions import end_all_sessions
from soar.accounts.models import Role, User

MANAGE = "accounts.manage_people"


@transaction.atomic
def require_second_factor(actor: User | None, role: Role, required: bool) -> bool:
    """Ask everybody of a role for a second factor, or no longer. Holds for the next request of each. False if it was so
    already. Raises PermissionDenied."""
    _may_manage(actor)
    if not Role.objects.filter(pk=role.pk, second_factor=not required).update(second_factor=required):
        return False
    role.second_factor = required
    audit.record(actor, "role.second_factor", str(role), required=required)
    return True


@transaction.atomic
def reset_factors(actor: User | None, user: User) -> list[str]:
    """Take all second factors and recovery codes off a person who has lost them, and end their sessions. Returns the
    kinds that were there. Whoever's role asks for one sets a new one up at the next login. Raises PermissionDenied."""
    _may_manage(actor)
    rows = Authenticator.objects.select_for_update().filter(user=user)
    kinds = sorted({str(row.type) for row in rows})
    Authenticator.objects.filter(user=user).delete()
    audit.record(actor, "factor.reset", user.username, kinds=kinds)
    end_all_sessions(actor, user)
    notices.tell(user, "factors_reset")
    return kinds


def _may_manage(actor: User | None) -> None:
    if actor is not None and not actor.has_perm(MANAGE):
        raise PermissionDenied(MANAGE)
