"""Takes JSON apart without ever raising: what has the wrong shape is noted and left out, the rest is kept."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _

from playbooks.graph.model import Problem

MOST_ITEMS = 1000
MOST_NUMBER = 1_000_000_000
MOST_PROBLEMS = 500  # nobody reads more, and the answer to ten megabytes of rubbish stays small


class Reader:
    """Reads one object of a document. ``node`` is where it stands (Problem), ``at`` the way to it within the node.

    All readers of one document share ``problems``."""

    def __init__(self, value: object, problems: list[Problem], node: str = "", at: str = "") -> None:
        self.problems, self.node, self.at = problems, node, at
        self.fields: dict[str, Any] = {}
        if isinstance(value, dict):
            self.fields = {key: item for key, item in value.items() if isinstance(key, str)}
        else:
            self.wrong("", _("This must be an object."))

    def wrong(self, field: str, message: str) -> None:
        """Note a problem of a field; "" is the object itself."""
        if len(self.problems) < MOST_PROBLEMS:
            self.problems.append(Problem(self.node, ".".join(part for part in (self.at, field) if part), message))

    def only(self, *known: str) -> None:
        """Note the fields that nobody reads: a slip of the pen must not be lost in silence."""
        for field in list(self.fields)[:MOST_ITEMS]:
            if field not in known:
                self.wrong(field[:60], _("There is no field %(field)s here.") % {"field": repr(field[:60])})

    def text(self, field: str, most: int, default: str = "") -> str:
        """The text of a field; null and a missing one are the default."""
        value = self.fields.get(field)
        return default if value is None else self.as_text(value, field, most, default)

    def as_text(self, value: object, field: str, most: int, default: str = "") -> str:
        """``value`` as text that can be stored, cut at ``most`` characters."""
        if not isinstance(value, str):
            self.wrong(field, _("This must be text."))
            return default
        clean = storable(value)
        if clean != value:
            self.wrong(field, _("This has characters that cannot be stored."))
        if len(clean) > most:
            self.wrong(field, _("This is longer than %(most)s characters.") % {"most": f"{most:,}"})
        return clean[:most]

    def word(self, field: str, words: tuple[str, ...], default: str) -> str:
        """One of ``words``."""
        value = self.fields.get(field)
        if value is None or (isinstance(value, str) and value in words):
            return default if value is None else str(value)
        self.wrong(field, _("%(shown)s is not one of: %(words)s.") % {"shown": shown(value), "words": ", ".join(words)})
        return default

    def truth(self, field: str) -> bool:
        """True or false; missing is false."""
        value = self.fields.get(field)
        if value is not None and not isinstance(value, bool):
            self.wrong(field, _("This must be true or false."))
        return value is True

    def number(self, field: str, default: int) -> int:
        """A whole number."""
        value = self.fields.get(field)
        if value is None:
            return default
        if not is_number(value):
            self.wrong(field, _("This must be a whole number."))
            return default
        return int(value)

    def items(self, field: str, most: int = MOST_ITEMS) -> list[Any]:
        """The list of a field, at most ``most`` of it; null and missing are empty."""
        value = self.fields.get(field)
        if value is None:
            return []
        if not isinstance(value, list | tuple):
            self.wrong(field, _("This must be a list."))
            return []
        if len(value) > most:
            self.wrong(
                field,
                _("There are %(count)s here; %(most)s is the most.")
                % {"count": f"{len(value):,}", "most": f"{most:,}"},
            )
        return list(value[:most])

    def texts(self, field: str, most: int) -> tuple[str, ...]:
        """A list of texts; what is none is noted and left out."""
        found = []
        for number, value in enumerate(self.items(field)):
            if isinstance(value, str):
                found.append(self.as_text(value, f"{field}.{number}", most))
            else:
                self.wrong(f"{field}.{number}", _("This must be text."))
        return tuple(found)

    def inner(self, value: object, field: str) -> Reader:
        """The reader of an object in this one."""
        return Reader(value, self.problems, self.node, ".".join(part for part in (self.at, field) if part))

    def optional(self, field: str) -> Reader | None:
        """The reader of the object of a field; None if it is null or missing."""
        value = self.fields.get(field)
        return None if value is None else self.inner(value, field)


def is_number(value: object) -> bool:
    """A whole number that any product can take; true and false are none."""
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) <= MOST_NUMBER


def shown(value: object) -> str:
    """A value as it stands in a message: short, and never more than a line."""
    return repr(storable(value)[:60]) if isinstance(value, str) else "This"


def storable(text: str) -> str:
    """The text without what PostgreSQL's JSON cannot hold: the character NUL, halves of surrogate pairs."""
    if text.isascii():
        return text.replace("\x00", "")
    return text.replace("\x00", "").encode("utf-8", "ignore").decode("utf-8")
