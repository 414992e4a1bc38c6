"""Alerts in and out of incidents (casework.md 7). Locks are taken incidents first, then alerts, by id."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext as _

from cases import timeline
from cases.actions.base import change, save
from cases.actions.sight import more_people
from cases.actions.techniques import TECHNIQUES_AT_MOST
from cases.actors import Actor
from cases.choices import Tlp
from cases.errors import Conflict, Forbidden, Missing, Refused
from cases.holds import check_incidents
from cases.merged import absorbed
from cases.models import Alert, Incident, TimelineEntry
from cases.permissions import alert_for, holds, incident_for, parse_number

ALERTS_AT_MOST = 1000


@transaction.atomic
def link(actor: Actor, alert_ids: Iterable[int | str], incident_id: int | str, *, move: bool = False) -> Incident:
    """Put alerts into an incident; those already in it stay. With ``move`` they leave another one for it,
    and both timelines say so. Raises Conflict naming the other incident when ``move`` is False."""
    wanted = _ids(alert_ids)
    incident = incident_for(actor, incident_id, level="edit")
    alerts = lock_alerts(actor, wanted, into=incident.pk)
    incident = incident_for(actor, incident.pk, level="edit", lock=True)
    alerts = [alert for alert in alerts if alert.incident_id != incident.pk]
    refuse_linked(actor, alerts, move=move)
    attach(actor, incident, alerts)
    return incident


@transaction.atomic
def unlink(actor: Actor, alert_ids: Iterable[int | str], incident_id: int | str | None = None) -> Incident | None:
    """Take alerts out of their incident (of ``incident_id``, if given). Returns the incident of the last one.

    Raises Refused when an alert is in no incident, or not in this one, Forbidden where it would leave a restriction
    behind that the actor may not lift."""
    incident = None
    for alert in lock_alerts(actor, alert_ids):
        if alert.incident_id is None:
            raise Refused(_("%(number)s is in no incident.") % {"number": alert.number})
        incident = _editable(actor, alert)
        if incident_id is not None and incident.pk != parse_number(incident_id, "INC"):
            raise Refused(
                _("%(number)s is in %(incident_number)s, not in %(incident_id)s.")
                % {"number": alert.number, "incident_number": incident.number, "incident_id": f"{incident_id!s:.40}"}
            )
        _detach(actor, incident, alert)
    return incident


def lock_alerts(actor: Actor, alert_ids: Iterable[int | str], *, into: int | None = None) -> list[Alert]:
    """The alerts, locked in the order of their ids, returned in the order given. The incidents that they are in and
    the one they go ``into`` are locked before any of them: one order for everybody. Raises Missing, Forbidden, and
    Conflict when one was moved to yet another incident while its lock was waited for."""
    wanted = _ids(alert_ids)
    held = _lock_incidents(wanted, into)
    locked = {pk: alert_for(actor, pk, work=True, lock=True) for pk in sorted(wanted)}
    for alert in locked.values():
        if alert.incident_id is not None and alert.incident_id not in held:
            raise Conflict(
                _("%(number)s was linked by somebody else at this moment. Nothing was saved.")
                % {"number": alert.number}
            )
    return [locked[pk] for pk in wanted]


def refuse_linked(actor: Actor, alerts: Sequence[Alert], *, move: bool) -> None:
    """Raise Conflict for alerts that are in an incident, unless they may be moved."""
    taken = [alert for alert in alerts if alert.incident_id]
    if taken and not move:
        numbers = ", ".join(
            _("%(alert)s is in %(incident)s") % {"alert": alert.number, "incident": named(actor, alert)[0]}
            for alert in taken[:5]
        )
        raise Conflict(
            _("An alert belongs to one incident: %(numbers)s. Move it if that is meant.") % {"numbers": numbers},
            **named(actor, taken[0])[1],
            move=True,
        )


def named(actor: Actor, alert: Alert) -> tuple[str, dict[str, str]]:
    """What may be said to the actor of the incident that the alert is in: its number, and ``incident`` and ``url``
    for an error; neither to somebody who does not see it (access.md 4)."""
    rows = Incident.objects.filter(pk=alert.incident_id or 0)
    if actor.user is not None and not rows.visible_to(actor.user).exists():
        return "an incident that you may not see", {}
    number = f"INC-{alert.incident_id}"
    return number, {"incident": number, "url": f"/incidents/{number}/"}


def attach(actor: Actor, incident: Incident, alerts: Sequence[Alert], *, announce: bool = True) -> None:
    """Link locked alerts to a locked incident, write both timelines, move the notes (rulings 5)."""
    if not alerts:
        return
    for alert in alerts:
        old = _editable(actor, alert) if alert.incident_id else None
        if old is not None:
            _check_leaving(actor, old, alert, incident)
            _leave(actor, old, alert, to=incident.number)
        alert.incident, alert.restricted = incident, incident.restricted
        moved_from = {"from": old.number} if old else {}
        timeline.record("alert.linked", alert, actor, data={"incident": incident.number, **moved_from})
        save(alert, "incident", "restricted")
        if announce:
            data = {"alert": alert.number, "title": alert.title, **moved_from}
            timeline.record("incident.alert_linked", incident, actor, data=data)
        move_notes(actor, incident, alert)
    if announce:  # who opens one says what its marks are
        take_marks(actor, incident, alerts)
    incident.alert_count = F("alert_count") + len(alerts)
    save(incident, "alert_count", "tlp", "techniques")
    incident.refresh_from_db(fields=["alert_count"])


def take_marks(actor: Actor, incident: Incident, alerts: Sequence[Alert]) -> None:
    """What the alerts bring to the incident, as at its opening: the strictest TLP and their techniques. What they share
    may not leave with it under a milder mark. Not saved yet."""
    strictest = max([incident.tlp, *(alert.tlp for alert in alerts)], key=Tlp.values.index)
    change(incident, actor, "tlp", strictest)
    named = {technique for alert in alerts for technique in alert.techniques}
    new = sorted(named.difference(incident.techniques))[: max(TECHNIQUES_AT_MOST - len(incident.techniques), 0)]
    change(incident, actor, "techniques", [*incident.techniques, *new])


def move_notes(actor: Actor, incident: Incident, alert: Alert) -> None:
    """Write a ``note.moved`` on the incident for each note of the alert that is not there yet."""
    notes = list(TimelineEntry.objects.filter(alert=alert, kind="comment").order_by("pk"))
    if not notes:
        return
    there = set(
        TimelineEntry.objects.filter(incident__in=[incident.pk, *absorbed(incident)], kind="note.moved").values_list(
            "data__entry", flat=True
        )
    )
    edits = {
        entry.data["of"]: entry
        for entry in TimelineEntry.objects.filter(alert=alert, kind="comment.edited").order_by("pk")
    }
    for note in notes:
        if note.pk not in there:
            newest = edits.get(note.pk, note)
            data: dict[str, Any] = {"entry": note.pk, "alert": alert.number, "author": note.actor_name}
            # How it reads; who is mentioned was told on the alert.
            data |= {"named": newest.data["named"]} if newest.data.get("named") else {}
            timeline.record("note.moved", incident, actor, text=newest.text, data=data, occurred_at=note.occurred_at)


def _ids(alert_ids: Iterable[int | str]) -> list[int]:
    wanted = list(dict.fromkeys(parse_number(value, "ALR") for value in alert_ids))
    if len(wanted) > ALERTS_AT_MOST:
        raise Refused(
            _("At most %(alerts_at_most)s alerts at once.") % {"alerts_at_most": ALERTS_AT_MOST}, field="alerts"
        )
    return wanted


def _lock_incidents(alert_ids: Sequence[int], target: int | None) -> set[int]:
    """Lock the target and the incidents that the alerts are in, by id, before any alert. Returns their ids."""
    pks = set(Alert.objects.filter(pk__in=alert_ids, incident__isnull=False).values_list("incident_id", flat=True))
    if target is not None:
        pks.add(target)
    if not pks:
        return set()
    rows = Incident.objects.select_for_update().filter(pk__in=pks).order_by("pk")
    return set(rows.values_list("pk", flat=True))


def _editable(actor: Actor, alert: Alert) -> Incident:
    """The alert's incident, locked, if the actor may edit it. Raises Forbidden without naming one they do not see."""
    try:
        return incident_for(actor, alert.incident_id or 0, level="edit", lock=True)
    except Missing:
        raise Forbidden(_("%(number)s is in an incident that you may not see.") % {"number": alert.number}) from None


