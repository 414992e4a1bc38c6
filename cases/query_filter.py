"""What the filters of lists have in common: query string <-> fields and query box <-> chips (casework.md 2)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlencode

from django.http import QueryDict
from django.utils.translation import gettext as _

from cases import query_text
from cases.query_text import Token

Params = QueryDict | Mapping[str, str | list[str]]
VALUE_AT_MOST = 500


@dataclass(frozen=True, slots=True)
class Chip:
    """A filter that is on: its label, its value, and the query string without it."""

    label: str
    value: str
    remove: str


def given(params: Params) -> Iterator[tuple[str, list[str]]]:
    """The parameters of a query string or a mapping, each with its values, without empty ones."""
    pairs = params.lists() if isinstance(params, QueryDict) else params.items()
    for name, values in pairs:
        listed = [values] if isinstance(values, str) else list(values)
        yield name, [str(value).replace("\x00", "")[:VALUE_AT_MOST] for value in listed if str(value)]


@dataclass
class QueryFilter:
    """A parsed filter: ``params`` by name of field, what stands in the query box as ``q``, and its ``tokens``.
    ``errors`` holds what could not be read: the page shows it, the API refuses it."""

    params: dict[str, list[str]]
    tokens: list[Token]
    errors: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """What stands in the query box."""
        return self.params.get("q", [""])[0]

    def label(self, name: str) -> str:
        """What people call a field."""
        return name

    def chips(self) -> list[Chip]:
        """The filters that are on, each with the query string that takes it off."""
        chips = [
            Chip(self.label(name), ", ".join(values), self.query_string(without=name))
            for name, values in self.params.items()
            if name != "q"
        ]
        for token in self.tokens:
            label = self.label(token.field) if token.field else _("Text")
            rest = self.query_string(q=query_text.without(self.text, token))
            shown = f"{token.op} {token.value}".strip()
            chips.append(Chip(_("Not %(label)s") % {"label": label.lower()} if token.negated else label, shown, rest))
        return chips

    def query_string(self, without: str = "", **replace: str | list[str]) -> str:
        """The filter as a query string, without one parameter or with others in its place."""
        pairs = {name: values for name, values in self.params.items() if name != without}
        pairs |= {name: [value] if isinstance(value, str) else value for name, value in replace.items()}
        flat = [(name, query_text.written(v)) if name != "q" else (name, v[0]) for name, v in pairs.items()]
        return urlencode([(name, value) for name, value in flat if value])
