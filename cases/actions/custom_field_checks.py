"""What the definition of a custom field may be, and what of it the values that are there allow (casework.md 6)."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db.models.fields.json import KeyTransform
from django.utils.translation import gettext as _

from cases.actions.base import text_of
from cases.actions.task_fields import flag
from cases.custom_fields.filtering import KEY
from cases.custom_fields.kinds import KINDS, Wanted, checked
from cases.custom_fields.words import words
from cases.errors import Refused
from cases.models import CustomField, Incident, IncidentTemplate
from soar.accounts.models import User

CHOICES_AT_MOST = 100
_WORDS = re.compile(r"[^a-z0-9]+")


@dataclass(slots=True)
class Draft:
    """A definition as it would be."""

    kind: str
    choices: list[str]


@dataclass(slots=True)
class Unfit:
    """Values that a changed definition would not take: the value in words, and on how many incidents. ``hidden`` are
    incidents that the asking person does not see: their values are not told."""

    values: list[tuple[str, int]]
    hidden: int = 0

    def __bool__(self) -> bool:
        return bool(self.values or self.hidden)


def checked_fields(given: dict[str, Any]) -> dict[str, Any]:
    """The values as the model has them. Raises Refused beside the first that breaks a rule or is not known."""
    for name in given:
        if name not in CHECKS:
            raise Refused(
                _("%(name)s cannot be set. These can: %(checks)s.")
                % {"name": f"{name!s:.40}", "checks": ", ".join(CHECKS)},
                field=str(name)[:40],
            )
    return {name: CHECKS[name](value) for name, value in given.items()}


def key_of(value: Any, name: str) -> str:
    """The key given, else one made of the name. Raises Refused."""
    text = str(value or "").strip() or _WORDS.sub("_", name.casefold()).strip("_")[:40].strip("_")
    if not KEY.fullmatch(text) or text == "new":  # that is the address of the form
        raise Refused(_("Small letters, digits and _, beginning with a letter, at most 40."), field="key")
    return text


def check_choices(draft: Wanted) -> None:
    """Raise Refused when a kind that chooses has nothing to choose from, or another has."""
    if KINDS[draft.kind].chooses and not draft.choices:
        raise Refused(_("Write at least one choice."), field="choices")
    if draft.choices and not KINDS[draft.kind].chooses:
        raise Refused(_("This kind has no choices."), field="choices")


def unfit(field: CustomField, draft: Wanted, user: User | None) -> Unfit:
    """The stored values that ``draft`` would not take as they are."""
    values = KeyTransform(field.key, "custom_fields")
    rows = Incident.objects.filter(custom_fields__has_key=field.key).order_by()
    seen = Counter(_frozen(one) for one in _visible(rows, user).annotate(cf=values).values_list("cf", flat=True))
    every = Counter(_frozen(one) for one in rows.annotate(cf=values).values_list("cf", flat=True))
    wrong = {one for one in every if not fits(draft, _thawed(one))}
    told = [(words(field.kind, _thawed(one)), n) for one, n in seen.most_common() if one in wrong]
    return Unfit(told, sum(n for one, n in every.items() if one in wrong) - sum(n for _value, n in told))


def used_on(field: CustomField, user: User | None) -> tuple[int, bool]:
    """On how many incidents that the person sees there is a value, and whether on others too."""
    rows = Incident.objects.filter(custom_fields__has_key=field.key).order_by()
    seen = _visible(rows, user).count()
    return seen, rows.count() > seen


def templates_with(field: CustomField) -> list[IncidentTemplate]:
    """Templates that begin with a value of the field."""
    return list(IncidentTemplate.objects.current().filter(custom_fields__has_key=field.key))


def fits(draft: Wanted, value: Any) -> bool:
    """Whether the value would be stored just so. A person who has left is still one who was named."""
    if draft.kind == "user":
        return isinstance(value, str) and User.objects.filter(username=value).exists()
    try:
        return bool(checked(draft, value) == value)
    except ValueError:
        return False


def _visible(rows: Any, user: User | None) -> Any:
    return rows if user is None else rows.visible_to(user)


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else (type(value), value)


def _thawed(value: Any) -> Any:
    return value[1] if len(value) == 2 and isinstance(value[0], type) else list(value)


def _kind(value: Any) -> str:
    if value not in KINDS:
        raise Refused(_("Kind is one of: %(kinds)s.") % {"kinds": ", ".join(KINDS)}, field="kind")
    return str(value)


def _choices(value: Any) -> list[str]:
    if not isinstance(value, list) or len(value) > CHOICES_AT_MOST:
        raise Refused(
            _("Choices are a list of at most %(choices_at_most)s.") % {"choices_at_most": CHOICES_AT_MOST},
            field="choices",
        )
    choices = [" ".join(text_of(one, "choices", most=100).split()) for one in value]
    if len({one.casefold() for one in choices}) < len(choices):
        raise Refused(_("Two choices are the same."), field="choices")
    return choices


def _templates(value: Any) -> list[IncidentTemplate] | None:
    """Null: on all incidents. Else those of the templates with these ids or names."""
    if value is None:
        return None
    if not isinstance(value, list) or not value:
        raise Refused(_("Null for all incidents, or a list of at least one template."), field="templates")
    return [_template(one) for one in value[:1000]]


def _template(value: Any) -> IncidentTemplate:
    """By id or name; one that was deleted as well, for a field that is asked for on its incidents goes on to be."""
    text = str(value)[:100].replace("\x00", "").strip()
    is_id = text.isascii() and text.isdecimal() and len(text) < 19
    found = IncidentTemplate.objects.filter(pk=int(text)).first() if is_id else None
    found = found or IncidentTemplate.objects.filter(name__iexact=text).first()
    if found is None:
        raise Refused(_("There is no incident template %(text)s.") % {"text": f"{text:.60}"}, field="templates")
    return found


CHECKS: dict[str, Callable[[Any], Any]] = {
    "name": lambda value: " ".join(text_of(value, "name", most=100).split()),
    "kind": _kind,
    "choices": _choices,
    "required": lambda value: flag(value, "required"),
    "help_text": lambda value: text_of(value, "help_text", most=500, required=False),
    "templates": _templates,
}
