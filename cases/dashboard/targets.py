"""How many alerts and incidents are overdue or at risk of it (casework.md 11, 18), each counted as its list counts."""

from __future__ import annotations

from dataclasses import dataclass

from cases import stats
from cases.choices import Severity
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
    """One figure for each severity: so each is read by its index, however many wait."""
    base, at = stats.base_of(rows), policy_and_time()
    wanted: dict[tuple[str, Severity], stats.Count] = {}
    for word in WORDS:
        for severity, (since, until) in triage.spans(word, at).items():
            after = " AND received_at > %s" if since else ""
            condition = f"{stats.UNTAKEN} AND severity = {severity.value} AND received_at <= %s{after}"
            wanted[word, severity] = base.where(condition, until, *([since] if since else []))
    counted = stats.run({f"{word} {severity.value}": one for (word, severity), one in wanted.items()})
    of_word = {word: [figure for name, figure in counted.items() if name.startswith(f"{word} ")] for word in WORDS}
    return {word: stats.together(figures, stats.CAP) for word, figures in of_word.items()}
