"""Conflicts: a field that both sides changed, with both values, who and when (servicenow.md 6)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cases.actions.servicenow_access import conflicts_seen, open_conflicts
from cases.models import TicketConflict
from cases.permissions import holds
from cases.ticket_words import field_label, ticket_url
from cases.views.servicenow.columns import of_link, of_person
from soar.accounts.models import User

SHOWN = 50
MONTH = timedelta(days=30)
RULES = {
    "ask": gettext_lazy("Ask, set in the profile"),
    "ours": gettext_lazy("Ours wins"),
    "theirs": gettext_lazy("Theirs wins"),
    "newest": gettext_lazy("The newest wins"),
}
OUTCOMES = {"ours": gettext_lazy("Kept ours"), "theirs": gettext_lazy("Took theirs")}


@dataclass(frozen=True, slots=True)
class Side:
    """A value as people read it, whose it is and since when."""

    shown: str
    by: str
    at: datetime | None


@dataclass(frozen=True, slots=True)
class ConflictRow:
    """A line of the table."""

    conflict: TicketConflict
    field: str
    url: str
    before: Side
    ours: Side
    theirs: Side
    rule: Any
    outcome: Any
    decided_by: str
    may_edit: bool


def open_rows(user: User, most: int = SHOWN) -> list[ConflictRow]:
    """Those that wait for somebody, the oldest first."""
    rows = open_conflicts(conflicts_seen(user)).order_by("created_at", "pk")
    return rows_of(user, rows[:most])


def settled(user: User) -> QuerySet[TicketConflict]:
    """Those that are over, by rule or by a person."""
    return conflicts_seen(user).exclude(outcome="")


def settled_lately(user: User) -> int:
    """How many the profiles' rules settled in 30 days, counted to 1,000."""
    rows = settled(user).filter(decided_by=None, created_at__gt=timezone.now() - MONTH)
    return len(rows.order_by().values_list("pk")[:1000])


def rows_of(user: User, rows: QuerySet[TicketConflict]) -> list[ConflictRow]:
    """With what a line shows."""
    own = ("field", "base", "ours", "theirs", "raw", "rule", "outcome", "decided_at")
    related = rows.select_related("link__incident", "link__instance__account", "decided_by")
    return [_row(user, one) for one in related.only(*own, *of_link("link__"), *of_person("decided_by__"))]


def _row(user: User, one: TicketConflict) -> ConflictRow:
    link = one.link
    decider = one.decided_by.display_name() if one.decided_by else ""
    return ConflictRow(
        one, field_label(one.field), ticket_url(link), side(one.base), side(one.ours), _theirs(one),
        RULES.get(one.rule, one.rule), OUTCOMES.get(one.outcome, ""),
        decider or (_("the profile's rule") if one.outcome in OUTCOMES else ""),
        not one.outcome and holds(user, link.incident, "edit"),
    )  # fmt: skip


def _theirs(one: TicketConflict) -> Side:
    """Of a severity with the impact and urgency that it was read from."""
    found = side(one.theirs)
    raw = one.raw if isinstance(one.raw, dict) else {}
    pair = [str(raw.get(name) or "") for name in ("impact", "urgency")]
    if one.field != "severity" or not all(pair) or not found.shown:
        return found
    words = {"shown": found.shown, "impact": pair[0], "urgency": pair[1]}
    return replace(found, shown=_("%(shown)s (impact %(impact)s, urgency %(urgency)s)") % words)


def side(given: dict[str, Any]) -> Side:
    """One side of a conflict as it was kept; what cannot be read is left out."""
    at = given.get("at")
    moment = parse_datetime(at) if isinstance(at, str) else None
    if moment is not None and timezone.is_naive(moment):
        moment = None
    shown = given.get("shown")
    return Side(str(given.get("value") or "") if shown is None else str(shown), str(given.get("by") or ""), moment)
