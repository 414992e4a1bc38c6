"""Encoded queries: what is understood is run, every other part is silently left out, as the real one does."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

OPERATORS = (
    "NOT LIKE", "NOT IN", "STARTSWITH", "ENDSWITH", "ISNOTEMPTY", "ISEMPTY", "LIKE", "IN",
    "!=", ">=", "<=", "=", ">", "<",
)  # fmt: skip
PART = re.compile(rf"([a-z_][a-z0-9_.]*?)({'|'.join(OPERATORS)})(.*)", re.DOTALL)
CARET = "\x00"


@dataclass(frozen=True, slots=True)
class Condition:
    """``path``: a field, or fields of what it refers to with dots between."""

    path: str
    operator: str
    value: str


@dataclass(slots=True)
class Query:
    """``ways``: alternatives (^NQ) of terms that all hold, each a list of conditions of which one holds (^OR)."""

    ways: list[list[list[Condition]]] = field(default_factory=lambda: [[]])
    order: list[tuple[str, bool]] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)


def parse(text: str) -> Query:
    """Reads an encoded query; what is no condition stands in ``ignored``. ``^^`` is a caret in a value."""
    query = Query()
    for raw in text.replace("^^", CARET).split("^"):
        part = raw.replace(CARET, "^")
        if part.startswith("ORDERBYDESC"):
            query.order.append((part.removeprefix("ORDERBYDESC"), True))
        elif part.startswith("ORDERBY"):
            query.order.append((part.removeprefix("ORDERBY"), False))
        elif part.startswith("NQ"):
            query.ways.append([])
            _take(query, part.removeprefix("NQ"), alternative=False)
        elif part not in ("", "EQ"):
            alternative = part.startswith("OR")
            _take(query, part.removeprefix("OR"), alternative=alternative)
    return query


def _take(query: Query, part: str, *, alternative: bool) -> None:
    found = PART.fullmatch(part)
    if found is None:
        query.ignored.append(part)
        return
    condition = Condition(found[1], found[2], found[3])
    terms = query.ways[-1]
    if alternative and terms:
        terms[-1].append(condition)
    else:
        terms.append([condition])


def holds(condition: Condition, actual: str) -> bool:
    """Whether a value fits; numbers are compared as numbers, everything else as text with its case."""
    operator, wanted = condition.operator, condition.value
    if operator in ("IN", "NOT IN"):
        return (actual in wanted.split(",")) == (operator == "IN")
    if operator in (">", ">=", "<", "<="):
        return bool(actual) and _ordered(operator, actual, wanted)
    simple = {
        "=": actual == wanted,
        "!=": actual != wanted,
        "LIKE": wanted in actual,
        "NOT LIKE": wanted not in actual,
        "STARTSWITH": actual.startswith(wanted),
        "ENDSWITH": actual.endswith(wanted),
        "ISEMPTY": not actual,
        "ISNOTEMPTY": bool(actual),
    }
    return simple[operator]


def _ordered(operator: str, actual: str, wanted: str) -> bool:
    first, second = sortable(actual), sortable(wanted)
    if operator[0] == ">":
        return first > second or (operator == ">=" and first == second)
    return first < second or (operator == "<=" and first == second)


def sortable(value: str) -> tuple[int, int, str]:
    """A key that puts numbers in their order, before text."""
    try:
        return 0, int(value), ""
    except ValueError:
        return 1, 0, value
