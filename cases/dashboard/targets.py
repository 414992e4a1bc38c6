"""How many alerts and incidents are overdue or at risk of it (casework.md 11, 18), each counted as its list counts."""

from __future__ import annotations

from dataclasses import dataclass

from cases import stats
from cases.models import Alert, Incident
from cases.querysets import AlertQuerySet
from cases.sla import states, triage
from cases.sla.current import policy_and_time
from soar.accounts.models import Team, User
from soar.lib.counts import counted_together

WORDS = ("breached", "at_risk")


@dataclass(frozen=True, slots=True)
class Late:
    """``what`` is alert or incident, ``state`` one of WORDS."""

    what: str
    state: str
    number: stats.Figure


def late(user: User, team: Team | None) -> list[Late]:
    """What the person sees, of the team if there is one: alerts that wait for somebody, and open incidents. Three
    queries."""
    alerts, incidents = Alert.objects.visible_to(user), Incident.objects.visible_to(user)
    if team:
        alerts, incidents = alerts.filter(team=team), incidents.filter(team=team)
    rows = {word: incidents.filter(states.condition(word)) for word in WORDS}
    numbers = counted_together(rows, stats.CAP)
    found = {word: stats.Figure(min(n, stats.CAP), n > stats.CAP) for word in WORDS for n in [numbers.get(word, 0)]}
    return [
        *(Late("alert", word, figure) for word, figure in _alerts(alerts).items()),
        *(Late("incident", word, figure) for word, figure in found.items()),
    ]


def _alerts(rows: AlertQuerySet) -> dict[str, stats.Figure]:
    base, at = stats.base_of(rows), policy_and_time()
    return stats.run({word: base.waiting(triage.spans(word, at)) for word in WORDS})
