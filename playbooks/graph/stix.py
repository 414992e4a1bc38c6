"""Rows of conditions as expressions of the STIX patterning grammar over CACAO variables."""

from __future__ import annotations

import re
from collections.abc import Iterable

from playbooks.graph.model import Row, Target
from playbooks.graph.parameters import hours


def variable(parameter: str) -> str:
    """The variable that stands for a parameter: ``__severity__``."""
    return f"__{parameter}__"


def expression(rows: Iterable[Row]) -> str:
    """The rows, AND-ed."""
    return " AND ".join(map(_comparison, rows)) or "TRUE"


def of_target(target: Target) -> str:
    """The alerts that the target takes."""
    rows = [Row("severity", "is", target.severities)]
    if target.models:
        rows.append(Row("model", "is", target.models))
    return expression(rows)


def _comparison(row: Row) -> str:
    what = f"{variable(row.parameter)}:value"
    values = list(row.values)
    if row.parameter == "hour_of_day":
        values = [str(hour) for hour in sorted({hour for value in values for hour in hours(value) or ()})]
    if row.operator in ("contains", "starts_with"):
        start = "^" if row.operator == "starts_with" else ""
        return _any(f"{what} MATCHES {_text(f'(?i){start}{re.escape(value)}')}" for value in values)
    if row.operator == "in_network":
        return _any(f"{what} ISSUBSET {_text(value)}" for value in values)
    listed = ", ".join(map(_text, values))
    return f"{what} {'NOT ' if row.operator == 'is_not' else ''}IN ({listed})"


def _any(parts: Iterable[str]) -> str:
    joined = " OR ".join(parts)
    return f"({joined})" if " OR " in joined else joined


def _text(value: str) -> str:
    r"""A literal of the grammar: \ and ' are escaped."""
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
