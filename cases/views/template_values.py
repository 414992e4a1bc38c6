"""Values of custom fields that an incident of a template begins with, as part of the template's form."""

from __future__ import annotations

from typing import Any

from django.db.models import Q
from django.http import QueryDict

from cases.custom_fields.words import people_of, words
from cases.models import CustomField, IncidentTemplate
from cases.views.incident_fields_parts import PEOPLE_SHOWN, input_of, read_form
from soar.accounts.membership import workers

PREFIX = "cf-"  # of the names of the controls: no field of the template itself begins so


class BeginsWith:
    """The fields that the template's incidents are asked for, with the values typed or kept. ``rows``: field, id, name
    of the control, input (what it shows), left (a person who is not offered any more) and shown."""

    def __init__(self, data: QueryDict | None, template: IncidentTemplate | None) -> None:
        self.data = data
        self.kept: dict[str, Any] = template.custom_fields if template else {}
        mine = Q(everywhere=True) | Q(templates=template.pk if template else 0)
        self.fields = list(CustomField.objects.filter(mine, retired_at=None).distinct())
        some = any(field.kind == "user" for field in self.fields)
        self.people = list(workers().order_by("first_name", "username")[:PEOPLE_SHOWN]) if some else []

    @property
    def rows(self) -> list[dict[str, Any]]:
        """What the page shows."""
        names = people_of(self.kept.get(field.key) for field in self.fields if field.kind == "user")
        return [self._row(field, names) for field in self.fields]

    def for_action(self) -> dict[str, Any]:
        """The values for ``cases.actions.templates``; those of fields that are not shown stay. What is no number is
        passed on as it was typed: the action says so."""
        shown = {field.key for field in self.fields}
        values = {key: value for key, value in self.kept.items() if key not in shown}
        for field in self.fields:
            try:
                value = read_form(field, self._given(field), self.kept.get(field.key))
            except ValueError:
                value = self._given(field).get("value", "")
            if value not in (None, "", []):
                values[field.key] = value
        return values

    def _given(self, field: CustomField) -> QueryDict:
        """What was typed for one field, as its form on an incident would send it."""
        given = QueryDict(mutable=True)
        given.setlist("value", self.data.getlist(PREFIX + field.key) if self.data is not None else [])
        return given

    def _row(self, field: CustomField, names: dict[str, str]) -> dict[str, Any]:
        value = self.kept.get(field.key)
        shown = input_of(field, value)
        if self.data is not None:
            typed = self._given(field)
            shown = typed.getlist("value") if field.kind == "multi_choice" else typed.get("value", "")
        offered = {one.username for one in self.people}
        return {
            "field": field,
            "id": f"tf-{field.key}",
            "name": PREFIX + field.key,
            "input": shown,
            "value": value,
            "left": field.kind == "user" and value is not None and value not in offered,
            "shown": words(field.kind, value, names),
        }
