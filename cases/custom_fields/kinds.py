"""The kinds of custom fields: what each takes, and what of it is stored (casework.md 6).

Stored is plain JSON: texts, numbers, true, false, lists of texts; moments as ISO 8601 in UTC, people by user name."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from urllib.parse import urlsplit

from django.core.exceptions import ValidationError
from django.core.validators import URLValidator
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from soar.accounts.models import User
from soar.lib.clock import iso, moment_of
from soar.lib.hidden import shown

TEXT_AT_MOST, LONG_TEXT_AT_MOST, URL_AT_MOST = 500, 10_000, 2000
DIGITS_AT_MOST = 30  # of a number as it is written
NUMBER_AT_MOST = 10**15  # beyond it a float does not know the ones
YEARS = range(1900, 2200)


class Wanted(Protocol):
    """What of a definition its kind asks: ``cases.models.CustomField`` has it, a draft of one too."""

    kind: str
    choices: list[str]


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind. ``read`` takes a value of the API and gives what is stored; it raises ValueError in words."""

    word: str
    label: str | Promise
    read: Callable[[Any, Sequence[str]], Any]
    chooses: bool = False


def checked(field: Wanted, value: Any) -> Any:
    """The value as it is stored, None for none (null, an empty text, an empty list). Raises ValueError in words."""
    if value is None or value in ("", []):
        return None
    return KINDS[field.kind].read(value, field.choices)


def _text(value: Any, most: int, *, lines: bool) -> str:
    if not isinstance(value, str):
        raise ValueError(_("This must be a text."))
    text = shown(value.replace("\x00", "").encode("utf-8", "replace").decode().replace("\r\n", "\n").strip())
    if len(text) > most:
        raise ValueError(_("At most %(most)s characters.") % {"most": most})
    if not lines and "\n" in text:
        raise ValueError(_("One line only."))
    return text


def _number(value: Any, choices: Sequence[str]) -> int | float:
    """A whole number stays one. No infinities, nothing that is not a number."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(_("This must be a number."))
    if abs(value) > NUMBER_AT_MOST:
        raise ValueError(_("A number between -10^15 and 10^15."))
    return int(value) if isinstance(value, float) and value.is_integer() else value


def number_of(text: str) -> int | float:
    """A number as people write it: ``1250``, ``-3.5``, ``3,5``. Raises ValueError in words."""
    plain = text.strip().replace(",", ".")
    if not plain.isascii() or len(plain) > DIGITS_AT_MOST or "_" in plain:
        raise ValueError(_("This must be a number."))
    try:
        return _number(float(plain) if "." in plain or "e" in plain.lower() else int(plain), ())
    except ValueError as error:
        raise ValueError(_("This must be a number.")) from error


def _moment(value: Any, choices: Sequence[str]) -> str:
    moment = value if isinstance(value, datetime) else moment_of(value[:40]) if isinstance(value, str) else None
    if moment is None or moment.year not in YEARS:
        raise ValueError(_("Give a date and time, as 2026-03-12T17:00."))
    return str(iso(moment.replace(microsecond=0)))  # as texts they are ordered as moments are


def _flag(value: Any, choices: Sequence[str]) -> bool:
    if not isinstance(value, bool):
        raise ValueError(_("Must be true or false."))
    return value


def _choice(value: Any, choices: Sequence[str]) -> str:
    if not isinstance(value, str) or value not in choices:
        raise ValueError(_("One of: %(choices)s.") % {"choices": ", ".join(choices)})
    return value


def _choices(value: Any, choices: Sequence[str]) -> list[str]:
    """In the order of the choices, each once."""
    if not isinstance(value, list):
        raise ValueError(_("This must be a list."))
    picked = {_choice(one, choices) for one in value}
    return [one for one in choices if one in picked]


def _url(value: Any, choices: Sequence[str]) -> str:
    """A page of the web: nothing that a browser would run."""
    text = _text(value, URL_AT_MOST, lines=False)
    try:
        URLValidator(schemes=["http", "https"])(text)
        urlsplit(text)
    except (ValidationError, ValueError) as error:
        raise ValueError(_("Give an address that begins with https:// or http://.")) from error
    return text


def _user(value: Any, choices: Sequence[str]) -> str:
    """An active person, by user name."""
    name = value[:150].replace("\x00", "") if isinstance(value, str) else ""
    if not name or not User.objects.filter(username=name, is_active=True).exists():
        raise ValueError(_("There is no active user of this name."))
    return name


_KINDS = (
    Kind("text", _("Text"), lambda value, choices: _text(value, TEXT_AT_MOST, lines=False)),
    Kind("long_text", _("Long text"), lambda value, choices: _text(value, LONG_TEXT_AT_MOST, lines=True)),
    Kind("number", _("Number"), _number),
    Kind("datetime", _("Date and time"), _moment),
    Kind("boolean", _("Yes or no"), _flag),
    Kind("choice", _("One of several"), _choice, chooses=True),
    Kind("multi_choice", _("Some of several"), _choices, chooses=True),
    Kind("url", _("Link"), _url),
    Kind("user", _("Person"), _user),
)
KINDS: dict[str, Kind] = {kind.word: kind for kind in _KINDS}
KIND_WORDS = list(KINDS)
