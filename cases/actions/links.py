"""Alerts in and out of incidents (casework.md 7). Locks are taken incidents first, then alerts, by id."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from django.db import transaction
from django.db.models import F

from cases import timeline
from cases.actions.base import save
from cases.actors import Actor
from cases.errors import Conflict, Missing, Refused
from cases.models import Alert, Incident, TimelineEntry
from cases.permissions import alert_for, incident_for, parse_number

ALERTS_AT_MOST = 1000


@transaction.atomic
def link(actor: Actor, alert_ids: Iterable[int | str], incident_id: int | str, *, move: bool = False) -> Incident:
    """Put alerts into an incident; those already in it stay. With ``move`` they leave another one for it,
    and both timelines say so. Raises Conflict naming the other incident when ``move`` is False."""
    wanted = _ids(alert_ids)
    incident = incident_for(actor, incident_id, level="edit")
    _lock_incidents(wanted, incident.pk)
    incident = incident_for(actor, incident.pk, level="edit", lock=True)
    alerts = [alert for alert in lock_alerts(actor, wanted) if alert.incident_id != incident.pk]
    refuse_linked(alerts, move=move)
    attach(actor, incident, alerts)
    return incident


@transaction.atomic
def unlink(actor: Actor, alert_ids: Iterable[int | str], incident_id: int | str | None = None) -> Incident | None:
    """Take alerts out of their incident (of ``incident_id``, if given). Returns the incident of the last one.

    Raises Refused when an alert is in no incident, or not in this one."""
    wanted = _ids(alert_ids)
    _lock_incidents(wanted, None)
    incident = None
    for alert in lock_alerts(actor, wanted):
        if alert.incident_id is None:
            raise Refused(f"{alert.number} is in no incident.")
        incident = incident_for(actor, alert.incident_id, level="edit", lock=True)
        if incident_id is not None and incident.pk != parse_number(incident_id, "INC"):
            raise Refused(f"{alert.number} is in {incident.number}, not in {incident_id}.")
        _detach(actor, incident, alert)
    return incident


def lock_alerts(actor: Actor, alert_ids: Iterable[int | str]) -> list[Alert]:
    """The alerts, locked in the order of their ids, returned in the order given. Raises Missing, Forbidden."""
    wanted = _ids(alert_ids)
    locked = {pk: alert_for(actor, pk, work=True, lock=True) for pk in sorted(wanted)}
    return [locked[pk] for pk in wanted]


def refuse_linked(alerts: Sequence[Alert], *, move: bool) -> None:
    """Raise Conflict for alerts that are in an incident, unless they may be moved."""
    taken = [alert for alert in alerts if alert.incident_id]
    if taken and not move:
        numbers = ", ".join(f"{alert.number} is in INC-{alert.incident_id}" for alert in taken[:5])
        raise Conflict(
            f"An alert belongs to one incident: {numbers}. Move it if that is meant.",
            incident=f"INC-{taken[0].incident_id}",
            url=f"/incidents/INC-{taken[0].incident_id}/",
            move=True,
        )


def attach(actor: Actor, incident: Incident, alerts: Sequence[Alert], *, announce: bool = True) -> None:
    """Link locked alerts to a locked incident, write both timelines, move the notes (rulings 5)."""
    if not alerts:
        return
    for alert in alerts:
        old = Incident.objects.get(pk=alert.incident_id) if alert.incident_id else None
        if old is not None:
            _leave(actor, old, alert, to=incident.number)
        alert.incident, alert.restricted = incident, incident.restricted
        moved_from = {"from": old.number} if old else {}
        timeline.record("alert.linked", alert, actor, data={"incident": incident.number, **moved_from})
        save(alert, "incident", "restricted")
        if announce:
            data = {"alert": alert.number, "title": alert.title, **moved_from}
            timeline.record("incident.alert_linked", incident, actor, data=data)
        move_notes(actor, incident, alert)
    incident.alert_count = F("alert_count") + len(alerts)
    save(incident, "alert_count")
    incident.refresh_from_db(fields=["alert_count"])


def move_notes(actor: Actor, incident: Incident, alert: Alert) -> None:
    """Write a ``note.moved`` on the incident for each note of the alert that is not there yet."""
    there = set(
        TimelineEntry.objects.filter(incident=incident, kind="note.moved").values_list("data__entry", flat=True)
    )
    edits = {
        entry.data["of"]: entry.text
        for entry in TimelineEntry.objects.filter(alert=alert, kind="comment.edited").order_by("pk")
    }
    for note in TimelineEntry.objects.filter(alert=alert, kind="comment").order_by("pk"):
        if note.pk not in there:
            data = {"entry": note.pk, "alert": alert.number, "author": note.actor_name}
            text = edits.get(note.pk, note.text)
            timeline.record("note.moved", incident, actor, text=text, data=data, occurred_at=note.occurred_at)


def _ids(alert_ids: Iterable[int | str]) -> list[int]:
    wanted = list(dict.fromkeys(parse_number(value, "ALR") for value in alert_ids))
    if len(wanted) > ALERTS_AT_MOST:
        raise Refused(f"At most {ALERTS_AT_MOST} alerts at once.", field="alerts")
    return wanted


def _lock_incidents(alert_ids: Sequence[int], target: int | None) -> None:
    """Lock the target and the incidents that the alerts are in, by id, before any alert."""
    pks = set(Alert.objects.filter(pk__in=alert_ids, incident__isnull=False).values_list("incident_id", flat=True))
    if target is not None:
        pks.add(target)
    list(Incident.objects.select_for_update().filter(pk__in=pks).order_by("pk").values_list("pk", flat=True))


def _detach(actor: Actor, incident: Incident, alert: Alert) -> None:
    alert.incident, alert.restricted = None, False
    timeline.record("alert.unlinked", alert, actor, data={"incident": incident.number})
    save(alert, "incident", "restricted")
    _leave(actor, incident, alert)


def _leave(actor: Actor, incident: Incident, alert: Alert, to: str = "") -> None:
    data = {"alert": alert.number, "title": alert.title, **({"to": to} if to else {})}
    locked = Incident.objects.select_for_update().filter(pk=incident.pk).first()
    if locked is None:
        raise Missing(f"There is no {incident.number}.")
    if actor.user is not None and to:
        incident_for(actor, incident.pk, level="edit")
    timeline.record("incident.alert_unlinked", locked, actor, data=data)
    locked.alert_count = max(locked.alert_count - 1, 0)
    save(locked, "alert_count")
