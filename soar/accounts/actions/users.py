"""Making people and giving them roles, teams and tokens."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.contrib.auth.models import Group
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils.translation import gettext
from django.utils.translation import gettext as _

from soar.accounts import audit
from soar.accounts.models import ApiToken, Role, Team, User
from soar.accounts.tokens import new_token

FIRST_ADMIN = "admin"
SCOPES = frozenset(codename for codename, _ in Role._meta.permissions)


@transaction.atomic
def create_user(
    username: str,
    *,
    password: str | None = None,
    roles: Iterable[str] = (),
    teams: Iterable[str] = (),
    actor: User | None = None,
    first_name: str = "",
    last_name: str = "",
    email: str = "",
    login: bool = True,
    service: bool = False,
) -> tuple[User, str]:
    """Make a person with these roles and teams (by name; a team that is not there is made). Without ``login`` nobody
    can log in as them, and no time goes into a password. A ``service`` is a program.

    Returns the user and the password, made here when none is given. Raises ValidationError for a name
    that is taken or malformed, a weak password or an unknown role. The ``Admin`` role opens Django's admin.
    """
    role_groups = [_role_group(name) for name in roles]
    user = User(username=username, first_name=first_name, last_name=last_name, email=email, is_service=service)
    if password is not None:
        validate_password(password, user)
    secret = password if password is not None else secrets.token_urlsafe(12) if login else ""
    user.set_password(secret or None)
    user.is_staff = user.is_superuser = "Admin" in {group.name for group in role_groups}
    user.full_clean()
    try:
        with transaction.atomic():
            user.save()
    except IntegrityError as error:
        raise ValidationError({"username": _("This name is taken.")}) from error
    member = [ensure_team(name, actor) for name in teams]
    user.groups.set([*role_groups, *(team.group for team in member)])
    told: dict[str, Any] = {"roles": sorted(group.name for group in role_groups)}
    told["teams"] = sorted(team.name for team in member)
    audit.record(actor, "user.created", username, **told, service=service)
    return user, secret


def _role_group(name: str) -> Group:
    role = Role.objects.select_related("group").filter(group__name__iexact=name).first()
    if role is None:
        known = ", ".join(Role.objects.order_by("pk").values_list("group__name", flat=True))
        raise ValidationError(
            {"roles": _("There is no role %(name)s. Roles: %(known)s.") % {"name": repr(name), "known": known}}
        )
    return role.group


def ensure_team(name: str, actor: User | None = None) -> Team:
    """The team of this name (compared without case), made if it is not there.

    Raises ValidationError for an empty name or one that a role bears."""
    name = name.strip()
    if not name or len(name) > 100:
        raise ValidationError({"team": gettext("A team needs a name of at most 100 characters.")})
    team = Team.objects.select_related("group").filter(name__iexact=name).first()
    if team is not None:
        return team
    if Role.objects.filter(group__name__iexact=name).exists():
        raise ValidationError({"team": gettext("%(name)s is the name of a role.") % {"name": repr(name)}})
    group, _ = Group.objects.get_or_create(name=f"team:{name}")
    team, made = Team.objects.get_or_create(group=group, defaults={"name": name})
    if made:
        audit.record(actor, "team.created", name)
    return team


def ensure_admin(password: str | None) -> str | None:
    """Make the first admin (contract: the name is ``admin``) when nobody is an admin yet.

    Returns the password if the admin was made now, else None."""
    if User.objects.filter(groups__name="Admin", is_active=True).exists():
        return None
    # The first password may be short: whoever set it in the environment owns the machine.
    user, made = create_user(FIRST_ADMIN, roles=["Admin"])
    if password:
        user.set_password(password)
        user.save(update_fields=["password"])
    return password or made


@transaction.atomic
def create_token(
    user: User,
    name: str,
    *,
    actor: User | None,
    scopes: Iterable[str] = (),
    expires_at: datetime | None = None,
) -> tuple[ApiToken, str]:
    """Make a personal API token. Returns the row and the token, which is shown this once.

    ``scopes`` are codenames of permissions (view_cases, ...); none means all that the user may.
    Raises ValidationError for an empty or over-long name or an unknown scope."""
    name, wanted = name.strip(), sorted(set(scopes))
    if not name or len(name) > 100:
        raise ValidationError({"name": _("A token needs a name of at most 100 characters.")})
    if unknown := sorted(set(wanted) - SCOPES):
        raise ValidationError(
            {
                "scopes": _("Not a scope: %(unknown)s. Scopes: %(scopes)s.")
                % {"unknown": ", ".join(unknown), "scopes": ", ".join(sorted(SCOPES))}
            }
        )
    token, prefix, token_digest = new_token("soar")
    row = ApiToken.objects.create(
        user=user, name=name, prefix=prefix, digest=token_digest, scopes=wanted, expires_at=expires_at
    )
    audit.record(actor or user, "token.created", f"{user.username}: {name}", scopes=list(row.scopes))
    return row, token


@transaction.atomic
def revoke_token(token: ApiToken, *, actor: User | None) -> None:
    """Make the token useless at once. Revoking twice changes nothing."""
    from django.utils import timezone

    if ApiToken.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=timezone.now()):
        audit.record(actor, "token.revoked", f"{token.user.username}: {token.name}")
