"""Evaluates condition nodes (rulings 1, response-playbooks.md 9 to 12). Pure: what is known comes in as ``Facts``."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from playbooks.graph.facts import Facts, Object, Seen
from playbooks.graph.matching import Match, is_about_objects, matchers
from playbooks.graph.model import Node, Row

__all__ = ["Facts", "Object", "RowVerdict", "Verdict", "evaluate", "is_about_objects"]

MOST_SHOWN = 30  # values of a row that are kept in a step


@dataclass(frozen=True, slots=True)
class RowVerdict:
    """What came of one row. ``result``: true or false by the object's key; under "" if the alert was asked once."""

    row: Row
    result: dict[str, bool]
    table: dict[str, Seen]

    @property
    def parameter(self) -> str:
        """What was asked."""
        return self.row.parameter

    @property
    def operator(self) -> str:
        """How it was compared."""
        return self.row.operator

    @property
    def values(self) -> tuple[str, ...]:
        """What it was compared with."""
        return self.row.values

    @property
    def seen(self) -> list[str]:
        """All values that were compared, each once."""
        return list(dict.fromkeys(value for key in self.result for value in self.seen_by(key)))

    def seen_by(self, key: str) -> tuple[str, ...]:
        """The values that were compared for one object."""
        return self.table.get(key, self.table[""]).shown

    def as_json(self) -> dict[str, Any]:
        """For a step's result. Of very many values the first are kept, and ``cut`` says so."""
        seen, by = self.seen, {key: self.seen_by(key) for key in self.result}
        cut = len(seen) > MOST_SHOWN or any(len(values) > MOST_SHOWN for values in by.values())
        return {
            "parameter": self.row.parameter,
            "operator": self.row.operator,
            "values": list(self.row.values),
            "seen": seen[:MOST_SHOWN],
            "seen_by": {key: list(values[:MOST_SHOWN]) for key, values in by.items()},
            "result": dict(self.result),
        } | ({"cut": True} if cut else {})


@dataclass(frozen=True, slots=True)
class Verdict:
    """Where the objects go: each key that arrived is in ``true`` (right) or in ``false`` (below), in its order.

    ``once``: what the node as a whole said, if it was evaluated once; None if each object was judged by itself."""

    true: list[str]
    false: list[str]
    once: bool | None
    rows: list[RowVerdict]

    def as_json(self) -> dict[str, Any]:
        """For a step's result."""
        rows = [row.as_json() for row in self.rows]
        return {"true": self.true, "false": self.false, "once": self.once, "rows": rows}


def evaluate(node: Node, facts: Facts, arriving: Iterable[str]) -> Verdict:
    """Evaluate a condition or else-if for the objects that reached it. Rows are AND-ed; a node without rows is true.

    With a row about objects each object is judged by itself; otherwise all go one way. An alert without any object is
    asked once, as a whole: there is no object whose value could decide."""
    keys = list(dict.fromkeys(arriving))
    compiled = matchers(node)
    single = not facts.objects or not any(about for _, about, _ in compiled)
    rows = [_row(row, about and not single, match, facts, keys) for row, about, match in compiled]
    if single:
        once = all(row.result[""] for row in rows)
        return Verdict(keys if once else [], [] if once else keys, once, rows)
    return _parted(keys, rows)


def _row(row: Row, each: bool, match: Match, facts: Facts, keys: list[str]) -> RowVerdict:
    table = facts.seen(row.parameter)
    whole = table[""]
    if not each:
        return RowVerdict(row, {"": match(whole)}, table)
    # What many objects share (the alert's values, those of one endpoint) is one ``Seen``, compared once.
    made: dict[Seen, bool] = {}
    result = {}
    for key in keys:
        seen = table.get(key, whole)
        if seen not in made:
            made[seen] = match(seen)
        result[key] = made[seen]
    return RowVerdict(row, result, table)


def _parted(keys: list[str], rows: list[RowVerdict]) -> Verdict:
    """The objects for which all rows are true, and the others."""
    passing = keys
    for row in rows:
        result = row.result
        whole = result.get("", False)
        passing = [key for key in passing if result.get(key, whole)]
    right = set(passing)
    return Verdict(passing, [key for key in keys if key not in right], None, rows)
