"""The fields of an incident template: what each takes (casework.md 10)."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _

from cases.actions.alert_update import tlp_of
from cases.actions.base import tags_of, text_of, word
from cases.actions.custom_values import hold_definitions
from cases.actions.task_fields import DESCRIPTION_AT_MOST, flag, title_of
from cases.choices import IncidentKind, Severity
from cases.custom_fields.kinds import checked as read_value
from cases.errors import Refused
from cases.models import CustomField
from cases.models.custom_field import FIELDS_AT_MOST

TEMPLATE_TASKS_AT_MOST = 100
YEAR = 365 * 24 * 60  # the latest due time, in minutes
TASK_FIELDS = ("title", "description", "required", "due_minutes")


def checked(given: dict[str, Any]) -> dict[str, Any]:
    """The values as the model has them. Raises Refused beside the first that breaks a rule or is not known."""
    for name in given:
        if name not in _CHECKS:
            raise Refused(
                _("%(name)s cannot be set. These can: %(checks)s.")
                % {"name": f"{name!s:.40}", "checks": ", ".join(_CHECKS)},
                field=str(name)[:40],
            )
    return {name: _CHECKS[name](value) for name, value in given.items()}


def _kind(value: Any) -> str:
    if value not in IncidentKind.values:
        raise Refused(_("Kind is one of: %(values)s.") % {"values": ", ".join(IncidentKind.values)}, field="kind")
    return str(value)


def _severity(value: Any) -> Severity | None:
    return None if value is None or value == "" else word(Severity, value, "severity")


def _tasks(value: Any) -> list[dict[str, Any]]:
    if not isinstance(value, list) or len(value) > TEMPLATE_TASKS_AT_MOST:
        raise Refused(
            _("Tasks are a list of at most %(template_tasks_at_most)s.")
            % {"template_tasks_at_most": TEMPLATE_TASKS_AT_MOST},
            field="tasks",
        )
    rows = [_numbered(number, item) for number, item in enumerate(value, 1)]
    titles: set[str] = set()
    for number, row in enumerate(rows, 1):
        if row["title"].casefold() in titles:
            raise Refused(_("Task %(number)s: there is another of this title.") % {"number": number}, field="tasks")
        titles.add(row["title"].casefold())
    return rows


def _numbered(number: int, item: Any) -> dict[str, Any]:
    try:
        return _task(item)
    except Refused as error:
        about = f"{error.field}: " if error.field in TASK_FIELDS else ""
        raise Refused(
            _("Task %(number)s: %(about)s%(message)s") % {"number": number, "about": about, "message": error.message},
            field="tasks",
        ) from error


def _task(item: Any) -> dict[str, Any]:
    if not isinstance(item, dict) or not item.keys() <= set(TASK_FIELDS):
        raise Refused(_("A task has the fields %(task_fields)s.") % {"task_fields": ", ".join(TASK_FIELDS)})
    description = text_of(item.get("description") or "", "description", most=DESCRIPTION_AT_MOST, required=False)
    return {
        "title": title_of(item.get("title")),
        "description": description,
        "required": flag(item.get("required", False), "required"),
        "due_minutes": _due(item.get("due_minutes")),
    }


def _due(value: Any) -> int | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= YEAR:
        raise Refused(
            _("A whole number of minutes from 1 to %(year)s, or nothing.") % {"year": YEAR}, field="due_minutes"
        )
    return value


def _custom_fields(value: Any) -> dict[str, Any]:
    """Values to begin with, by key; null leaves one out. Checked as those of an incident are."""
    if not isinstance(value, dict) or len(value) > FIELDS_AT_MOST:
        raise Refused(_("Custom fields are an object of values by key."), field="custom_fields")
    hold_definitions()
    fields = {field.key: field for field in CustomField.objects.filter(key__in=[str(key)[:40] for key in value])}
    return {key: read for key, one in value.items() if (read := _begin_with(fields.get(key), key, one)) is not None}


def _begin_with(field: CustomField | None, key: str, value: Any) -> Any:
    if field is None:
        raise Refused(_("There is no custom field %(key)s.") % {"key": str(key)[:40]}, field="custom_fields")
    try:
        return read_value(field, value)
    except ValueError as error:
        raise Refused(f"{field.name}: {error}", field="custom_fields") from error


_CHECKS: dict[str, Any] = {
    "name": lambda value: " ".join(text_of(value, "name", most=100).split()),
    "description": lambda value: text_of(value, "description", most=DESCRIPTION_AT_MOST, required=False),
    "kind": _kind,
    "severity": _severity,
    "tlp": lambda value: tlp_of(value) if value else "",
    "tags": tags_of,
    "tasks": _tasks,
    "custom_fields": _custom_fields,
}
