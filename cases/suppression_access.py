"""Who sees and who makes suppression rules (access.md 3, 8; rulings 20).

Who works on cases may hold back what is theirs: alerts of a team they are in, or of no team. For every team, and for
teams that one is not in, it takes the permission to manage sources, or a grant on the sources that the rule names."""

from __future__ import annotations

from collections.abc import Collection

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from cases.errors import Forbidden, Missing
from cases.models import SuppressionRule
from cases.source_access import sources_managed_by
from soar.accounts.membership import may, team_ids
from soar.accounts.models import Team, User
from soar.lib import clock

MANAGED_AT_MOST = 100
NOT_YOURS = gettext_noop("Rules for other people's alerts are made by those who manage sources.")


def rules_seen_by(user: User) -> QuerySet[SuppressionRule]:
    """Rules that can hold back something that this person may see."""
    if not may(user, "view_cases"):
        return SuppressionRule.objects.none()
    if may(user, "view_all_teams") or may(user, "manage_sources"):
        return SuppressionRule.objects.all()
    own = Q(all_teams=True) | Q(team=None) | Q(team__in=team_ids(user))
    for slug in sources_managed_by(user).values_list("slug", flat=True)[:MANAGED_AT_MOST]:
        own |= Q(conditions__source__contains=[slug])
    return SuppressionRule.objects.filter(own)


def rules_over(rows: QuerySet[SuppressionRule], over: bool) -> QuerySet[SuppressionRule]:
    """Those that have expired or were ended, or the others."""
    current = Q(ended_at=None, expires_at__gt=clock.now())
    return rows.exclude(current) if over else rows.filter(current)


def may_rule(user: User, team: int | None, all_teams: bool, sources: Collection[str] = ()) -> bool:
    """Whether this person may hold back these alerts. ``sources``: slugs to which the rule is confined; whoever manages
    all of them decides what comes from them, whosever it is."""
    if may(user, "manage_sources"):
        return True
    if may(user, "work_cases") and not all_teams and (team is None or team in team_ids(user)):
        return True
    return bool(sources) and sources_managed_by(user).filter(slug__in=sources).count() == len(set(sources))


def sources_of(rule: SuppressionRule) -> list[str]:
    """The slugs to which a rule is confined; none is no limit."""
    found = rule.conditions.get("source") if isinstance(rule.conditions, dict) else None
    return [str(slug) for slug in found] if isinstance(found, list) else []


def teams_of(user: User) -> QuerySet[Team]:
    """The teams for whose alerts this person may make rules, by name."""
    teams = Team.objects.order_by("name")
    if may(user, "manage_sources"):
        return teams
    managed = sources_managed_by(user).exclude(team=None).values("team")
    return teams.filter(Q(pk__in=team_ids(user)) | Q(pk__in=managed))


def rule_for(user: User | None, pk: int, *, work: bool = False, lock: bool = False) -> SuppressionRule:
    """The rule with this id, if it may be seen; with ``work``, if it may be changed. None is Soar itself.

    Raises Missing or Forbidden."""
    rows = SuppressionRule.objects.all() if user is None else rules_seen_by(user)
    rule = (rows.select_for_update(of=("self",)) if lock else rows.select_related("team")).filter(pk=pk).first()
    if rule is None:
        raise Missing(_("There is no suppression rule %(pk)s.") % {"pk": pk})
    if work and user is not None and not may_rule(user, rule.team_id, rule.all_teams, sources_of(rule)):
        raise Forbidden(_(NOT_YOURS))
    return rule