def _check_leaving(actor: Actor, old: Incident, alert: Alert, into: Incident | None) -> None:
    """Raise Forbidden where an alert would leave a restriction behind, or go where others see it or let others in:
    that is to lift a piece of it, and needs the level that lifts it whole."""
    if not old.restricted or actor.user is None:
        return
    if into is not None and into.restricted and not more_people(old, into):
        return
    if not holds(actor.user, old, "manage"):
        raise Forbidden(
            _(
                "%(number)s is restricted, and %(alert_number)s would be seen by more people outside of "
                "it: only who manages its access may take it out."
            )
            % {"number": old.number, "alert_number": alert.number}
        )


def _detach(actor: Actor, incident: Incident, alert: Alert) -> None:
    _check_leaving(actor, incident, alert, None)
    alert.incident, alert.restricted = None, False
    timeline.record("alert.unlinked", alert, actor, data={"incident": incident.number})
    save(alert, "incident", "restricted")
    _leave(actor, incident, alert)


def _leave(actor: Actor, incident: Incident, alert: Alert, to: str = "") -> None:
    check_incidents([incident.pk])  # outside of it nothing would keep the alert
    data = {"alert": alert.number, "title": alert.title, **({"to": to} if to else {})}
    timeline.record("incident.alert_unlinked", incident, actor, data=data)
    incident.alert_count = max(incident.alert_count - 1, 0)
    save(incident, "alert_count")
