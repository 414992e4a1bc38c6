"""The controls of the tables in a profile's form: one value each, with its own name, label and error."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from html import escape
from typing import Any

from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

Pair = tuple[str, Any]  # value and label


@dataclass(slots=True)
class Cell:
    """``name``: in the form; ``key``: its id in the page; ``options``: empty for a text; ``found``: the list of
    suggestions of a text (users, groups); ``label``: for who does not see the table's head."""

    name: str
    key: str
    label: str
    value: str = ""
    options: list[Pair] = field(default_factory=list)
    found: str = ""
    error: str = ""

    @property
    def choices(self) -> SafeString:
        """The options as HTML: a page has hundreds, and a loop of the template takes ten times as long for them."""
        rows = (
            f'<option value="{escape(value)}"{" selected" if value == self.value else ""}>{escape(str(label))}</option>'
            for value, label in self.options
        )
        return mark_safe("".join(rows))  # noqa: S308  each part is escaped


@dataclass(slots=True)
class Row:
    """``word``: what is mapped; ``badge``: finished HTML of it instead; ``raw``: the value behind the word."""

    word: Any
    cells: list[Cell]
    badge: str = ""
    raw: str = ""

    @property
    def errors(self) -> list[Cell]:
        """The cells that are wrong."""
        return [cell for cell in self.cells if cell.error]


@dataclass(slots=True)
class Section:
    """A table of the form. ``heads``: over the cells; ``first``: over what is mapped; ``more``: rows that are left out
    until they are asked for (``?all=1``)."""

    key: str
    title: Any
    hint: Any
    first: Any
    heads: list[Any]
    rows: list[Row]
    more: int = 0


class Maker:
    """Makes cells that show what was typed, where a form was sent, else what is saved. ``whole``: leave no row out."""

    def __init__(self, data: Mapping[str, Any] | None, errors: Mapping[str, str], *, whole: bool = False) -> None:
        self.data = data
        self.whole = whole
        self.errors = errors
        self.made = 0

    def cell(self, name: str, label: str, saved: str, options: Iterable[Pair] = (), *, found: str = "") -> Cell:
        """A select of ``options``, or a text without them. A saved value that is no option any more stays one."""
        self.made += 1
        value = str(self.data.get(name, "")) if self.data is not None and name in self.data else saved
        choices = list(options)
        if choices and value not in [one for one, _label in choices]:
            choices.append((value, _("%s (not there any more)") % value))
        return Cell(name, f"cell-{self.made}", label, value, choices, found, self.errors.get(name, ""))
