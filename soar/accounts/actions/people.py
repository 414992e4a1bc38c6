"""Changing people: fields, roles, teams, whether they are active, passwords, and who takes over what they own.

Each is one transaction with its audit row. Whoever calls must hold ``manage_people`` and all that the person holds."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.utils.translation import gettext as _

from soar.accounts import audit, authority, owning
from soar.accounts.actions.sessions import end_for_good
from soar.accounts.actions.users import create_user
from soar.accounts.models import Role, Team, User
from soar.lib.errors import Conflict, Missing, Refused

NAME_AT_MOST, EMAIL_AT_MOST = 150, 254
TEXTS = ("first_name", "last_name", "email")


@transaction.atomic
def create(
    actor: User | None,
    username: str,
    *,
    first_name: str = "",
    last_name: str = "",
    email: str = "",
    roles: Iterable[str] = (),
    teams: Iterable[str] = (),
    service: bool = False,
) -> tuple[User, str]:
    """Make a person, or a service: a program that has tokens and no password. Roles and teams by name.

    Returns the user and the password, which is shown this once ("" for a service). Raises Refused beside the field that
    is wrong, Forbidden for what the actor does not hold."""
    actor = authority.one_at_a_time(actor)
    given = {"first_name": first_name, "last_name": last_name, "email": email}
    texts = {name: _text(name, value) for name, value in given.items()}
    wanted, member = _roles(roles), _teams(teams)
    authority.check_holds(actor, authority.rights_of_roles(wanted), "roles")
    authority.check_teams(actor, member)
    if service and any(role.group.name == authority.ADMIN for role in wanted):
        raise Refused(_("A program cannot be an admin."), field="roles")
    try:
        user, password = create_user(
            username.replace("\x00", "").strip(),
            roles=[role.group.name for role in wanted],
            teams=[team.name for team in member],
            actor=actor,
            login=not service,
            service=service,
            **texts,
        )
    except ValidationError as error:
        field, problems = next(iter(error.message_dict.items()))
        raise Refused(" ".join(problems), field=None if field == "__all__" else field) from error
    return user, password


@transaction.atomic
def update(actor: User | None, pk: int, changes: dict[str, Any]) -> User:
    """Change ``first_name``, ``last_name``, ``email``, ``roles`` and ``teams`` (names; all of them). What is not named
    stays. Raises Missing, Refused beside the field, Forbidden, and Conflict when the last admin would go."""
    actor, user = _changing(actor, pk)
    before: dict[str, Any] = {}
    after: dict[str, Any] = {}
    for name in TEXTS:
        if name in changes and (new := _text(name, changes[name])) != getattr(user, name):
            before[name], after[name] = getattr(user, name), new
            setattr(user, name, new)
    for name, change in (("roles", _set_roles), ("teams", _set_teams)):
        if changes.get(name) is not None and (moved := change(actor, user, changes[name])):
            before[name], after[name] = moved
    if after:
        user.save(update_fields=[*TEXTS, "is_staff", "is_superuser"])
        if authority.ADMIN in before.get("roles", ()) and authority.ADMIN not in after["roles"]:
            authority.check_admin_stays()
        audit.record(actor, "user.changed", user.username, before=before, after=after)
    return user


@transaction.atomic
def set_active(actor: User | None, pk: int, active: bool) -> User:
    """Deactivate somebody, or let them in again. Their sessions end; their tokens do nothing while it lasts.

    Doing it twice changes nothing. Raises Missing, Forbidden, Conflict for oneself and for the last admin."""
    actor, user = _changing(actor, pk)
    if actor is not None and actor.pk == pk and not active:
        raise Conflict(_("You cannot deactivate yourself. Somebody else has to."), code="own_account")
    if user.is_active == active:
        return user
    user.is_active = active
    user.save(update_fields=["is_active"])
    if not active:
        end_for_good(user)
    if not active and user.is_superuser:
        authority.check_admin_stays()
    audit.record(actor, "user.activated" if active else "user.deactivated", user.username)
    return user


@transaction.atomic
def new_password(actor: User | None, pk: int) -> tuple[User, str]:
    """Give somebody a new password, shown this once; their sessions end. Raises Missing, Forbidden, Conflict for a
    service, which has none."""
    actor, user = _changing(actor, pk)
    if user.is_service:
        raise Conflict(_("A program has tokens, no password."), code="service")
    password = secrets.token_urlsafe(12)
    user.set_password(password)
    user.save(update_fields=["password"])
    audit.record(actor, "user.password_set", user.username)
    return user, password


def hand_over(actor: User, pk: int, to: str) -> dict[str, int]:
    """Give what somebody owns and still works on to an active person. Returns how many of each sort.

    Each sort by itself is all or nothing. Raises Missing, Forbidden, and Refused for somebody who cannot take it."""
    with transaction.atomic():
        fresh, user = _changing(actor, pk)
    taker = User.objects.filter(username=str(to)[:NAME_AT_MOST].replace("\x00", ""), is_active=True).first()
    if taker is None or taker.is_service:
        raise Refused(_("There is no active person of this name."), field="to")
    if taker == user:
        raise Refused(_("They own it already."), field="to")
    given: dict[str, int] = {}
    movable = {one.name for one in owning.of_user(fresh, user) if one.movable}
    for sort in owning.sorts():
        found = sort.of_user(fresh, user)
        if fresh is not None and found is not None and found.name in movable:
            with transaction.atomic():
                given[found.name] = sort.hand_over(fresh, user, taker)
                told: dict[str, Any] = {"to": taker.username, "what": found.name, "count": given[found.name]}
                audit.record(fresh, "user.handed_over", user.username, **told)
    return given


def _changing(actor: User | None, pk: int) -> tuple[User | None, User]:
    """The actor and the person as they are now, under the lock of all such changes."""
    actor = authority.one_at_a_time(actor)
    user = User.objects.select_for_update(of=("self",)).filter(pk=pk).first()
    if user is None:
        raise Missing(_("There is no such person."))
    authority.check_over(actor, user)
    return actor, user


def _set_roles(actor: User | None, user: User, names: Iterable[str]) -> tuple[list[str], list[str]] | None:
    wanted = _roles(names)
    had = list(Role.objects.filter(group__user=user).select_related("group"))
    if set(wanted) == set(had):
        return None
    if user.is_service and any(role.group.name == authority.ADMIN for role in wanted):
        raise Refused(_("A program cannot be an admin."), field="roles")
    authority.check_holds(actor, authority.rights_of_roles(set(wanted) - set(had)), "roles")
    user.groups.remove(*(role.group for role in had if role not in wanted))
    user.groups.add(*(role.group for role in wanted))
    user.is_staff = user.is_superuser = any(role.group.name == authority.ADMIN for role in wanted)
    return sorted(role.group.name for role in had), sorted(role.group.name for role in wanted)


def _set_teams(actor: User | None, user: User, names: Iterable[str]) -> tuple[list[str], list[str]] | None:
    wanted = _teams(names)
    had = list(Team.objects.filter(group__user=user).select_related("group"))
    if set(wanted) == set(had):
        return None
    authority.check_teams(actor, set(wanted) - set(had))
    user.groups.remove(*(team.group for team in had if team not in wanted))
    user.groups.add(*(team.group for team in wanted))
    return sorted(team.name for team in had), sorted(team.name for team in wanted)


def _roles(names: Iterable[str]) -> list[Role]:
    return [_named(Role, "group__name__iexact", name, "roles") for name in dict.fromkeys(names)]


def _teams(names: Iterable[str]) -> list[Team]:
    return [_named(Team, "name__iexact", name, "teams") for name in dict.fromkeys(names)]


def _named(model: Any, lookup: str, name: str, field: str) -> Any:
    row = model.objects.select_related("group").filter(**{lookup: name[:150].replace("\x00", "")}).first()
    if row is None:
        raise Refused(_("There is none of the name %s.") % name[:60], field=field)
    return row


def _text(field: str, value: str) -> str:
    text, most = value.replace("\x00", "").strip(), EMAIL_AT_MOST if field == "email" else NAME_AT_MOST
    if len(text) > most:
        raise Refused(_("At most %d characters.") % most, field=field)
    if field == "email" and text:
        try:
            validate_email(text)
        except ValidationError as error:
            raise Refused(_("This is no e-mail address."), field=field) from error
    return text
