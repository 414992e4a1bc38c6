"""Values of custom fields on incidents (casework.md 6): set, taken from a template, asked for before an ending."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any

from django.db import connection, transaction
from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from cases import timeline
from cases.actions.base import save, some_of
from cases.actors import Actor
from cases.choices import IncidentStatus
from cases.custom_fields.kinds import checked
from cases.custom_fields.words import digest, told
from cases.errors import Conflict, Refused, Stale
from cases.models import CustomField, Incident
from cases.permissions import incident_for

# Held shared while values are written, alone while a definition changes: nothing is stored by a rule that is gone.
LOCK = 0x50A2_CF
Values = Mapping[str, Any]


@transaction.atomic
def set_values(
    actor: Actor, incident_id: int | str, values: Values, *, seen: Mapping[str, str] | None = None
) -> Incident:
    """Set these fields of an incident; null takes a value away. ``seen``: digests of what the form showed, by key.

    Raises Stale, which names the fields that somebody else changed to something else, Refused (``cf.<key>``), Missing,
    Forbidden."""
    incident = incident_for(actor, incident_id, level="edit", lock=True)
    if put(actor, incident, values, seen=seen):
        save(incident, "custom_fields")
    return incident


def put(actor: Actor, incident: Incident, values: Any, *, seen: Mapping[str, str] | None = None) -> bool:
    """Set fields of a locked incident and write each change to the timeline; the caller saves ``custom_fields`` if it
    answers True. Raises Refused, Stale."""
    if not isinstance(values, Mapping):
        raise Refused(_("Custom fields are an object of values by key."), field="custom_fields")
    fields = _fields(values)
    wanted = {key: _read(incident, fields[key], value) for key, value in values.items()}
    _check_seen(incident, wanted, seen or {})
    changed = {key: value for key, value in wanted.items() if incident.custom_fields.get(key) != value}
    for key, value in changed.items():
        _record(actor, incident, fields[key], value)
    # A new dictionary: what was loaded is not changed behind the back of whoever holds it.
    kept = {**incident.custom_fields, **changed}
    incident.custom_fields = {key: value for key, value in kept.items() if value is not None}
    return bool(changed)


def move_in(actor: Actor, incident: Incident, values: Values, *, reason: str) -> None:
    """Give a locked incident values that another one had, as they are: they were checked when they were set there. None
    takes one away. Each has its entry; the caller saves ``custom_fields``."""
    fields = {field.key: field for field in CustomField.objects.filter(key__in=list(values))} if values else {}
    for key, value in values.items():
        # Of a definition that is gone the key is all that is left.
        _record(actor, incident, fields.get(key) or CustomField(key=key, name=key, kind="text"), value, reason)
    kept = {**incident.custom_fields, **values}
    incident.custom_fields = {key: value for key, value in kept.items() if key not in values or value is not None}


def begin_with(actor: Actor, incident: Incident, defaults: Values) -> tuple[bool, list[str]]:
    """Give a locked incident those of a template's values that it has none of: whether any was set, and the names of
    fields whose value is not taken any more (a person who left, a field that is retired or not asked for here). Nothing
    that is there is replaced."""
    wanted = {key: value for key, value in defaults.items() if key not in incident.custom_fields}
    fields = {field.key: field for field in _active(wanted)} if wanted else {}
    taken: dict[str, Any] = {}
    left = []
    for key, field in fields.items():
        with suppress(ValueError):
            taken[key] = checked(field, wanted[key]) if _is_asked(incident, field) else None
        if taken.get(key) is None:
            left.append(field.name)
    taken = {key: value for key, value in taken.items() if value is not None}
    return (put(actor, incident, taken) if taken else False), left


def check_required_fields(incident: Incident) -> None:
    """Raise Conflict that names the fields without which the incident cannot be resolved or closed."""
    names = [field.name for field in applying(incident).filter(required=True) if not _given(incident, field)]
    if not names:
        return
    count = ngettext("%(n)s required field has", "%(n)s required fields have", len(names)) % {"n": len(names)}
    raise Conflict(
        _("%(number)s cannot be resolved or closed: %(count)s no value: %(named)s.")
        % {"number": incident.number, "count": count, "named": some_of(names)},
        field="status",
        code="missing_fields",
    )


def applying(incident: Incident) -> Any:
    """The fields that are asked for on this incident: those for all, and those of its template."""
    here = Q(everywhere=True) | Q(pk__in=CustomField.templates.through.objects.filter(
        incidenttemplate=incident.template_id).values("customfield"))  # fmt: skip
    return CustomField.objects.filter(here if incident.template_id else Q(everywhere=True), retired_at=None)


def hold_definitions(*, alone: bool = False) -> None:
    """Until the transaction ends, definitions stay as they are; ``alone``: and nobody writes values."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT pg_advisory_xact_lock{'' if alone else '_shared'}(%s)", [LOCK])


