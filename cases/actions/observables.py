"""Observables put on incidents and alerts by hand or by playbooks, and their ratings."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils.translation import gettext
from django.utils.translation import gettext as _

from cases import timeline
from cases.actions.base import save, text_of
from cases.actors import Actor
from cases.choices import OBSERVABLE_TYPES, Risk
from cases.digests import value_digest
from cases.errors import Missing, Refused
from cases.holds import check_incidents
from cases.ingest.iocs import normalise_observable
from cases.models import Alert, AlertObservable, Incident, IncidentObservable, Observable
from cases.permissions import alert_for, incident_for
from soar.lib import clock


def observable_of(type: str, value: Any) -> Observable:
    """The one row for (type, value) in its normal form, made if needed. Raises Refused for a bad value."""
    if type not in OBSERVABLE_TYPES:
        raise Refused(
            gettext("Type is one of: %(observable_types)s.") % {"observable_types": ", ".join(OBSERVABLE_TYPES)},
            field="type",
        )
    given = text_of(value, "value", most=4000)
    try:
        normal = normalise_observable(type, given)
    except ValueError as error:
        raise Refused(str(error), field="value") from error
    row, _ = Observable.objects.get_or_create(type=type, digest=value_digest(normal), defaults={"value": normal})
    return row


@transaction.atomic
def add_to_incident(actor: Actor, incident_id: int | str, type: str, value: str) -> Observable:
    """Put an observable on an incident. One that is there already changes nothing."""
    incident = incident_for(actor, incident_id, level="edit", lock=True)
    observable = observable_of(type, value)
    _, made = IncidentObservable.objects.get_or_create(
        incident=incident, observable=observable, defaults={"added_by": actor.name[:200]}
    )
    if made:
        _announce("observable.added", incident, actor, observable)
        save(incident)
    return observable


@transaction.atomic
def remove_from_incident(actor: Actor, incident_id: int | str, observable_id: int) -> None:
    """Take an observable off an incident that it was put on; its alerts keep theirs. Raises Missing, and Held for an
    incident on legal hold."""
    incident = incident_for(actor, incident_id, level="edit", lock=True)
    row = incident.observable_links.filter(observable=observable_id).select_related("observable").first()
    if row is None:
        raise Missing(_("This observable was not added to the incident itself."))
    check_incidents([incident.pk])
    observable = row.observable
    row.delete()
    _announce("observable.removed", incident, actor, observable)
    save(incident)


@transaction.atomic
def add_to_alert(actor: Actor, alert_id: int | str, type: str, value: str) -> Observable:
    """Put an observable on an alert. One that is there already changes nothing."""
    alert = alert_for(actor, alert_id, work=True, lock=True)
    observable = observable_of(type, value)
    _, made = AlertObservable.objects.get_or_create(alert=alert, observable=observable, defaults={"role": "added"})
    if made:
        alert.observable_count += 1
        _announce("observable.added", alert, actor, observable)
        save(alert, "observable_count")
    return observable


def rate(observable: Observable, risk: Risk | str, rating: dict[str, Any]) -> None:
    """Keep a rating: ``{"rule", "evidence": [{"list", "text", "effect"}]}`` (response-playbooks.md 13)."""
    level = risk if isinstance(risk, Risk) else Risk.from_word(risk)
    Observable.objects.filter(pk=observable.pk).update(risk=level, rating=rating, rated_at=clock.now())


def _announce(kind: str, subject: Alert | Incident, actor: Actor, observable: Observable) -> None:
    data = {"id": observable.pk, "type": observable.type, "value": observable.value}
    timeline.record(kind, subject, actor, data=data)
