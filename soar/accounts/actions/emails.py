"""The address of a person: given by an admin it is believed, given by themselves not (soar.accounts.oidc.people)."""

from __future__ import annotations

from allauth.account.models import EmailAddress
from django.core.exceptions import PermissionDenied
from django.core.validators import validate_email
from django.db import transaction

from soar.accounts import audit
from soar.accounts.models import User


@transaction.atomic
def set_email(actor: User | None, user: User, email: str) -> bool:
    """Give a person an address ("" for none); False if it was that already. Set by somebody else it is believed:
    whoever the provider of single sign-on says to have it signs in as this person.

    Raises ValidationError for what is no address, PermissionDenied."""
    own = actor is not None and actor.pk == user.pk
    if actor is not None and not own and not actor.has_perm("accounts.manage_people"):
        raise PermissionDenied("accounts.manage_people")
    if email:
        validate_email(email)
    before = User.objects.select_for_update().get(pk=user.pk).email
    if before == email:
        return False
    User.objects.filter(pk=user.pk).update(email=email)
    user.email = email
    EmailAddress.objects.filter(user=user).delete()
    if own and email:
        EmailAddress.objects.create(user=user, email=email, verified=False, primary=True)
    audit.record(actor, "user.email_changed", user.username, before=before, after=email)
    return True
