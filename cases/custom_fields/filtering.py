"""``cf.key=value`` in the filters of incidents: the values are one indexed column (casework.md 6)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from django.db.models import Func, JSONField, Q, TextField, Value
from django.db.models.fields.json import KeyTextTransform, KeyTransform
from django.db.models.lookups import (
    Exact,
    GreaterThan,
    GreaterThanOrEqual,
    IContains,
    IStartsWith,
    LessThan,
    LessThanOrEqual,
)
from django.utils.translation import gettext as _

from cases.custom_fields.kinds import number_of
from cases.filters_fields import FilterError, moment
from cases.models import CustomField
from soar.lib.clock import iso

PREFIX = "cf."
KEY = re.compile(r"[a-z][a-z0-9_]{0,39}")
COLUMN = "custom_fields"
COMPARED: dict[str, Any] = {
    ">=": GreaterThanOrEqual, "<=": LessThanOrEqual, ">": GreaterThan, "<": LessThan,
}  # fmt: skip
WORDS = {"yes": True, "true": True, "no": False, "false": False}


class Names(frozenset[str]):
    """Names of a filter's fields, and ``cf.`` with any key."""

    def __contains__(self, name: object) -> bool:
        return super().__contains__(name) or is_field(str(name))


def is_field(name: str) -> bool:
    """Whether a filter's name is that of a custom field."""
    return name.startswith(PREFIX) and KEY.fullmatch(name[len(PREFIX) :]) is not None


def names_in(params: Iterable[str]) -> list[str]:
    """Those of a query string that name custom fields, also such as cannot be."""
    return [name for name in params if name.startswith(PREFIX)]


def condition(name: str, op: str, value: str) -> Q:
    """That the field has this value; of several choices, that this one is among them. ``none`` and ``any``: that it has
    none, or one; ``*part*`` and ``beginning*`` look into texts; ``>=`` and the like compare numbers and times, as
    ``op`` or before the value. A choice of the field that is written like one of these is meant itself.

    Raises FilterError for a field that is not there and for what cannot be compared."""
    key = name[len(PREFIX) :]
    field = CustomField.objects.filter(key=key).only("choices").first() if is_field(name) else None
    if field is None:
        raise FilterError(_("There is no custom field %(key)s.") % {"key": f"{key:.40}"})
    chosen = _choice(field.choices, op + value)
    if chosen:
        return _is(key, [chosen, [chosen]])
    op, value = _parted(op, value)
    if op:
        return _compared(key, op, value)
    if value.lower() in ("none", "any"):
        there = Q(custom_fields__has_key=key)
        return there if value.lower() == "any" else ~there
    if len(value) > 1 and value.endswith("*"):
        text = KeyTextTransform(key, COLUMN, output_field=TextField())
        part = value.strip("*")
        return Q((IContains if value.startswith("*") else IStartsWith)(text, part))
    return _is(key, _forms(value))


def _is(key: str, forms: Iterable[Any]) -> Q:
    found = Q()
    for form in forms:
        found |= Q(custom_fields__contains={key: form})
    return found


def _choice(choices: Iterable[str], value: str) -> str:
    """The choice that is written so; "" if none is. What a choice is called it means, be it "none" or ">= 3"."""
    wanted = "".join(value.split())
    return next((one for one in choices if "".join(one.split()) == wanted), "")


def _parted(op: str, value: str) -> tuple[str, str]:
    """The sign that compares, and what with; it may stand before the value."""
    sign = op or next((one for one in COMPARED if value.startswith(one)), "")
    return sign, value if op else value.removeprefix(sign).strip()


def _forms(value: str) -> list[Any]:
    """What a value may be stored as: itself, one of several, a number, yes or no, a moment."""
    forms: list[Any] = [value, [value]]
    if value.lower() in WORDS:
        forms.append(WORDS[value.lower()])
    try:
        forms.append(number_of(value))
    except ValueError:
        if "T" in value:
            forms.append(_moment(value))
    return forms


def _compared(key: str, op: str, value: str) -> Q:
    try:
        against: Any = number_of(value)
    except ValueError:
        against = _moment(value)
    sort = "number" if isinstance(against, int | float) else "string"
    mine = KeyTransform(key, COLUMN)
    same = Q(**{f"{COLUMN}__has_key": key}) & Q(_is_sort(key, sort))
    return same & Q(COMPARED[op](mine, Value(against, JSONField())))


def _is_sort(key: str, sort: str) -> Any:
    """That the stored value is of this sort of JSON: others are ordered beside numbers and must not match."""
    typeof = Func(KeyTransform(key, COLUMN), function="jsonb_typeof", output_field=TextField())
    return Exact(typeof, Value(sort))


def _moment(value: str) -> str:
    return str(iso(moment(value)))
