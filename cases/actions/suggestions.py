"""What an analyst does with a suggestion (casework.md 8)."""

from __future__ import annotations

from django.db import transaction
from django.utils.translation import gettext as _

from cases.actions import incidents, links
from cases.actors import Actor
from cases.errors import Forbidden, Missing, Refused
from cases.models import DismissedSuggestion, Incident
from cases.permissions import alert_for, incident_for
from cases.suggestions import Suggestion, pair_key, suggestion
from soar.accounts.membership import may


@transaction.atomic
def accept(actor: Actor, key: str, *, incident: int | str | None = None, title: str = "") -> Incident:
    """Open an incident from the suggested alerts, or add them to ``incident``. Raises Missing if it is gone."""
    found = _found(actor, key)
    if incident:
        return links.link(actor, found.ids, incident)
    return incidents.open_incident(actor, title=title or found.alerts[0].title, alerts=found.ids)


@transaction.atomic
def dismiss(actor: Actor, key: str) -> None:
    """*Not related*: remembered until two newer alerts share the value. Raises Missing if it is gone."""
    found = _found(actor, key)
    assert actor.user is not None  # _found refuses anybody else
    DismissedSuggestion.objects.update_or_create(
        key=key,
        defaults={
            "value": f"{found.value[0]} {found.value[1]}"[:300],
            "dismissed_by": actor.user,
            "last_alert_id": max(found.ids),
        },
    )


@transaction.atomic
def not_related(actor: Actor, alert_id: int | str, incident_id: int | str) -> None:
    """Remember that an alert does not belong to the incident that was suggested for it (the alert page's box)."""
    if actor.user is None:
        raise Refused(_("Only a person can decide on a suggestion."))
    alert = alert_for(actor, alert_id, work=True)
    incident = incident_for(actor, incident_id)
    DismissedSuggestion.objects.update_or_create(
        key=pair_key(alert, incident.pk),
        defaults={
            "value": f"{alert.number} {incident.number}",
            "dismissed_by": actor.user,
            "last_alert_id": alert.pk,
        },
    )


def _found(actor: Actor, key: str) -> Suggestion:
    if actor.user is None:
        raise Refused(_("Only a person can decide on a suggestion."))
    if not may(actor.user, "work_cases"):
        raise Forbidden(_("The permission to work on cases is missing."))
    found = suggestion(actor.user, key)
    if found is None:
        raise Missing(_("This suggestion is no longer there: its alerts were linked, resolved or dismissed."))
    return found
