"""The query box: ``word``, ``field:value``, ``-field:value``, ``field:>=value`` (rulings 18). Pure."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable
from dataclasses import dataclass

_TOKEN = re.compile(
    r"""(?P<minus>-?)(?:(?P<field>[a-z_]+(?:\.[a-z0-9_]+)?):(?P<op>>=|<=|>|<|=)?)?(?:"(?P<quoted>[^"]*)"|(?P<plain>[^\s"]+))""",
    re.IGNORECASE,
)
TOKENS_AT_MOST = 30


@dataclass(frozen=True, slots=True)
class Token:
    """One part of the text. ``field`` is empty for a plain word; ``op`` is "", >=, <=, > or <;
    ``source`` is how it was written and ``at`` where, so that a chip can take it out again."""

    field: str
    op: str
    value: str
    negated: bool
    source: str
    at: int

    @property
    def values(self) -> list[str]:
        """The values of its field, parted by commas; what stands in quotation marks is one of them, commas and all."""
        return [self.value] if self.source.endswith('"') else self.value.split(",")


def parse(text: str, fields: frozenset[str]) -> list[Token]:
    """The tokens of a query. What looks like ``x:y`` with an unknown field is a plain word (``C:\\Temp``,
    ``http://…``)."""
    tokens = []
    for found in list(_TOKEN.finditer(text))[:TOKENS_AT_MOST]:
        field = (found["field"] or "").lower()
        value = found["quoted"] if found["quoted"] is not None else found["plain"] or ""
        if field and field not in fields:
            written = found[0][1:] if found["minus"] else found[0]
            tokens.append(Token("", "", written.strip('"'), bool(found["minus"]), found[0], found.start()))
        elif value:
            op = (found["op"] or "").removeprefix("=") if found["op"] == "=" else found["op"] or ""
            tokens.append(Token(field, op, value, bool(found["minus"]), found[0], found.start()))
    return tokens


def without(text: str, token: Token) -> str:
    """The text with this token taken out."""
    return " ".join(f"{text[: token.at]} {text[token.at + len(token.source) :]}".split())


def values_of(text: str) -> list[str]:
    """The values of a parameter, parted by commas. One that holds a comma is written in quotation marks, as in a file
    of comma-separated values."""
    if '"' not in text:
        return [part for part in text.split(",") if part]
    row = next(csv.reader([" ".join(text.splitlines())]), [])
    return [part for part in row if part]


def written(values: Iterable[str]) -> str:
    """Values as one parameter, which ``values_of`` reads."""
    return ",".join(_marked(value) if "," in value or '"' in value else value for value in values)


def _marked(value: str) -> str:
    return '"' + value.replace('"', '""') + '"'
