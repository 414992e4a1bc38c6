"""The observables of an incident as its page shows them."""

from __future__ import annotations

from typing import Any

from django.db.models import Count, Exists, OuterRef, Window
from django.db.models.expressions import RawSQL

from cases.attack import shown
from cases.choices import OBSERVABLE_TYPES, Risk
from cases.models import Incident, IncidentObservable, Observable
from cases.querysets import ObservableQuerySet
from cases.views.folding import FIRST, WHOLE, fold, rest
from soar.accounts.models import User
from soar.lib import parts
from soar.lib.text import defang
from soar.nav import address

# One list: with OR between two subqueries the planner reads all observables there are.
ITS_OBSERVABLES = """
    SELECT l.observable_id FROM cases_alert a JOIN cases_alertobservable l ON l.alert_id = a.id WHERE a.incident_id = %s
    UNION
    SELECT observable_id FROM cases_incidentobservable WHERE incident_id = %s
"""
Context = dict[str, Any]


def observables(user: User, incident: Incident, *, whole: bool = False) -> Context:
    """Observables of the incident and of its alerts, the riskiest first."""
    own = Exists(IncidentObservable.objects.filter(incident=incident, observable=OuterRef("pk")))
    rows: Any = observables_of(incident).annotate(own=own, total=Window(Count("pk")))
    found = list(rows.order_by("-risk", "type", "id").only("type", "value", "risk")[: WHOLE if whole else FIRST])
    total = found[0].total if found else 0
    return {
        "observables": [_observable(one, one.own) for one in found],
        "observables_total": total,
        "observables_fold": fold("observables", len(found), total, whole=whole),
        "observables_more": rest(total, whole=whole),
        "observable_types": OBSERVABLE_TYPES,
    }


def observables_of(incident: Incident) -> ObservableQuerySet:
    """Those of the incident itself and of its alerts."""
    return Observable.objects.filter(pk__in=RawSQL(ITS_OBSERVABLES, [incident.pk, incident.pk]))  # noqa: S611  a constant


def _observable(one: Observable, own: bool) -> Context:
    return {
        "pk": one.pk,
        "type": one.type,
        "value": defang(one.value, one.type),
        "link": shown.observable(one.value, address("observable-detail", one.pk), one.type),
        "risk": parts.risk(Risk(one.risk).word, hidden=True),
        "own": own,
    }
