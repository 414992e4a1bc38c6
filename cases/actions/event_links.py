"""What an event may be about: an observable, an asset or a piece of evidence of its incident, or a technique."""

from __future__ import annotations

import re
from typing import Any

from django.db.models import Model, QuerySet
from django.utils.translation import gettext as _

from cases.errors import Refused
from cases.models import (
    AlertAsset,
    AlertObservable,
    Asset,
    Evidence,
    Incident,
    IncidentAsset,
    IncidentObservable,
    Observable,
)

TYPES = ("observable", "asset", "evidence", "technique")
TECHNIQUE = re.compile(r"T\d{4}(\.\d{3})?")
OFFERED = 100


def link_of(incident: Incident, given: dict[str, Any] | None) -> dict[str, Any] | None:
    """``{"type", "id", "name"}`` as the timeline keeps it, from ``{"type", "id"}``; None for nothing. The id of a
    technique is its ATT&CK id; an observable also has its ``kind``.

    Raises Refused beside ``link`` for something that is not there or belongs to another incident."""
    if not given:
        return None
    type_, id_ = str(given.get("type") or ""), str(given.get("id") or "")
    if type_ not in TYPES:
        raise Refused(_("An event is about one of: %(types)s.") % {"types": ", ".join(TYPES)}, field="link")
    if type_ == "technique":
        if not TECHNIQUE.fullmatch(id_.upper()):
            raise Refused(
                _("%(id)s is no ATT&CK technique id (T1566 or T1566.001).") % {"id": f"{id_:.20}"}, field="link"
            )
        return {"type": type_, "id": id_.upper(), "name": id_.upper()}
    found = _rows(incident, type_).filter(pk=int(id_)).first() if id_.isdecimal() and len(id_) < 19 else None
    if found is None:
        raise Refused(_("%(number)s has no such %(type)s.") % {"number": incident.number, "type": type_}, field="link")
    return {"type": type_, "id": found.pk, **_named(found)}


def offered(incident: Incident) -> list[tuple[str, list[tuple[str, str]]]]:
    """What a form offers: for each type the values (``asset:7``) with their names, the newest 100 of each."""
    groups = []
    for type_ in TYPES[:-1]:
        rows = _rows(incident, type_).order_by("-pk")[:OFFERED]
        groups.append((type_, [(f"{type_}:{row.pk}", _named(row)["name"]) for row in rows]))
    groups.append((TYPES[-1], [(f"technique:{one}", one) for one in incident.techniques]))
    return [(name, values) for name, values in groups if values]


def chosen(value: str) -> dict[str, str] | None:
    """What a form's value names; None for none."""
    type_, _colon, id_ = value.partition(":")
    return {"type": type_, "id": id_} if value else None


def _rows(incident: Incident, type_: str) -> QuerySet[Any]:
    if type_ == "evidence":
        return Evidence.objects.kept().filter(incident=incident)
    model, own, theirs = _LINKED[type_]
    of_alerts = theirs._default_manager.filter(alert__incident=incident).values(type_)
    mine = own._default_manager.filter(incident=incident).values(type_)
    return model._default_manager.filter(pk__in=mine.union(of_alerts))


def _named(row: Any) -> dict[str, str]:
    """The name as people know it."""
    if isinstance(row, Observable):
        return {"name": row.value, "kind": row.type}
    return {"name": row.name}


_LINKED: dict[str, tuple[type[Model], type[Model], type[Model]]] = {
    "observable": (Observable, IncidentObservable, AlertObservable),
    "asset": (Asset, IncidentAsset, AlertAsset),
}
