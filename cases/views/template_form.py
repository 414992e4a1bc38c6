"""The form of an incident template: its fields, and its tasks as rows with some empty ones behind them."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from cases.actions.template_fields import TEMPLATE_TASKS_AT_MOST, YEAR
from cases.choices import IncidentKind, Severity, Tlp
from cases.models import IncidentTemplate
from cases.views.template_values import BeginsWith

EMPTY_ROWS = 3
UNITS = (("minutes", 1, _("minutes")), ("hours", 60, _("hours")), ("days", 24 * 60, _("days")))
FACTORS = {name: factor for name, factor, _label in UNITS}


class TemplateForm(forms.Form):
    """What a person says of a template; the action checks it once more."""

    name = forms.CharField(label=_("Name"), max_length=100)
    kind = forms.ChoiceField(label=_("Kind"), choices=IncidentKind.choices)
    description = forms.CharField(label=_("Description"), required=False, widget=forms.Textarea({"rows": 2}))
    description.help_text = _("When to use it.")
    severity = forms.ChoiceField(label=_("Severity"), required=False)
    severity.help_text = _("Of a new incident; worse alerts make it worse.")
    tlp = forms.ChoiceField(label=_("TLP"), required=False)
    tags = forms.CharField(label=_("Tags"), required=False, max_length=2000, help_text=_("Separated by commas."))

    def __init__(self, data: QueryDict | None = None, template: IncidentTemplate | None = None) -> None:
        super().__init__(data, initial=_initial(template) if template else {"kind": IncidentKind.OTHER})
        keep = ("", _("As the alerts have it"))
        _choices(self, "severity", [keep, *((one.word, gettext(str(one.label))) for one in reversed(Severity))])
        _choices(self, "tlp", [keep, *Tlp.choices])
        self.rows = rows_of(data) if data is not None else _rows_as_they_are(template)
        self.units = UNITS
        self.begins_with = BeginsWith(data, template)

    @property
    def shown_rows(self) -> list[tuple[int, dict[str, Any]]]:
        """The rows and some empty ones, numbered from 1."""
        free = max(min(EMPTY_ROWS, TEMPLATE_TASKS_AT_MOST - len(self.rows)), 0)
        empty = {"title": "", "description": "", "required": False, "due": "", "unit": "hours"}
        return list(enumerate([*self.rows, *([empty] * free)], 1))

    def for_action(self) -> dict[str, Any]:
        """The fields for ``cases.actions.templates``."""
        data = dict(self.cleaned_data)
        data["tags"] = data["tags"].split(",")
        data["severity"] = data["severity"] or None
        data["tasks"] = [_task(row) for row in self.rows]
        data["custom_fields"] = self.begins_with.for_action()
        return data


def rows_of(data: QueryDict) -> list[dict[str, Any]]:
    """The rows that hold a title, in the order of their numbers; a row without a title is taken away."""
    names = ("title", "description", "due", "unit", "order")
    columns = [data.getlist(f"task_{name}") for name in names]
    required = set(data.getlist("task_required"))
    rows = []
    for number, values in enumerate(zip(*columns, strict=False), 1):
        row: dict[str, Any] = dict(zip(names, values, strict=True))
        row["required"] = str(number) in required
        row["at"] = int(row["order"]) if row["order"].isdecimal() and len(row["order"]) < 6 else number
        if row["title"].strip():
            rows.append(row)
    return sorted(rows, key=lambda row: row["at"])[: TEMPLATE_TASKS_AT_MOST + 1]


def _task(row: dict[str, Any]) -> dict[str, Any]:
    """A row as the action takes it; a due time that is none becomes 0, which the action refuses with its words."""
    text, minutes = row["due"].strip(), None
    if text:
        number = int(text) if text.isascii() and text.isdecimal() and len(text) < 7 else 0
        minutes = min(number * FACTORS.get(row["unit"], 0), YEAR + 1)
    description = row["description"].replace("\r\n", "\n")
    return {"title": row["title"], "description": description, "required": row["required"], "due_minutes": minutes}


def _rows_as_they_are(template: IncidentTemplate | None) -> list[dict[str, Any]]:
    return [{**task, **_span(task["due_minutes"])} for task in template.tasks] if template else []


def _span(minutes: int | None) -> dict[str, str]:
    """45 is 45 minutes, 120 is 2 hours, 2880 is 2 days."""
    if not minutes:
        return {"due": "", "unit": "hours"}
    unit = next(name for name, factor, _label in reversed(UNITS) if minutes % factor == 0)
    return {"due": str(minutes // FACTORS[unit]), "unit": unit}


def _initial(template: IncidentTemplate) -> dict[str, Any]:
    return {
        "name": template.name,
        "kind": template.kind,
        "description": template.description,
        "severity": "" if template.severity is None else Severity(template.severity).word,
        "tlp": template.tlp,
        "tags": ", ".join(template.tags),
    }


def _choices(form: forms.Form, name: str, choices: list[tuple[str, Any]]) -> None:
    field = form.fields[name]
    assert isinstance(field, forms.ChoiceField)
    field.choices = choices
