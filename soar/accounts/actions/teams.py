"""Making, renaming and removing teams, and who is in them."""

from __future__ import annotations

from collections.abc import Iterable

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import ProtectedError
from django.utils.translation import gettext as _

from soar.accounts import audit, authority, owning
from soar.accounts.actions.users import ensure_team
from soar.accounts.models import Role, Team, User
from soar.lib.errors import Conflict, Missing, Refused

NAME_AT_MOST = 100
MEMBERS_AT_MOST = 1000


@transaction.atomic
def create(actor: User | None, name: str) -> Team:
    """Make a team. Raises Refused for an empty or over-long name, Conflict for one that is taken."""
    actor = authority.one_at_a_time(actor)
    name = name.replace("\x00", "").strip()
    if Team.objects.filter(name__iexact=name).exists():
        raise Conflict(_("There is a team of this name."), field="name", code="duplicate")
    try:
        return ensure_team(name, actor)
    except ValidationError as error:
        raise Refused(" ".join(error.messages), field="name") from error


@transaction.atomic
def update(actor: User | None, pk: int, *, name: str | None = None, members: Iterable[str] | None = None) -> Team:
    """Rename a team, or say who is in it (user names; all of them). Who joins sees what belongs to the team.

    Raises Missing, Refused beside the field, Forbidden for a team that the actor is not in, Conflict for a taken name.
    """
    actor, team = _changing(actor, pk)
    before: dict[str, object] = {}
    after: dict[str, object] = {}
    if name is not None and (wanted := _name(name)) != team.name:
        _check_free(wanted, team)
        before["name"], after["name"] = team.name, wanted
        team.name, team.group.name = wanted, f"team:{wanted}"
        team.save(update_fields=["name"])
        team.group.save(update_fields=["name"])
    if members is not None and (moved := _set_members(actor, team, list(members))):
        before["members"], after["members"] = moved
    if after:
        audit.record(actor, "team.changed", team.name, before=before, after=after)
    return team


@transaction.atomic
def put(actor: User | None, pk: int, username: str, *, inside: bool) -> Team:
    """Let one person in, or out; of the others nothing is said, so that two who do so at once undo nothing of each
    other's. Raises as ``update`` does."""
    _actor, team = _changing(actor, pk)
    if not username:
        raise Refused(_("Name somebody."), field="members")
    had = set(team.group.user_set.values_list("username", flat=True))
    return update(actor, pk, members=had | {username} if inside else had - {username})


@transaction.atomic
def delete(actor: User | None, pk: int, *, move_to: str | None = None) -> None:
    """Remove a team. With ``move_to`` what belongs to it goes to that team; "" lets it belong to none, so that
    everybody who may see cases sees it. Raises Missing, Refused, and Conflict while something belongs to it."""
    actor, team = _changing(actor, pk)
    moved = _moved(actor, team, move_to) if move_to is not None else {}
    if owned := owning.of_team(actor, team):
        told = ", ".join(f"{one.count}{'+' if one.more else ''} {one.label}" for one in owned)
        raise Conflict(_("This belongs to the team: %s. Move it first.") % told, code="in_use")
    members = sorted(team.group.user_set.values_list("username", flat=True))
    try:
        team.group.delete()
    except ProtectedError:
        text = _("Something that you may not see belongs to the team.")
        raise Conflict(text, code="in_use") from None
    audit.record(actor, "team.deleted", team.name, members=members, moved_to=move_to, moved=moved)


def _moved(actor: User | None, team: Team, move_to: str) -> dict[str, int]:
    to = None
    if move_to:
        to = Team.objects.filter(name__iexact=move_to[:NAME_AT_MOST].replace("\x00", "")).first()
        if to is None or to == team:
            raise Refused(_("There is no other team of this name."), field="move_to")
    authority.check_teams(actor, [team, *([to] if to else [])])
    moved = {}
    for sort in owning.sorts():
        found = sort.of_team(actor, team)
        if found is not None and found.rows.exists():
            moved[found.name] = sort.move(actor, team, to)
    return moved


def _changing(actor: User | None, pk: int) -> tuple[User | None, Team]:
    actor = authority.one_at_a_time(actor)
    team = Team.objects.select_related("group").select_for_update(of=("self",)).filter(pk=pk).first()
    if team is None:
        raise Missing(_("There is no such team."))
    return actor, team


def _set_members(actor: User | None, team: Team, names: list[str]) -> tuple[list[str], list[str]] | None:
    if len(names) > MEMBERS_AT_MOST:
        raise Refused(_("At most %d people.") % MEMBERS_AT_MOST, field="members")
    names = [name[:150].replace("\x00", "") for name in names]
    wanted = {user.username: user for user in User.objects.filter(username__in=names)}
    if unknown := sorted(set(names) - wanted.keys()):
        raise Refused(_("There is nobody of the name %s.") % ", ".join(unknown[:5]), field="members")
    had = {user.username: user for user in team.group.user_set.all()}
    if wanted.keys() == had.keys():
        return None
    if wanted.keys() - had.keys():
        authority.check_teams(actor, [team])
    team.group.user_set.set(wanted.values())
    return sorted(had), sorted(wanted)


def _name(name: str) -> str:
    text = name.replace("\x00", "").strip()
    if not text or len(text) > NAME_AT_MOST:
        raise Refused(_("A team needs a name of at most %d characters.") % NAME_AT_MOST, field="name")
    return text


def _check_free(name: str, team: Team) -> None:
    others = Team.objects.exclude(pk=team.pk).filter(name__iexact=name)
    if others.exists() or Role.objects.filter(group__name__iexact=name).exists():
        raise Conflict(_("A team or role has this name."), field="name", code="duplicate")
