"""What the helpers of a playbook do: one function each, all by the actions that pages and API call too.

A helper runs in one transaction with its record. It returns JSON and raises ``CaseError`` for what it refuses."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _

from cases.actions import alerts, incidents, links, observables
from cases.actions.servicenow_ticket import ticket_of
from cases.actors import Actor
from cases.choices import Risk
from cases.errors import Conflict, Refused
from cases.models import Alert, AlertObservable, Incident
from playbooks import related
from playbooks.intelligence import known


@dataclass(frozen=True, slots=True)
class Case:
    """On what, and as whom, a run works."""

    actor: Actor
    alert: int | None
    incident: int | None

    def needs_alert(self, name: str) -> int:
        """The alert's id. Raises Refused if the run has none."""
        if self.alert is None:
            raise Refused(_("%(name)s needs an alert, and this run has none.") % {"name": name})
        return self.alert

    def current_incident(self) -> int | None:
        """The incident of the run, or the one that its alert belongs to now."""
        if self.alert is None:
            return self.incident
        return Alert.objects.filter(pk=self.alert).values_list("incident", flat=True).first()


Effect = Callable[..., Any]
# A helper is a transaction already, and ends as a whole whatever the action raises: the most frequent ones go without
# the savepoint that the action would set.
_resolve, _assign, _comment = [inspect.unwrap(one) for one in (alerts.resolve, alerts.assign, alerts.comment)]


def update_current_alert(case: Case, **changes: Any) -> dict[str, Any]:
    """Change fields of the alert."""
    alert = alerts.update(case.actor, case.needs_alert("update_current_alert"), changes=changes)
    return {"number": alert.number, "version": alert.version}


def resolve_current_alert(case: Case, determination: str, reason: str) -> dict[str, Any]:
    """Resolve the alert."""
    pk = case.needs_alert("resolve_current_alert")
    alert = _resolve(case.actor, pk, determination=determination, reason=reason)
    return {"number": alert.number, "version": alert.version}


def add_current_alert_comment(case: Case, text: str) -> dict[str, Any]:
    """Write a note on the incident if there is one, else on the alert (rulings 5)."""
    if case.alert is None and case.incident is not None:
        return _on_incident(case, case.incident, text)
    pk = case.needs_alert("add_current_alert_comment")
    try:
        return {"entry": _comment(case.actor, pk, text).pk, "on": f"ALR-{pk}"}
    except Conflict as conflict:
        if "incident" not in conflict.extra:
            raise  # one that the run's account may not see
        return _on_incident(case, conflict.extra["incident"], text)


def _on_incident(case: Case, incident: int | str, text: str) -> dict[str, Any]:
    entry = incidents.comment(case.actor, incident, text)
    return {"entry": entry.pk, "on": f"INC-{entry.incident_id}"}


def assign_current_alert(case: Case, username: str | None) -> dict[str, Any]:
    """Give the alert to somebody or nobody."""
    alert = _assign(case.actor, case.needs_alert("assign_current_alert"), owner=username)
    return {"number": alert.number, "owner": alert.owner.username if alert.owner else None}


def create_incident(case: Case, title: str, owners: list[str]) -> dict[str, Any]:
    """Open an incident from the alert."""
    pk = case.needs_alert("create_incident")
    return _reference(incidents.open_incident(case.actor, title=title, alerts=[pk], owners=owners))


def link_to_incident(case: Case, number: str | int) -> dict[str, Any]:
    """Link the alert to an incident."""
    return _reference(links.link(case.actor, [case.needs_alert("link_to_incident")], number))


def send_to_servicenow(case: Case, profile: str, number: str) -> dict[str, Any]:
    """Give the incident its ticket, or find that it has one."""
    incident = case.current_incident()
    if incident is None:
        raise Refused(_("Only an incident is sent to ServiceNow, and there is none. Open one first."))
    link = ticket_of(case.actor, incident, profile, number)[0]
    return {
        "link": link.pk,
        "incident": f"INC-{incident}",
        "profile": link.profile.name,
        "number": link.number,
        "state": link.state,
    }


def add_observable(case: Case, type: str, value: str) -> dict[str, Any]:
    """Put an observable on the incident if there is one, else on the alert."""
    incident = case.current_incident()
    if incident is not None:
        row = observables.add_to_incident(case.actor, incident, type, value)
    else:
        row = observables.add_to_alert(case.actor, case.needs_alert("add_observable"), type, value)
    return {"id": row.pk, "type": row.type, "value": row.value}


def rate_observables(case: Case, ratings: list[dict[str, Any]]) -> dict[str, Any]:
    """Keep ratings of observables that the alert names. Raises Refused for one that it does not name."""
    pk = case.needs_alert("rate_observables")
    links = AlertObservable.objects.filter(alert=pk).select_related("observable")
    named = {(link.observable.type, link.observable.value): link.observable for link in links}
    for rating in ratings:
        row = named.get((rating.get("type", ""), rating.get("value", "")))
        if row is None:
            raise Refused(
                _("The alert names no %(type)s %(value)s.")
                % {"type": rating.get("type"), "value": str(rating.get("value"))[:80]}
            )
        try:
            risk = Risk.from_word(rating.get("risk", ""))
        except ValueError as error:
            raise Refused(str(error)) from error
        rule = str(rating.get("rule") or f"Playbook {case.actor.name}")[:500]
        observables.rate(row, risk, {"rule": rule, "evidence": list(rating.get("evidence") or [])[:50]})
    return {"rated": len(ratings)}


def look_up(case: Case, type: str, value: str) -> dict[str, Any]:
    """What the lists know of one value."""
    return _known([(type, value)])[0]


def warning_lists(case: Case, values: list[list[str]]) -> list[dict[str, Any]]:
    """What the lists know of several values."""
    return _known([(str(type), str(value)) for type, value in values])


def _known(pairs: list[tuple[str, str]]) -> list[dict[str, Any]]:
    return known(pairs)


def _reference(incident: Incident) -> dict[str, Any]:
    url = f"{settings.SOAR_URL}/incidents/{incident.number}/"
    return {"id": incident.pk, "number": incident.number, "url": url}


def related_incidents(case: Case, hours: int) -> list[dict[str, Any]]:
    """Open incidents that share the alert's host, user or address."""
    return related.incidents(case.actor.user, case.needs_alert("related_incidents"), hours)


def related_alerts(case: Case, hours: int) -> list[dict[str, Any]]:
    """Other alerts that share the alert's host, user or address."""
    return related.alerts(case.actor.user, case.needs_alert("related_alerts"), hours)


EFFECTS: dict[str, Effect] = {
    effect.__name__: effect
    for effect in (
        update_current_alert, resolve_current_alert, add_current_alert_comment, assign_current_alert, create_incident,
        link_to_incident, send_to_servicenow, add_observable, rate_observables, look_up, warning_lists,
        related_incidents, related_alerts,
    )
}  # fmt: skip
# What a helper would have returned, in a dry run that changes nothing.
DRY: dict[str, Any] = {
    "create_incident": {"id": None, "number": None, "url": None},
    "link_to_incident": {"id": None, "number": None, "url": None},
    "send_to_servicenow": {"link": None, "incident": None, "profile": "", "number": "", "state": "creating"},
    "request_approval": {"approved": True, "status": "approved", "by": [], "comment": "", "approval": None},
}
