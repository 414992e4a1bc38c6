"""Whom the characters behind an ``@`` stand for: people by user name, teams by name or slug."""

from __future__ import annotations

import re
from collections.abc import Iterable

from django.db.models import Q, QuerySet
from django.db.models.functions import Lower

from soar.accounts.models import Team, User
from soar.lib.mentions import candidates, plain
from soar.lib.text import names_in


def known() -> QuerySet[User]:
    """Whom anybody who sees cases may name: active people, not programs."""
    return User.objects.filter(is_active=True, is_service=False)


def people_named(names: list[str]) -> dict[str, tuple[str, User]]:
    """Of what stands behind each ``@``, who is meant and which part is their name. The exact user name first, then one
    that differs in case alone and is the only one."""
    wanted = {plain(one) for name in names for one in candidates(name)}
    alike = Q(folded__in={one.lower() for one in wanted})
    rows = known().annotate(folded=Lower("username")).filter(Q(username__in=wanted) | alike)
    folded: dict[str, list[User]] = {}
    for row in rows.defer("password"):
        folded.setdefault(row.username.lower(), []).append(row)
    found: dict[str, tuple[str, User]] = {}
    for name in names:
        for one in candidates(name):
            user = _chosen(plain(one), folded.get(plain(one).lower(), []))
            if user is not None:
                found[name] = (one, user)
                break
    return found


def _chosen(name: str, alike: list[User]) -> User | None:
    exact = next((user for user in alike if user.username == name), None)
    return exact or (alike[0] if len(alike) == 1 else None)


def slug_of(name: str) -> str:
    """How a team is named in a text: ``Tier 2`` is ``tier-2``."""
    return re.sub(r"[^\w]+", "-", plain(name).lower()).strip("-")


def teams_named(names: list[str]) -> dict[str, tuple[str, Team]]:
    """Of what stands behind each ``@``, which team is meant, by its name or slug in whatever case."""
    by_name: dict[str, Team] = {}
    for team in Team.objects.all() if names else ():
        by_name.setdefault(slug_of(team.name), team)
        by_name.setdefault(plain(team.name).lower(), team)
    found = {}
    for name in names:
        one = next((one for one in candidates(name) if plain(one).lower() in by_name), "")
        if one:
            found[name] = (one, by_name[plain(one).lower()])
    return found


def members_of(teams: Iterable[Team]) -> set[int]:
    """Ids of the active people in these teams."""
    groups = {team.group_id for team in teams}
    rows = User.groups.through.objects.filter(group_id__in=groups, user__in=known())
    return set(rows.values_list("user_id", flat=True)) if groups else set()


def both_named(text: str) -> tuple[dict[str, User], dict[str, Team]]:
    """People and teams named in a text, by what stands behind the ``@`` without punctuation. A person wins over a team
    of the same name."""
    names = names_in(text)
    if not names:
        return {}, {}
    people = people_named(names)
    teams = teams_named([name for name in names if name not in people])
    return dict(people.values()), dict(teams.values())
