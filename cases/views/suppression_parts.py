"""What the pages of suppression rules show of a rule."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, NamedTuple

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from cases.actions.suppression import in_force
from cases.actions.suppression_fields import trouble_of
from cases.filters_fields import LABELS
from cases.ingest.conditions import NAMES
from cases.models import Alert, SuppressionRule
from cases.querysets import capped_count
from cases.suppression_access import may_rule, sources_of
from soar.accounts.models import User
from soar.lib import clock, parts

SOON = timedelta(hours=24)
LATEST = 10
NAMED = {"title": gettext_noop("Title contains"), "severity": gettext_noop("Severity at most")}


class State(NamedTuple):
    """Where a rule stands: a word, its tone and sign."""

    word: str
    tone: str
    sign: str


def state_of(rule: SuppressionRule) -> State:
    """In force, ending soon, off, expired, ended, or broken."""
    if rule.ended_at:
        return State(_("Ended"), "is-no_action", "st-no_action")
    if rule.expires_at <= clock.now():
        return State(_("Expired"), "is-no_action", "st-no_action")
    if trouble_of(rule):
        return State(_("Broken"), "is-unsuccessful", "st-unsuccessful")
    if not rule.enabled:
        return State(_("Off"), "is-no_action", "pause")
    if ends_soon(rule):
        return State(_("Ends soon"), "is-pending_approval", "clock")
    return State(_("In force"), "is-successful", "st-successful")


def ends_soon(rule: SuppressionRule) -> bool:
    """Whether it expires within a day."""
    return in_force(rule) and rule.expires_at - clock.now() < SOON


def conditions_shown(rule: SuppressionRule) -> list[tuple[str, list[str]]]:
    """Each condition with its label and values, as far as they can be shown."""
    given = rule.conditions if isinstance(rule.conditions, dict) else {}
    shown = []
    for name in (*NAMES, *(name for name in given if name not in NAMES)):
        values = given.get(name)
        if values:
            label = NAMED.get(name) or LABELS.get(name) or str(name)
            shown.append((_(label), [str(one) for one in values] if isinstance(values, list) else [str(values)]))
    return shown


def whose(rule: SuppressionRule) -> str:
    """Whose alerts it holds back."""
    if rule.all_teams:
        return _("Every team's")
    return rule.team.name if rule.team else _("Alerts of no team")


def row_of(rule: SuppressionRule) -> dict[str, Any]:
    """A line of the list."""
    return {
        "rule": rule,
        "state": state_of(rule),
        "conditions": conditions_shown(rule),
        "whose": whose(rule),
        "ends": parts.clock(rule.ended_at or rule.expires_at, True),
        "soon": ends_soon(rule),
        "last_hit": parts.ago(rule.last_hit_at) if rule.last_hit_at else "–",
    }


def detail_of(user: User, rule: SuppressionRule) -> dict[str, Any]:
    """All of the page of one rule."""
    held = Alert.objects.visible_to(user).filter(suppression=rule)
    number, more = capped_count(held)
    latest = held.order_by("-pk").only("title", "hostname", "received_at", "count")[:LATEST]
    return {
        **row_of(rule),
        "trouble": trouble_of(rule),
        "in_force": in_force(rule),
        "may_change": may_rule(user, rule.team_id, rule.all_teams, sources_of(rule)),
        "holding": f"{number:,}+" if more else f"{number:,}",
        "holding_any": number > 0,
        "latest": [(one.number, one.title, one.hostname, parts.ago(one.received_at), one.count) for one in latest],
    }
