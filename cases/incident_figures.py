"""The figures of the list of incidents."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from cases.models import Incident, IncidentOwner
from cases.querysets import capped_count
from cases.sla.states import condition
from soar.accounts.models import User

COUNTED = 1000  # no further
TABS = ("open", "mine", "unowned", "urgent")


@dataclass(frozen=True, slots=True)
class Figures:
    """How many incidents: of each tab of work, and of the list itself in all (counted to 1,000, and whether there are
    more) and by severity (of closed ones not: all would be counted)."""

    tabs: dict[str, int]
    severities: dict[int, int]
    total: tuple[int, bool]


def figures_of(rows: QuerySet[Incident], user: User, *, whole: bool, closed: bool) -> Figures:
    """The figures for the list ``rows``. One query where the list is the ``whole`` of what is work, else one more for
    the list and one for its severities."""
    owners = IncidentOwner.objects.filter(incident=OuterRef("pk"))
    work = Incident.objects.visible_to(user).open().order_by().values("severity")
    lines = list(
        work.annotate(
            open=Count("pk"),
            mine=Count("pk", filter=Q(Exists(owners.filter(user=user)))),
            unowned=Count("pk", filter=~Exists(owners)),
            urgent=Count("pk", filter=condition("urgent")),
        ).values("severity", *TABS)
    )
    tabs = {name: sum(line[name] for line in lines) for name in TABS}
    if whole:
        severities = {line["severity"]: line["open"] for line in lines}
        return Figures(tabs, severities, (min(tabs["open"], COUNTED), tabs["open"] > COUNTED))
    counted = rows.order_by().values_list("severity").annotate(n=Count("pk", distinct=True))
    return Figures(tabs, {} if closed else dict(counted), capped_count(rows, COUNTED))
