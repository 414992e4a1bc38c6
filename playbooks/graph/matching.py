"""Compares what was seen with a row's values (response-playbooks.md 10). A node's rows are compiled once."""

from __future__ import annotations

from collections.abc import Callable

from playbooks.graph.facts import Seen, fold_address, fold_text
from playbooks.graph.model import Node, Row
from playbooks.graph.parameters import PARAMETERS, address, hours, network

Match = Callable[[Seen], bool]


def is_about_objects(row: Row) -> bool:
    """Whether the row is asked of each object (rulings 1); the others are asked of the alert."""
    known = PARAMETERS.get(row.parameter)
    return known is not None and known.objects


def matchers(node: Node) -> tuple[tuple[Row, bool, Match], ...]:
    """The node's rows with whether they are about objects and how they compare."""
    found: tuple[tuple[Row, bool, Match], ...] | None = node.cache.get("matchers")
    if found is None:
        found = tuple((row, is_about_objects(row), matcher(row)) for row in node.conditions)
        node.cache["matchers"] = found
    return found


def matcher(row: Row) -> Match:
    """How one row compares. Values that mean nothing match nothing; an unknown operator is never true."""
    if row.operator in ("is", "is_not"):
        return _equal(_wanted(row), row.operator == "is_not")
    values = tuple(value for value in map(fold_text, row.values) if value)
    if row.operator == "contains":
        return lambda seen: any(value in text for text in seen.folded for value in values)
    if row.operator == "starts_with":
        return lambda seen: any(text.startswith(values) for text in seen.folded)
    if row.operator == "in_network":
        return _within(row.values)
    return lambda seen: False


def _equal(wanted: frozenset[str], negated: bool) -> Match:
    """*is*: any value is among the wanted; *is not* is its negation, so it is true of nothing at all."""
    if negated:
        return lambda seen: wanted.isdisjoint(seen.folded)
    return lambda seen: not wanted.isdisjoint(seen.folded)


def _wanted(row: Row) -> frozenset[str]:
    if row.parameter == "hour_of_day":
        return frozenset(str(hour) for value in row.values for hour in hours(value) or ())
    fold = fold_address if row.parameter == "ip_address" else fold_text
    return frozenset(value for value in map(fold, row.values) if value)


def _within(values: tuple[str, ...]) -> Match:
    networks = [found for found in map(network, values) if found is not None]

    def match(seen: Seen) -> bool:
        found = [one for one in map(address, seen.folded) if one is not None]
        return any(one in range_ for one in found for range_ in networks)

    return match
