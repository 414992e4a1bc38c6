"""How many alerts and incidents are overdue or at risk of it (casework.md 11, 18), each counted as its list counts."""

from __future__ import annotations

from dataclasses import dataclass

from cases import stats
from cases.models import Alert, Incident
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
    """What the person sees, of the team if there is one: alerts that wait for somebody, and open incidents. Two
    queries."""
    alerts, incidents = Alert.objects.visible_to(user).queued(), Incident.objects.visible_to(user)
    if team:
        alerts, incidents = alerts.filter(team=team), incidents.filter(team=team)
    at = policy_and_time()
    rows = {f"alert {word}": alerts.filter(triage.condition(word, at)) for word in WORDS}
    found = {**rows, **{f"incident {word}": incidents.filter(states.condition(word)) for word in WORDS}}
    numbers = counted_together(found, stats.CAP)
    return [_late(name, numbers.get(name, 0)) for name in found]


def _late(name: str, number: int) -> Late:
    what, _blank, state = name.partition(" ")
    return Late(what, state, stats.Figure(min(number, stats.CAP), number > stats.CAP))
