"""How many alerts and incidents team and source hide from a person: "12 hidden from you" (access.md 5, rulings 22).

Counted by status and severity only, whatever else the filter says: a filter by words, owner or tag would tell what is
hidden. Restricted incidents and their alerts never count. The count looks at a bounded number of rows."""

from __future__ import annotations

from typing import Any

from django.db.models import Q, QuerySet

from cases.choices import AlertStatus, IncidentStatus
from cases.filters import AlertFilter
from cases.grants import granted
from cases.incident_filters import IncidentFilter
from cases.models import Alert, Incident, IncidentOwner
from cases.querysets import inside
from cases.stats import CAP, Figure
from soar.accounts.membership import may, team_ids
from soar.accounts.models import Team, User

NAMES = frozenset({"status", "is", "severity"})
LOOKED_AT = 20_000  # rows of other teams, at most: so it costs the same at a million alerts


def applies(user: User) -> bool:
    """Whether team and source hide anything from this person at all."""
    return may(user, "view_cases") and not may(user, "view_all_teams")


def hidden_alerts(user: User, chosen: AlertFilter) -> Figure:
    """Alerts of other teams that the person does not see, with the status and severity that the filter asks for."""
    if not applies(user):
        return Figure(0)
    reduced = AlertFilter(
        {name: values for name, values in chosen.params.items() if name in NAMES},
        [token for token in chosen.tokens if token.field in NAMES],
        default_open=chosen.default_open,
    )
    rows = Alert.objects.filter(team__in=_other_teams(user), restricted=False)
    rows = rows.filter(~granted(user, "Source", "source"), Q(owner=None) | ~Q(owner=user))
    rows = rows.filter(Q(incident=None) | ~Q(inside("incident", user)))
    if reduced.only_open:
        rows = rows.filter(status__lt=AlertStatus.RESOLVED, suppression=None)
    looked = rows.order_by().values("pk")[:LOOKED_AT]
    return _counted(reduced.apply(Alert.objects.filter(pk__in=looked), user), looked)


def hidden_incidents(user: User, chosen: IncidentFilter, *, ended: bool) -> Figure:
    """The same of incidents; ``ended``: the list is that of resolved and closed ones."""
    if not applies(user):
        return Figure(0)
    reduced = IncidentFilter(
        {name: values for name, values in chosen.params.items() if name in NAMES},
        [token for token in chosen.tokens if token.field in NAMES],
    )
    rows = Incident.objects.filter(team__in=_other_teams(user), restricted=False).exclude(granted(user, "Incident"))
    rows = rows.exclude(pk__in=IncidentOwner.objects.filter(user=user).values("incident"))
    if ended:
        rows = rows.filter(status__gte=IncidentStatus.RESOLVED)
    elif not chosen.names_status:
        rows = rows.filter(status__lt=IncidentStatus.RESOLVED)
    looked = rows.order_by().values("pk")[:LOOKED_AT]
    return _counted(reduced.apply(Incident.objects.filter(pk__in=looked), user), looked)


def _counted(matching: QuerySet[Any], looked: QuerySet[Any]) -> Figure:
    number = matching.order_by().values("pk")[: CAP + 1].count()
    if number > CAP:
        return Figure(CAP, more=True)
    # What was not looked at may match as well: then it is the least that there are.
    return Figure(number, more=number > 0 and looked.count() == LOOKED_AT)


def _other_teams(user: User) -> list[int]:
    return list(Team.objects.exclude(pk__in=team_ids(user)).values_list("pk", flat=True))
