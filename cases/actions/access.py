"""Who may be let in to incidents and alert sources by name: the two kinds of cases (access.md 3, rulings 20)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cases import permissions, timeline
from cases.actions.base import save
from cases.actions.manual import HAND_SOURCE
from cases.actors import Actor
from cases.errors import Conflict, Missing, Refused
from cases.incident_filters import IncidentFilter
from cases.models import AlertSource, Incident, IncidentGroupPermission, IncidentOwner, IncidentUserPermission
from cases.source_access import sources_seen_by
from soar.accounts.access.jobs import AT_MOST
from soar.accounts.access.kinds import Grantable, Has, Way
from soar.accounts.membership import may
from soar.accounts.models import Team, User


class IncidentKind(Grantable):
    """Incidents: view < comment < edit < close < delete < manage. Each change stands on the timeline too."""

    name, rule, model = "incident", permissions.INCIDENT, Incident
    needed = "view_cases"
    noun, plural, closable = gettext_lazy("the incident"), gettext_lazy("Incidents"), True

    def found(self, ref: str) -> QuerySet[Incident]:
        """By id or number."""
        return Incident.objects.filter(pk=permissions.parse_number(ref, "INC"))

    def pks(self, user: User, refs: Iterable[str]) -> list[int]:
        """By id or number."""
        try:
            return [permissions.parse_number(ref, "INC") for ref in refs]
        except Missing as error:
            raise Refused(error.message, field="ids") from error

    def selected(self, user: User, filters: Mapping[str, Any]) -> list[int]:
        """By the filters of the list of incidents; at most one more than a job takes."""
        chosen = IncidentFilter.parse(filters)
        found = chosen.apply(Incident.objects.visible_to(user), user)
        unknown = [name for name in filters if name not in chosen.params]
        if unknown:
            raise Refused(_("%(unknown)s filters nothing.") % {"unknown": f"{unknown[0]:.40}"}, field="filter")
        if chosen.errors:
            raise Refused(chosen.errors[0], field="filter")
        return list(found.order_by("pk").values_list("pk", flat=True)[: AT_MOST + 1])

    def title(self, obj: Incident) -> str:
        """``INC-7``."""
        return obj.number

    def ref(self, obj: Incident) -> str:
        """Its number."""
        return obj.number

    def url(self, obj: Incident) -> str:
        """Its page."""
        return reverse("incident-detail", args=[obj.number])

    def sees(self, user: User, obj: Incident) -> bool:
        """By the one visibility query."""
        return Incident.objects.filter(pk=obj.pk).visible_to(user).exists()

    def counted(self, obj: Incident) -> Incident:
        """Of what was merged into a restricted one, that one."""
        return obj.access_of or obj

    def manages(self, user: User, obj: Incident) -> bool:
        """Nobody says by itself who sees what was merged into a restricted one: that one's grants count."""
        return obj.access_of_id is None and super().manages(user, obj)

    def holds(self, user: User, obj: Incident, level: str) -> bool:
        """By role or grant; also on one that was merged."""
        return permissions.entitled(user, obj, level)

    def is_closed(self, obj: Incident) -> bool:
        """Restricted: roles, teams and owning give nothing."""
        return obj.restricted

    def kept(self, obj: Incident) -> list[int]:
        """Its active owners."""
        return list(obj.owner_rows.filter(user__is_active=True).values_list("user_id", flat=True))

    def set_closed(self, user: User, obj: Incident, closed: bool, reason: str) -> None:
        """By the actions of the restriction."""
        from cases.actions import restriction  # which needs the kind

        act = restriction.restrict if closed else restriction.unrestrict
        act(Actor.of(user), obj.pk, reason=reason)

    def ways(self, obj: Incident, has: Has) -> list[Way]:
        """Owners, its team or everybody, and whoever sees all teams."""
        owns = Exists(IncidentOwner.objects.filter(incident=obj, user=OuterRef("pk")))
        reader = has("view_cases")
        return [Way("owner", _("Owner"), reader & Q(owns)), *team_ways(obj.team, reader, has)]

    def role_levels(self, has: Has) -> list[tuple[str, Q]]:
        """As ``cases.permissions.holds``."""
        return [("manage", has("manage_people") & has("work_cases")), ("close", has("work_cases"))]

    def changed(self, user: User | None, obj: Incident, verb: str, data: dict[str, Any]) -> None:
        """An entry of the timeline."""
        actor = Actor.of(user) if user is not None else Actor.system()
        timeline.record(verb, obj, actor, text=str(data.get("reason", "")), data=data)
        save(obj)

    def has_manager(self, obj: Incident) -> bool:
        """Whether an active person manages it by a grant without an end, of their own or of a group of theirs."""
        if not obj.restricted:
            return True
        lasting = {"content_object": obj, "permission__codename": "manage_incident", "expires_at": None}
        own = IncidentUserPermission.objects.filter(user__is_active=True, **lasting)
        return own.exists() or IncidentGroupPermission.objects.filter(group__user__is_active=True, **lasting).exists()

    def check_left(self, obj: Incident, *, had: bool) -> None:
        """A restricted incident keeps somebody who manages it."""
        if had and not self.has_manager(obj):
            raise Conflict(
                _(
                    "%(number)s is restricted and would be left without anybody who manages its access. Give "
                    "somebody else “manage” without an end first."
                )
                % {"number": obj.number}
            )


