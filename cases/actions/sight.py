"""Who sees what goes between incidents (casework.md 9, access.md 3): nobody comes to see what a restricted one holds by
a merge, a split or an undo, and what went into an incident is seen as that one is."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from cases.merged import absorbed_by
from cases.models import Incident, IncidentGroupPermission, IncidentMove, IncidentUserPermission
from cases.sla.calendar import NEVER
from soar.accounts.models import User
from soar.accounts.models.grant import current
from soar.lib import clock

LETS_IN = ("view", "manage")  # what shows a restricted incident, and what shows it to others
_Table = type[IncidentUserPermission | IncidentGroupPermission]


def more_people(source: Incident, target: Incident) -> int:
    """How many people and groups may see the restricted ``target``, or say who else does, and may not do so, or not for
    so long, on the restricted ``source``."""
    wider: set[tuple[str, int]] = set()
    for level in LETS_IN:
        groups = _ends(IncidentGroupPermission, "group", source, level)
        people = _ends(IncidentUserPermission, "user", source, level)
        wanted = _ends(IncidentUserPermission, "user", target, level)
        wider |= {("user", pk) for pk in _wider(wanted, _with_groups(people, groups, wanted))}
        wider |= {("group", pk) for pk in _wider(_ends(IncidentGroupPermission, "group", target, level), groups)}
    return len(wider)


def _ends(table: _Table, column: str, incident: Incident, level: str) -> dict[int, datetime]:
    """Until when each holder has the level; a grant of a level has a row for each one up to it."""
    rows = table._default_manager.filter(current(), content_object=incident, permission__codename=f"{level}_incident")
    return {pk: until or NEVER for pk, until in rows.values_list(f"{column}_id", "expires_at")}


def _with_groups(
    people: Mapping[int, datetime], groups: Mapping[int, datetime], wanted: Mapping[int, datetime]
) -> dict[int, datetime]:
    """Until when each of the wanted people has it, by a grant of their own or of a group of theirs."""
    found = dict(people)
    members = User.groups.through.objects.filter(group__in=list(groups), user__in=list(wanted))
    for user, group in members.values_list("user_id", "group_id"):
        found[user] = max(found.get(user, groups[group]), groups[group])
    return found


def _wider(wanted: Mapping[int, datetime], there: Mapping[int, datetime]) -> set[int]:
    return {pk for pk, until in wanted.items() if pk not in there or there[pk] < until}


def follow(end: Incident) -> int:
    """Let all that went into a locked incident, also by way of others, be seen as it is: while it is restricted, by its
    grants alone; then by each one's own restriction again. Returns how many there are."""
    rows = Incident.objects.select_for_update(of=("self",)).filter(pk__in=absorbed_by([end.pk])).order_by("pk")
    inside: defaultdict[int, list[Incident]] = defaultdict(list)
    for husk in rows:
        inside[husk.merged_into_id or 0].append(husk)
    own = _own_restrictions([husk.pk for husks in inside.values() for husk in husks])
    waiting = [end]
    while waiting:
        parent = waiting.pop()
        for husk in inside[parent.pk]:
            husk.access_of_id = parent.access_of_id or (parent.pk if parent.restricted else None)
            husk.restricted = husk.access_of_id is not None or bool(own.get(husk.pk))
            Incident.objects.filter(pk=husk.pk).update(
                access_of=husk.access_of_id, restricted=husk.restricted, updated_at=clock.now()
            )
            waiting.append(husk)
    return sum(map(len, inside.values()))


def _own_restrictions(husks: list[int]) -> dict[int, bool]:
    """Whether each was restricted itself when it went."""
    moves = IncidentMove.objects.filter(kind=IncidentMove.Kind.MERGE, source__in=husks, undone_at=None)
    return dict(moves.order_by("pk").values_list("source", "before__restricted"))


def come_out(move: IncidentMove, source: Incident, target: Incident) -> int:
    """The restriction, in memory, of what comes out of a locked incident again: its own, and that of the other one if
    that came since the merge; then those who see the other one see it too. Returns how many rows of grants it got."""
    own = bool(move.before.get("restricted"))
    since = target.restricted and not move.before.get("within", False)
    source.access_of, source.restricted = None, own or since
    return copy_grants(target, source) if since and not own else 0


def copy_grants(source: Incident, target: Incident) -> int:
    """Give those who are let in to ``source`` the same on ``target``, where they have nothing; how many rows."""
    return sum(_copied(table, source, target) for table in (IncidentUserPermission, IncidentGroupPermission))


def _copied(table: Any, source: Incident, target: Incident) -> int:
    rows = list(table.objects.filter(content_object=source))
    for row in rows:
        row.pk, row.content_object = None, target
        row._state.adding = True
    table.objects.bulk_create(rows, ignore_conflicts=True)
    return len(rows)
