"""Splitting an incident (casework.md 9): some of its alerts, and what is ticked besides, go into a new one. Who sees
the one sees the other: team, restriction, grants and owners are the same."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import Count
from django.utils.translation import gettext as _

from cases import timeline
from cases.actions.base import change, save
from cases.actions.incident_fields import severity_for, title_for
from cases.actions.incident_owners import lead_told, told_of
from cases.actions.incidents import open_incident
from cases.actions.merge import made_by
from cases.actions.moving.evidence import carry
from cases.actions.moving.tasks import append, close_up
from cases.actions.seen import Expected, check_version
from cases.actions.sight import copy_grants
from cases.actors import Actor
from cases.choices import IncidentStatus, Severity
from cases.errors import CaseError, Conflict, Forbidden, Refused
from cases.holds import Held, hold_of
from cases.models import (
    Alert,
    AlertObservable,
    Evidence,
    Incident,
    IncidentAsset,
    IncidentMove,
    IncidentObservable,
    IncidentOwner,
    IncidentTask,
    TimelineEntry,
)
from cases.permissions import incident_for, parse_number
from cases.sla import clocks, joining
from soar.accounts import audit
from soar.accounts.membership import may

SPLIT_AT_MOST = 1000
SPLIT = "As what it was split off"  # why the new one has it from the first
# What can be ticked besides alerts: the model, and which of its columns is asked for.
BESIDES: dict[str, tuple[Any, str]] = {
    "tasks": (IncidentTask, "pk"),
    "observables": (IncidentObservable, "observable"),
    "assets": (IncidentAsset, "asset"),
    "evidence": (Evidence, "pk"),
}


@dataclass(frozen=True, slots=True)
class Chosen:
    """What goes: alerts (ids), and by name of BESIDES the rows (ids)."""

    alerts: list[int]
    besides: dict[str, list[int]]


@dataclass(frozen=True, slots=True)
class Preview:
    """What a split would make. ``observables`` and ``notes`` come with the alerts."""

    source: Incident
    title: str
    severity: Severity
    alerts: list[Alert]
    observables: int
    notes: int
    besides: dict[str, int]
    refusal: CaseError | None = None


def preview(actor: Actor, source: int | str, *, title: str = "", severity: str | None = None, **which: Any) -> Preview:
    """What ``split`` would do, or why not. Nothing is changed. Raises Missing, Forbidden, Refused as ``split``."""
    incident = _source(actor, source, lock=False)
    chosen = _chosen(incident, **which)
    alerts = list(Alert.objects.filter(pk__in=chosen.alerts).select_related("source", "team").order_by("pk"))
    return Preview(
        incident,
        title_for(title, alerts),
        severity_for(severity, alerts, None),
        alerts,
        _observables_of(chosen.alerts),
        TimelineEntry.objects.filter(alert__in=chosen.alerts, kind="comment").count(),
        {name: len(rows) for name, rows in chosen.besides.items() if rows},
        _refusal(incident),
    )


@transaction.atomic
def split(
    actor: Actor,
    source: int | str,
    *,
    title: str = "",
    severity: Severity | str | None = None,
    summary: str = "",
    expected_version: Expected = None,
    **which: Any,
) -> Incident:
    """Open an incident from ``alerts`` of this one (all but at least one of them), with ``tasks``, ``observables`` and
    ``assets`` that were put on it, and ``evidence`` (ids). Title and severity as for an incident from alerts.

    Raises Missing, Forbidden without *edit*, Refused for what is not in this incident, Conflict for one that has ended
    or is on hold, Stale."""
    incident = _source(actor, source, lock=True)
    check_version(incident, expected_version)
    if (error := _refusal(incident)) is not None:
        raise error
    chosen = _chosen(incident, **which)
    new = _opened(actor, incident, chosen, title=title, severity=severity, summary=summary)
    moved = {"alerts": chosen.alerts, **{name: rows for name, rows in chosen.besides.items() if rows}}
    _move(actor, chosen, incident, new)
    move = IncidentMove.objects.create(
        kind=IncidentMove.Kind.SPLIT,
        source=incident,
        target=new,
        moved=moved,
        before={"severity": int(new.severity), "owners": list(new.owner_rows.values_list("user_id", flat=True))},
        **made_by(actor),
    )
    incident = incident_for(actor, incident.pk, level="edit", lock=True)
    counts = {name: len(chosen.besides[name]) for name in BESIDES if chosen.besides[name]}
    about = {"move": move.pk, "alert_count": len(chosen.alerts), **counts}
    timeline.record("incident.split_off", new, actor, data={**_named(incident), **about})
    timeline.record("incident.split", incident, actor, data={**_named(new), **about})
    save(new)
    save(incident)
    return new


def _source(actor: Actor, source: int | str, *, lock: bool) -> Incident:
    if actor.user is not None and not may(actor.user, "work_cases"):
        raise Forbidden(_("To open an incident the permission to work on cases is missing."))
    return incident_for(actor, source, level="edit", lock=lock)


def _refusal(incident: Incident) -> CaseError | None:
    if hold_of(incident) is not None:
        return Held(
            _("%(number)s is on legal hold: nothing leaves it until the hold is lifted.") % {"number": incident.number}
        )
    if not IncidentStatus(incident.status).is_open:
        return Conflict(
            _("%(number)s has ended. Reopen it to split it.") % {"number": incident.number}, code="incident_ended"
        )
    return None


def _chosen(incident: Incident, *, alerts: Iterable[int | str] = (), **besides: Iterable[int]) -> Chosen:
    wanted = list(dict.fromkeys(parse_number(one, "ALR") for one in alerts))
    if not wanted:
        raise Refused(_("Choose at least one alert."), field="alerts")
    if len(wanted) > SPLIT_AT_MOST:
        raise Refused(_("At most %(split_at_most)s alerts at once.") % {"split_at_most": SPLIT_AT_MOST}, field="alerts")
    inside = set(Alert.objects.filter(pk__in=wanted, incident=incident).values_list("pk", flat=True))
    if strange := [pk for pk in wanted if pk not in inside]:
        raise Refused(
            _("ALR-%(strange)s is not in %(number)s.") % {"strange": strange[0], "number": incident.number},
            field="alerts",
        )
    if len(inside) >= Alert.objects.filter(incident=incident).count():
        raise Refused(_("At least one alert must stay in %(number)s.") % {"number": incident.number}, field="alerts")
    return Chosen(wanted, {name: _rows(incident, name, besides.get(name) or ()) for name in BESIDES})


def _rows(incident: Incident, name: str, ids: Iterable[int]) -> list[int]:
    """Ids of the rows that these things have in the incident. Raises Refused for one that has none."""
    model, column = BESIDES[name]
    wanted = list(dict.fromkeys(ids))
    rows = dict(model.objects.filter(incident=incident, **{f"{column}__in": wanted}).values_list(column, "pk"))
    if strange := [one for one in wanted if one not in rows]:
        raise Refused(
            _("%(strange)s is not among the %(name)s of %(number)s.")
            % {"strange": strange[0], "name": name, "number": incident.number},
            field=name,
        )
    return [rows[one] for one in wanted]


def _opened(actor: Actor, incident: Incident, chosen: Chosen, **given: Any) -> Incident:
    """The new incident, seen by exactly those who see the old one."""
    new = open_incident(actor, alerts=chosen.alerts, team=incident.team, tlp=incident.tlp, move=True, **given)
    change(new, actor, "pap", incident.pap, reason=SPLIT)
    new.restricted = incident.restricted
    save(new, "pap", "restricted")
    if incident.restricted:
        number = Alert.objects.filter(incident=new).update(restricted=True)
        timeline.record("access.restricted", new, actor, text=SPLIT, data={"alerts": number})
    _same_people(actor, incident, new)
    joining.carry_on(incident, new)
    clocks.follow(new, taken=new.owner_rows.exists())
    return new


def _same_people(actor: Actor, incident: Incident, new: Incident) -> None:
    owners = IncidentOwner.objects.filter(incident=incident).select_related("user").order_by("pk")
    IncidentOwner.objects.bulk_create(
        [IncidentOwner(incident=new, user_id=row.user_id, lead=row.lead) for row in owners]
    )
    if owners:
        leads: dict[str, Any] = next((lead_told(None, row.user) for row in owners if row.lead), {})
        told = told_of("added", [row.user for row in owners])
        timeline.record("incident.owners", new, actor, text=SPLIT, data={**told, **leads})
    if grants := copy_grants(incident, new):
        audit.record(
            actor.user, "access.copied", new.number, object="incident", id=new.pk, source=incident.number, rows=grants
        )
    for name in ("_grants", "_incidents_sql"):  # what was read of the person's grants before is not so any more
        if actor.user is not None and hasattr(actor.user, name):
            delattr(actor.user, name)


def _move(actor: Actor, chosen: Chosen, incident: Incident, new: Incident) -> None:
    for name, (model, _column) in BESIDES.items():
        if name == "tasks":
            append(chosen.besides[name], new)
            close_up(incident)
        elif name == "evidence":
            carry(actor, list(Evidence.objects.filter(pk__in=chosen.besides[name]).order_by("pk")), incident, new)
        else:
            model.objects.filter(pk__in=chosen.besides[name]).update(incident=new)


def _observables_of(alerts: list[int]) -> int:
    rows = AlertObservable.objects.filter(alert__in=alerts).aggregate(n=Count("observable", distinct=True))
    return int(rows["n"] or 0)


def _named(incident: Incident) -> dict[str, Any]:
    return {"incident": incident.number, "title": incident.title}
