"""What the box of ATT&CK techniques on an incident's page needs: its own by tactic, and those of its alerts."""

from __future__ import annotations

from typing import Any

from django.db import connection

from cases.attack.catalog import Catalog
from cases.attack.shown import label
from cases.attack.stored import catalog
from cases.models import Incident

SHOWN = 50
# Through the index of an incident's alerts.
OF_ALERTS = """
    SELECT one, count(*) FROM cases_alert, unnest(techniques) one WHERE incident_id = %s
    GROUP BY one ORDER BY count(*) DESC, one LIMIT %s
"""
Context = dict[str, Any]


def techniques(incident: Incident) -> Context:
    """Its techniques under each of their tactics, in the order of the matrix, and what its alerts bear besides."""
    known = catalog()
    return {
        "tactics": list(_by_tactic(known, incident.techniques)),
        "from_alerts": of_alerts(incident) if incident.alert_count else [],
        "attack_version": known.version,
    }


def of_alerts(incident: Incident) -> list[tuple[str, str, int]]:
    """Techniques of linked alerts that the incident does not bear itself: id, id with name, how many alerts. Whoever
    sees the incident sees its alerts (rulings 21)."""
    with connection.cursor() as cursor:
        cursor.execute(OF_ALERTS, [incident.pk, SHOWN + len(incident.techniques)])
        found = cursor.fetchall()
    return [(id, label(id), n) for id, n in found if id not in incident.techniques][:SHOWN]


def _by_tactic(known: Catalog, ids: list[str]) -> Any:
    placed: set[str] = set()
    for tactic in known.tactics:
        here = [id for id in ids if (one := known.get(id)) is not None and tactic.slug in one.tactics]
        placed |= set(here)
        if here:
            yield tactic.name, [(id, known.name(id)) for id in here]
    if rest := [id for id in ids if id not in placed]:
        yield "", [(id, known.name(id)) for id in rest]