def _fields(values: Values) -> dict[str, CustomField]:
    fields = {field.key: field for field in _active(values)}
    for key in values:
        if key not in fields:
            raise Refused(
                _("There is no custom field %(key)s.") % {"key": str(key)[:40]}, field=f"custom_fields.{str(key)[:40]}"
            )
    return fields


def _active(keys: Iterable[Any]) -> Any:
    hold_definitions()
    return CustomField.objects.filter(key__in=[str(key)[:40].replace("\x00", "") for key in keys])


def _given(incident: Incident, field: CustomField) -> bool:
    return incident.custom_fields.get(field.key) is not None


def _read(incident: Incident, field: CustomField, value: Any) -> Any:
    """The value as it is stored. A field that is retired, or not of the incident's template, can be emptied alone; a
    required one of an ended incident cannot."""
    where = f"custom_fields.{field.key}"
    if value is not None and value == incident.custom_fields.get(field.key):
        return value  # as it is: also a person who has left since
    try:
        read = checked(field, value)
    except ValueError as error:
        raise Refused(f"{field.name}: {error}", field=where) from error
    if read is not None and read != incident.custom_fields.get(field.key):
        _check_asked(incident, field, where)
    ended = not IncidentStatus(incident.status).is_open
    if read is None and ended and field.required and _given(incident, field) and _is_asked(incident, field):
        raise Refused(_("%(name)s: a resolved or closed incident needs it.") % {"name": field.name}, field=where)
    return read


def _check_asked(incident: Incident, field: CustomField, where: str) -> None:
    if field.retired_at is not None:
        raise Refused(_("%(name)s is retired: it takes no new values.") % {"name": field.name}, field=where)
    if not _is_asked(incident, field):
        raise Refused(_("%(name)s is not asked for with this incident's template.") % {"name": field.name}, field=where)


def _is_asked(incident: Incident, field: CustomField) -> bool:
    if field.retired_at is not None:
        return False
    return field.everywhere or field.templates.filter(pk=incident.template_id or 0).exists()


def _check_seen(incident: Incident, wanted: Values, seen: Mapping[str, str]) -> None:
    """What the form was made from must still be so, unless both want the same."""
    moved = [
        key
        for key, value in wanted.items()
        if key in seen and seen[key] != digest(now := incident.custom_fields.get(key)) and now != value
    ]
    if moved:
        raise Stale(
            _("%(number)s was changed by somebody else in the meantime. Nothing was saved.")
            % {"number": incident.number},
            current=incident,
            fields=moved,
        )


def _record(actor: Actor, incident: Incident, field: CustomField, value: Any, reason: str = "") -> None:
    old = told(field.kind, incident.custom_fields.get(field.key))
    data = {"field": f"cf.{field.key}", "name": field.name, "old": old, "new": told(field.kind, value)}
    timeline.record("changed", incident, actor, text=reason, data=data)
