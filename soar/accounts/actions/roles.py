"""Own roles: sets of the product's permissions. The built-in ones stay as they are (access.md 2)."""

from __future__ import annotations

from collections.abc import Iterable

from django.contrib.auth.models import Group, Permission
from django.db import transaction
from django.utils.translation import gettext as _

from soar.accounts import audit, authority
from soar.accounts.models import Role, Team, User
from soar.lib.errors import Conflict, Missing, Refused

NAME_AT_MOST, TEXT_AT_MOST = 100, 500


@transaction.atomic
def create(actor: User | None, name: str, *, description: str = "", permissions: Iterable[str] = ()) -> Role:
    """Make a role of permissions (codenames) that the actor holds. Raises Refused, Forbidden, Conflict for a name that
    is taken."""
    actor = authority.one_at_a_time(actor)
    wanted, rights = _name(name), _rights(permissions)
    _check_free(wanted)
    authority.check_holds(actor, rights, "permissions")
    group = Group.objects.create(name=wanted)
    role = Role.objects.create(group=group, description=_text(description))
    group.permissions.set(_rows(rights))
    audit.record(actor, "role.created", wanted, permissions=sorted(rights))
    return role


@transaction.atomic
def update(
    actor: User | None,
    pk: int,
    *,
    name: str | None = None,
    description: str | None = None,
    permissions: Iterable[str] | None = None,
) -> Role:
    """Change an own role; what is not given stays. Who changes it must hold what it gives before and afterwards.

    Raises Missing, Refused beside the field, Forbidden, Conflict for a built-in role or a taken name."""
    actor, role = _changing(actor, pk)
    before: dict[str, object] = {}
    after: dict[str, object] = {}
    if name is not None and (wanted := _name(name)) != role.group.name:
        _check_free(wanted, role)
        before["name"], after["name"] = role.group.name, wanted
        role.group.name = wanted
        role.group.save(update_fields=["name"])
    if description is not None and (text := _text(description)) != role.description:
        before["description"], after["description"] = role.description, text
        role.description = text
        role.save(update_fields=["description"])
    if permissions is not None and (rights := _rights(permissions)) != (had := authority.rights_of_roles([role])):
        authority.check_holds(actor, rights, "permissions")
        before["permissions"], after["permissions"] = sorted(had), sorted(rights)
        role.group.permissions.set(_rows(rights))
    if after:
        audit.record(actor, "role.changed", role.group.name, before=before, after=after)
    return role


@transaction.atomic
def delete(actor: User | None, pk: int) -> None:
    """Remove an own role from everybody who has it. Raises Missing, Forbidden, Conflict for a built-in role."""
    actor, role = _changing(actor, pk)
    people = sorted(role.group.user_set.values_list("username", flat=True))
    rights = sorted(authority.rights_of_roles([role]))
    audit.record(actor, "role.deleted", role.group.name, permissions=rights, people=people)
    role.group.delete()


def losses(role: Role) -> list[tuple[User, list[str]]]:
    """Who has the role, with the permissions (codenames) that they would have no longer without it."""
    gives = authority.rights_of_roles([role])
    found = []
    for user in role.group.user_set.order_by("username")[:200]:
        others = Role.objects.filter(group__user=user).exclude(pk=role.pk)
        kept = frozenset(authority.RIGHTS) if user.is_superuser else authority.rights_of_roles(others)
        found.append((user, sorted(gives - kept)))
    return found


def _changing(actor: User | None, pk: int) -> tuple[User | None, Role]:
    actor = authority.one_at_a_time(actor)
    role = Role.objects.select_related("group").select_for_update(of=("self",)).filter(pk=pk).first()
    if role is None:
        raise Missing(_("There is no such role."))
    if role.builtin:
        raise Conflict(_("%s is built in and stays as it is. Make a role of your own.") % role, code="builtin")
    authority.check_holds(actor, authority.rights_of_roles([role]))
    return actor, role


def _rights(given: Iterable[str]) -> frozenset[str]:
    rights = frozenset(given)
    if unknown := sorted(rights - authority.RIGHTS.keys()):
        known = ", ".join(authority.RIGHTS)
        text = _("Not a permission: %(unknown)s. Permissions: %(known)s.")
        raise Refused(text % {"unknown": ", ".join(unknown)[:200], "known": known}, field="permissions")
    return rights


def _rows(rights: frozenset[str]) -> list[Permission]:
    return list(Permission.objects.filter(content_type__app_label="accounts", codename__in=rights))


def _name(name: str) -> str:
    text = name.replace("\x00", "").strip()
    if not text or len(text) > NAME_AT_MOST or text.lower().startswith("team:"):
        raise Refused(_("A role needs a name of at most %d characters.") % NAME_AT_MOST, field="name")
    return text


def _text(text: str) -> str:
    text = text.replace("\x00", "").strip()
    if len(text) > TEXT_AT_MOST:
        raise Refused(_("At most %d characters.") % TEXT_AT_MOST, field="description")
    return text


def _check_free(name: str, role: Role | None = None) -> None:
    groups = Group.objects.filter(name__iexact=name).exclude(pk=role.group_id if role else 0)
    if groups.exists() or Team.objects.filter(name__iexact=name).exists():
        raise Conflict(_("A role or team has this name."), field="name", code="duplicate")
