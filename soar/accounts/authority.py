"""Who may change whom: nobody gives, or takes from somebody, more than they hold themselves (rulings 20).

Changes of people, teams, roles and their tokens wait for each other, so that two admins at once cannot take the last
admin away between them."""

from __future__ import annotations

from collections.abc import Iterable

from django.contrib.auth.models import Permission
from django.db.models import Q
from django.utils.translation import gettext as _

from soar.accounts.membership import may, team_ids
from soar.accounts.models import Role, Team, User
from soar.lib.errors import Conflict, Forbidden

ADMIN = "Admin"
RIGHTS: dict[str, str] = dict(Role._meta.permissions)
# More than all permissions together: Django's own pages, and every level on every object.
BEING_ADMIN = "admin"


def one_at_a_time(actor: User | None) -> User | None:
    """Wait for other changes of people, to the end of the transaction. Returns the actor as they are now.

    Raises Forbidden if they may not manage people (any more). None is the system, which may."""
    list(Role.objects.select_for_update().filter(group__name=ADMIN).values_list("pk"))
    if actor is None:
        return None
    fresh = User.objects.get(pk=actor.pk)
    fresh.token_scopes = actor.token_scopes
    if not may(fresh, "manage_people"):
        raise Forbidden(_("The permission to manage people is missing."))
    return fresh


def held(user: User | None) -> frozenset[str]:
    """The permissions of the product that somebody may use now, within the scopes of their token."""
    found = {name for name in RIGHTS if user is None or may(user, name)}
    admin = user is None or (user.is_active and user.is_superuser and user.token_scopes is None)
    return frozenset(found | {BEING_ADMIN} if admin else found)


def rights_of(user: User) -> frozenset[str]:
    """The permissions of the product that somebody has, also while they are deactivated."""
    if user.is_superuser:
        return frozenset({*RIGHTS, BEING_ADMIN})
    rows = Permission.objects.filter(Q(group__user=user) | Q(user=user), content_type__app_label="accounts")
    return frozenset(rows.values_list("codename", flat=True)) & RIGHTS.keys()


def rights_of_roles(roles: Iterable[Role]) -> frozenset[str]:
    """What these roles give together."""
    asked = list(roles)
    rows = Permission.objects.filter(group__role__in=asked, content_type__app_label="accounts")
    rights = frozenset(rows.values_list("codename", flat=True)) & RIGHTS.keys()
    return rights | {BEING_ADMIN} if any(role.group.name == ADMIN for role in asked) else rights


def named(rights: Iterable[str]) -> str:
    """Permissions as people read them."""
    return ", ".join(f"“{_(RIGHTS[name]) if name in RIGHTS else _('Admin')}”" for name in rights)


def check_holds(actor: User | None, rights: Iterable[str], field: str | None = None) -> None:
    """Raise Forbidden unless the actor holds all these permissions."""
    if lacking := sorted(set(rights) - held(actor)):
        raise Forbidden(_("You cannot give what you do not hold: %s.") % named(lacking), field=field)


def check_over(actor: User | None, user: User) -> None:
    """Raise Forbidden for somebody who holds more than the actor: that is oneself, too, behind a token with scopes, or
    it would take over the whole account."""
    if actor is None or (actor.pk == user.pk and actor.token_scopes is None):
        return
    if lacking := sorted(rights_of(user) - held(actor)):
        if actor.pk == user.pk:
            raise Forbidden(_("Your account holds more than this token: %s.") % named(lacking))
        raise Forbidden(_("%(name)s holds more than you: %(rights)s.") % {"name": user, "rights": named(lacking)})


def check_whole(user: User | None, among: Iterable[str] = RIGHTS) -> None:
    """Raise Forbidden for a token whose scopes leave out what its person holds, of ``among``: what goes on later with
    all the rights of a person is not begun by less."""
    if user is None or user.token_scopes is None:
        return
    if lacking := sorted(rights_of(user).intersection(among) - user.token_scopes):
        text = _("This goes on with all your rights, and this token leaves some out: %s.")
        raise Forbidden(text % named(lacking))


def check_teams(actor: User | None, teams: Iterable[Team]) -> None:
    """Raise Forbidden for a team whose things the actor does not see: nobody lets themselves, or others, in there."""
    if actor is None or may(actor, "view_all_teams"):
        return
    mine = set(team_ids(actor))
    if other := [team.name for team in teams if team.pk not in mine]:
        raise Forbidden(_("You are not in %s, so you let nobody in.") % ", ".join(other), field="teams")


def check_admin_stays() -> None:
    """Raise Conflict when nobody active would be an admin any more. Asked after the change, before its commit."""
    if not User.objects.filter(groups__name=ADMIN, is_active=True, is_service=False).exists():
        raise Conflict(_("This is the last active admin. Make somebody else an admin first."), code="last_admin")
