"""What the box of custom fields on an incident's page needs, and how its forms are read (casework.md 6)."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django.db.models import Q
from django.http import QueryDict
from django.utils.translation import gettext as _

from cases.actions.custom_values import applying
from cases.custom_fields.kinds import number_of
from cases.custom_fields.words import digest, local_text, people_of, words
from cases.errors import CaseError, Stale
from cases.models import CustomField, Incident, TimelineEntry
from cases.permissions import owners_for
from soar.accounts.models import User

PEOPLE_SHOWN = 200
Context = dict[str, Any]


def fields(user: User, incident: Incident, opened: Collection[str] = ()) -> Context:
    """The fields that are asked for here, and those that are not but have a value; with what the forms of the
    ``opened`` ones (keys) need."""
    asked = list(applying(incident))
    here = {field.pk for field in asked}
    kept = CustomField.objects.filter(key__in=list(incident.custom_fields)).exclude(pk__in=here)
    rows = [*asked, *(kept if incident.custom_fields else ())]
    values = incident.custom_fields
    people = people_of(values.get(field.key) for field in rows if field.kind == "user")
    choosing = any(field.kind == "user" and field.key in opened for field in rows)
    able = list(owners_for(incident)[:PEOPLE_SHOWN]) if choosing else []
    shown = [_row(field, values.get(field.key), people, asked=field.pk in here) for field in rows]
    for row in shown:
        row["opened"] = row["field"].key in opened
    names = {one.username for one in able}
    for row in shown:  # who is not offered any more, but named, stays so when the form is saved as it is
        row["left"] = row["field"].kind == "user" and row["value"] is not None and row["value"] not in names
    return {"custom_fields": shown, "people": able}


def _row(field: CustomField, value: Any, people: dict[str, str], *, asked: bool) -> Context:
    return {
        "field": field,
        "value": value,
        "shown": words(field.kind, value, people),
        "input": input_of(field, value),
        "seen": digest(value),
        "asked": asked,
        "missing": asked and field.required and value is None,
    }


def input_of(field: CustomField, value: Any) -> Any:
    """A stored value as the control of its form takes it."""
    if field.kind == "datetime":
        return local_text(value)
    if field.kind == "boolean":
        return "" if value is None else "yes" if value else "no"
    return [] if value is None and field.kind == "multi_choice" else "" if value is None else value


def read_form(field: CustomField, given: QueryDict, now: Any) -> Any:
    """What a posted form says, as the action takes it. A moment that was not touched stays to the second.
    Raises ValueError in words."""
    if field.kind == "multi_choice":
        return given.getlist("value")
    text = given.get("value", "")
    if field.kind == "boolean":
        return {"yes": True, "no": False}.get(text)
    if field.kind == "number" and text.strip():
        return number_of(text)
    if field.kind == "datetime" and text and text == local_text(now):
        return now
    return text if field.kind in ("text", "long_text") else text.strip()


def problem_of(error: CaseError | ValueError, field: CustomField, given: QueryDict, incident: Incident) -> Context:
    """The refusal beside its form: the sentence, what was typed, and for a stale form both versions."""
    typed: Any = given.getlist("value") if field.kind == "multi_choice" else given.get("value", "")
    text = error.message if isinstance(error, CaseError) else f"{field.name}: {error}"
    problem: Context = {"form": field.key, "text": text, "typed": typed}
    if not isinstance(error, Stale):
        return problem
    now = incident.custom_fields.get(field.key)
    wanted = (
        ", ".join(typed) if isinstance(typed, list) else typed.replace("T", " ") if field.kind == "datetime" else typed
    )
    versions = [(field.name, wanted or _("nothing"), words(field.kind, now, people_of([now])) or _("nothing"))]
    return problem | {"versions": versions, "last": _last(field, incident)}


def _last(field: CustomField, incident: Incident) -> TimelineEntry | None:
    """The entry of the change that came between."""
    mine = Q(kind="changed", data__field=f"cf.{field.key}")
    return TimelineEntry.objects.filter(mine, incident=incident).order_by("-pk").first()
