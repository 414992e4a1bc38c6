"""Owners: they own the other incident as well, as far as they may work on it."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cases import timeline
from cases.actions.incident_owners import told_of
from cases.actions.moving.base import Part, Told, Way
from cases.actions.restriction import let_owners_go
from cases.models import Incident, IncidentOwner
from cases.models.incident import OWNERS_AT_MOST
from cases.permissions import INCIDENT
from soar.accounts.membership import may
from soar.accounts.models import User


class Owners(Part):
    """Who owns the merged incident goes on owning it, for its page. Who leads the other one stays its lead."""

    name, label = "owners", gettext_lazy("owners")

    def preview(self, way: Way) -> Told:
        """Those who may work on the other one, while there is room."""
        joining, staying = joining_of(way)
        return Told(len(joining), staying, _("they may not work on %s") % way.target.number if staying else "")

    def move(self, way: Way) -> list[int]:
        """Ids of the people who joined."""
        joining, _staying = joining_of(way)
        IncidentOwner.objects.bulk_create([IncidentOwner(incident=way.target, user=user) for user in joining])
        if joining:
            _tell(way, "added", joining)
        return [user.pk for user in joining]

    def stays(self, way: Way, kept: Any) -> list[str]:
        """Who leads by now."""
        leads = IncidentOwner.objects.filter(incident=way.target, user__in=kept, lead=True).select_related("user")
        return [_("%s leads by now and stays an owner") % row.user.display_name() for row in leads]

    def back(self, way: Way, kept: Any) -> list[str]:
        """Those who do not lead by now, and own no other that went into it later. What the rule for owners gave them
        on a restricted incident goes with the owning."""
        rows = list(IncidentOwner.objects.filter(incident=way.target, user__in=kept).select_related("user"))
        gone = [row for row in rows if not row.lead and not _left_to_heir(way, row.user)]
        IncidentOwner.objects.filter(pk__in=[row.pk for row in gone]).delete()
        if gone:
            let_owners_go(way.actor, way.target, [row.user_id for row in gone])
            _tell(way, "removed", [row.user for row in gone])
        return [_("%s leads by now and stays an owner") % row.user.display_name() for row in rows if row.lead]


def _left_to_heir(way: Way, user: User) -> bool:
    heir = way.heir(lambda incident: incident.owner_rows.filter(user=user).exists())
    if heir is not None:
        heir.moved[Owners.name] = [*heir.moved.get(Owners.name, []), user.pk]
    return heir is not None


def _tell(way: Way, what: str, people: list[User]) -> None:
    """The entry that tells who owns it now, as for any other way to become an owner."""
    data = told_of(what, sorted(people, key=lambda user: (user.display_name(), user.pk)))
    timeline.record("incident.owners", way.target, way.actor, text=way.why, data=data)


def joining_of(way: Way) -> tuple[list[User], int]:
    """Who joins, and how many cannot: a restricted incident takes no owner whom nobody let in."""
    there = set(IncidentOwner.objects.filter(incident=way.target).values_list("user_id", flat=True))
    rows = IncidentOwner.objects.filter(incident=way.source).exclude(user__in=way.gone).select_related("user")
    others = [row.user for row in rows if row.user_id not in there and row.user.is_active]
    joining = [user for user in others if _able(user, way.target)][: max(OWNERS_AT_MOST - len(there), 0)]
    return joining, len(others) - len(joining)


def _able(user: User, target: Incident) -> bool:
    """By role, or by the incident's own grants, which alone count for a restricted one (access.md 3)."""
    return INCIDENT.is_granted(user, target, "comment") or (not target.restricted and may(user, "work_cases"))