class SourceKind(Grantable):
    """Alert sources, and so their alerts: view < manage."""

    name, rule, model = "source", permissions.SOURCE, AlertSource
    needed, manager = "view_cases", "manage_sources"
    noun, plural, is_setup = gettext_lazy("the source and its alerts"), gettext_lazy("Sources"), True

    def found(self, ref: str) -> QuerySet[AlertSource]:
        """By its slug; not the one of alerts made by hand, on which nothing can be set."""
        return AlertSource.objects.filter(slug=str(ref).replace("\x00", "")).exclude(slug=HAND_SOURCE)

    def pks(self, user: User, refs: Iterable[str]) -> list[int]:
        """By slug, of the sources that the user sees."""
        rows = sources_seen_by(user).filter(slug__in=[str(ref) for ref in refs])
        return list(rows.values_list("pk", flat=True))

    def title(self, obj: AlertSource) -> str:
        """Its name."""
        return obj.name

    def ref(self, obj: AlertSource) -> str:
        """Its slug."""
        return obj.slug

    def url(self, obj: AlertSource) -> str:
        """Its page."""
        return reverse("source-detail", args=[obj.slug])

    def sees(self, user: User, obj: AlertSource) -> bool:
        """Whoever manages people sees those whose alerts they see anyway."""
        if super().sees(user, obj):
            return True
        return may(user, "manage_people") and sources_seen_by(user).filter(pk=obj.pk).exists()

    def ways(self, obj: AlertSource, has: Has) -> list[Way]:
        """Its team or everybody, whoever sees all teams, and whoever manages sources."""
        managers = Way("role", _("Manages sources"), has("manage_sources"), _("By role"))
        return [managers, *team_ways(obj.team, has("view_cases"), has)]

    def role_levels(self, has: Has) -> list[tuple[str, Q]]:
        """Whoever manages sources."""
        return [("manage", has("manage_sources"))]


def team_ways(team: Team | None, reader: Q, has: Has) -> list[Way]:
    """What a column of teams decides: its people, or everybody where there is none; and whoever sees all teams."""
    everywhere = Way("role", _("Sees all teams"), reader & has("view_all_teams"), _("By role"))
    if team is None:
        return [Way("everybody", _("Everybody"), reader, _("It belongs to no team")), everywhere]
    members = User.groups.through.objects.filter(group=team.group_id, user_id=OuterRef("pk"))
    return [Way("team", _("Team %s") % team.name, reader & Q(Exists(members)), _("Its team")), everywhere]


INCIDENT = IncidentKind()
SOURCE = SourceKind()
