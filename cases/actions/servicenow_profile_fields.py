"""The fields of a ticket profile: what each takes (servicenow.md 2). All that is wrong is said at once, by field."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from django.utils.translation import gettext as _

from cases.actions.base import text_of, word
from cases.actions.servicenow_profile_maps import checked_map, contradictions
from cases.choices import Severity
from cases.errors import CaseError, Refused
from cases.models import AlertSource, IncidentTemplate
from cases.servicenow.defaults import MAPS
from cases.servicenow.notes import KINDS
from cases.servicenow.rules import DIRECTIONS, FIELDS, WINNERS
from cases.servicenow.templates import check

TABLE = re.compile(r"[a-z][a-z0-9_]{0,79}")
SYS_ID = re.compile(r"[0-9a-f]{32}")
FIELD = re.compile(r"[a-z][a-z0-9_]{0,79}")
TEMPLATE_AT_MOST = {"short_description": 300, "description": 8000, "extra": 2000}
EXTRA_AT_MOST = 40
ORDER_AT_MOST = 10_000
NOTE_FIELDS = ("work_notes", "comments")
ON_REPEAT = ("reopen", "new")
# What the profile itself writes, and what nobody may: the rows' own keys, and what the sync knows its tickets by.
TAKEN = {
    "short_description", "description", "caller_id", "caller", "assignment_group", "assigned_to", "category", "impact",
    "urgency", "priority", "state", "incident_state", "close_code", "close_notes", "work_notes", "comments",
    "comments_and_work_notes", "correlation_id", "correlation_display", "number", "active",
}  # fmt: skip


def checked(given: dict[str, Any]) -> dict[str, Any]:
    """The values as the model has them, by field. Raises Refused with ``errors``: by field, or by ``map:ours`` of a
    value of a map, what is wrong with it."""
    values: dict[str, Any] = {}
    errors: dict[str, str] = {}
    for name, value in given.items():
        if name not in CHECKS:
            errors[str(name)[:40]] = _("%(name)s cannot be set. These can: %(checks)s.") % {
                "name": f"{name!s:.40}",
                "checks": ", ".join(CHECKS),
            }
            continue
        try:
            values[name] = CHECKS[name](value)
        except CaseError as error:
            errors |= error.extra.get("errors") or {name: error.message}
    if "maps" in values:
        errors |= contradictions(values["maps"])
    refuse(errors)
    return values


def refuse(errors: dict[str, str]) -> None:
    """Raise Refused if anything is wrong: the first as its message, all of them in ``errors``."""
    if errors:
        field, message = next(iter(errors.items()))
        raise Refused(message, field=field, errors=errors)


def table_of(value: Any) -> str:
    """The name of a table. Raises Refused for what can be none."""
    text = str(value).strip().lower()
    if not TABLE.fullmatch(text):
        raise Refused(_("The name of a table: small letters, digits and underscores, at most 80."), field="table")
    return text


def reference(value: Any) -> dict[str, str]:
    """A row of another table, {} for none."""
    if value in ({}, None, ""):
        return {}
    if not isinstance(value, dict) or not SYS_ID.fullmatch(str(value.get("value", ""))):
        raise Refused(_("A reference has a value, the sys_id of 32 hexadecimal digits, and a label."))
    return {"value": value["value"], "label": str(value.get("label") or value["value"])[:200]}


def _template(name: str) -> Callable[[Any], str]:
    def checked_template(value: Any) -> str:
        required = name == "short_description"
        text = text_of(value, name, most=TEMPLATE_AT_MOST[name], required=required)
        for problem in check(text):
            raise Refused(problem, field=name)
        return text

    return checked_template


def _extra(value: Any) -> dict[str, str]:
    if not isinstance(value, dict) or len(value) > EXTRA_AT_MOST:
        raise Refused(
            _("Further fields are at most %(extra_at_most)s.") % {"extra_at_most": EXTRA_AT_MOST}, field="extra"
        )
    errors, found = {}, {}
    for name, text in value.items():
        try:
            found[_extra_name(name)] = _template("extra")(text)
        except CaseError as error:
            errors[f"extra:{name}"] = error.message
    refuse(errors)
    return found


def _extra_name(name: Any) -> str:
    if not isinstance(name, str) or not FIELD.fullmatch(name):
        raise Refused(_("The name of a field: small letters, digits and underscores."))
    if name in TAKEN or name.startswith("sys_"):
        raise Refused(
            _("%(name)s is written by the sync or by ServiceNow itself; it cannot be an extra field.") % {"name": name}
        )
    return name


def _maps(value: Any) -> dict[str, dict[str, Any]]:
    if not isinstance(value, dict) or not value.keys() <= set(MAPS):
        raise Refused(_("The maps are: %(maps)s.") % {"maps": ", ".join(MAPS)}, field="maps")
    errors: dict[str, str] = {}
    found = {name: checked_map(name, pairs, errors) for name, pairs in value.items()}
    refuse(errors)
    return found


def _of_fields(words: tuple[str, ...], what: str) -> Callable[[Any], dict[str, str]]:
    def checked_words(value: Any) -> dict[str, str]:
        if not isinstance(value, dict) or not value.keys() <= set(FIELDS):
            raise Refused(_("The fields are: %(fields)s.") % {"fields": ", ".join(FIELDS)}, field=what)
        refuse(
            {
                f"{what}:{name}": _("One of: %(words)s.") % {"words": ", ".join(words)}
                for name, one in value.items()
                if one not in words
            }
        )
        return dict(value)

    return checked_words


def _one_of(words: tuple[str, ...], name: str) -> Callable[[Any], str]:
    def checked_word(value: Any) -> str:
        if value not in words:
            raise Refused(_("One of: %(words)s.") % {"words": ", ".join(words)}, field=name)
        return str(value)

    return checked_word


def _note_kinds(value: Any) -> list[str]:
    if not isinstance(value, list | tuple) or not set(value) <= set(KINDS):
        raise Refused(_("Kinds of notes are: %(kinds)s.") % {"kinds": ", ".join(KINDS)}, field="note_kinds")
    return [kind for kind in KINDS if kind in value]


def _severities(value: Any) -> list[int]:
    if not isinstance(value, list | tuple):
        raise Refused(_("Severities are a list of words."), field="severities")
    return sorted({int(word(Severity, one, "severities")) for one in value}, reverse=True)


def _rows(model: Any, name: str) -> Callable[[Any], list[Any]]:
    def found_rows(value: Any) -> list[Any]:
        ids = [one for one in value if isinstance(one, int)] if isinstance(value, list | tuple) else []
        rows = list(model.objects.filter(pk__in=ids))
        if len(rows) != len(set(ids)) or len(ids) != len(value):
            raise Refused(_("One of these is not there any more."), field=name)
        return rows

    return found_rows


def _order(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= ORDER_AT_MOST:
        raise Refused(
            _("A whole number from 0 to %(order_at_most)s.") % {"order_at_most": ORDER_AT_MOST}, field="order"
        )
    return value


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise Refused(_("This is yes or no."))
    return value


CHECKS: dict[str, Callable[[Any], Any]] = {
    "name": lambda value: " ".join(text_of(value, "name", most=100).split()),
    "caller": reference,
    "assignment_group": reference,
    "assigned_to": reference,
    "category": lambda value: text_of(value, "category", most=100, required=False),
    "short_description": _template("short_description"),
    "description": _template("description"),
    "extra": _extra,
    "maps": _maps,
    "directions": _of_fields(DIRECTIONS, "directions"),
    "winners": _of_fields(WINNERS, "winners"),
    "note_kinds": _note_kinds,
    "note_field": _one_of(NOTE_FIELDS, "note_field"),
    "send_evidence": _flag,
    "on_repeat": _one_of(ON_REPEAT, "on_repeat"),
    "automatic": _flag,
    "severities": _severities,
    "templates": _rows(IncidentTemplate, "templates"),
    "sources": _rows(AlertSource, "sources"),
    "order": _order,
}
