"""Conditions on incidents by when something was done, for the list and the API: of each figure the incidents that it
counts. A value is a moment (``cases.filters.moment``), from which on, or two with ``..`` between them, of which the
second is not in it; either may be missing.

    opened               when it was opened
    ended                it is resolved or closed since then, and did not go into another one
    mtta, mttc, mttr     a clock stopped then that counts in the figure (``cases.sla.figures``)"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext as _

from cases.choices import IncidentStatus
from cases.filters_fields import FilterError, moment
from cases.models import IncidentClock
from cases.sla.figures import LABELS

Bounds = tuple[datetime | None, datetime | None]
BETWEEN = ".."


def bounds(value: str) -> Bounds:
    """Both moments of a value. Raises FilterError for one that is none, and where none is given."""
    since, dots, until = value.partition(BETWEEN)
    if not since and not until:
        raise FilterError(
            _("%(value)s is no date or time. Write 2026-03-12, 24h, or 2026-03-12..2026-03-14.")
            % {"value": f"{value!s:.40}"}
        )
    return moment(since) if since else None, moment(until) if dots and until else None


def within(column: str, given: Bounds) -> Q:
    """That a column lies between."""
    since, until = given
    condition = Q(**{f"{column}__gte": since}) if since else Q()
    return condition & Q(**{f"{column}__lt": until}) if until else condition


def opened(value: str) -> Q:
    """Opened then."""
    return within("created_at", bounds(value))


def ended(value: str) -> Q:
    """Resolved or closed then, and so now. What was merged has not ended: it goes on in the other one."""
    given = bounds(value)
    over = within("resolved_at", given) | within("closed_at", given)
    return Q(status__gte=IncidentStatus.RESOLVED, merged_at=None) & over


def merged(value: str) -> Q:
    """Whether it went into another incident: yes or no. Raises FilterError for another word."""
    if value.lower() not in ("yes", "no"):
        raise FilterError(_("merged: yes or no."))
    return Q(merged_at__isnull=value.lower() == "no")


def _measured(name: str) -> Callable[[str], Q]:
    def condition(value: str) -> Q:
        rows = IncidentClock.objects.filter(within("stopped_at", bounds(value)), incident=OuterRef("pk"), name=name)
        return Q(merged_at=None) & Q(Exists(rows.filter(seconds__isnull=False)))

    return condition


# By the name of the filter.
MOMENTS: dict[str, Callable[[str], Q]] = {
    "opened": opened,
    "ended": ended,
    "merged": merged,
    **{label.lower(): _measured(name) for name, label in LABELS.items()},
}
