"""A payload in lines that can be pointed at: each with the path that leads to its value."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

from cases.ingest.text import clean_text
from soar.lib.hidden import shown
from soar.lib.json_path import joined

LINES_AT_MOST = 1_500
LONGEST_VALUE = 160
LONGEST_KEY = 80
INDENT = "  "


class Line(NamedTuple):
    """One line: blanks, the key in quotes or "", the value or bracket, what follows, and the path ("" of a bracket
    that only ends something)."""

    indent: str
    key: str
    value: str
    end: str
    path: str


def lines_of(value: Any) -> tuple[list[Line], bool]:
    """The first lines of a JSON value, and whether there are more."""
    lines: list[Line] = []
    for line in _lines(value, "$", "", 0, ""):
        if len(lines) == LINES_AT_MOST:
            return lines, True
        lines.append(line)
    return lines, False


def paths_of(lines: list[Line]) -> list[str]:
    """The paths of these lines, each once."""
    return list(dict.fromkeys(line.path for line in lines if line.path and line.path != "$"))


def _lines(value: Any, path: str, key: str, depth: int, end: str) -> Iterator[Line]:
    indent = INDENT * depth
    if isinstance(value, dict | list) and value:
        brackets = "{}" if isinstance(value, dict) else "[]"
        yield Line(indent, key, brackets[0], "", path)
        pairs: Any = value.items() if isinstance(value, dict) else enumerate(value)
        last = len(value) - 1
        for number, (name, one) in enumerate(pairs):
            label = _quoted(str(name), LONGEST_KEY) if isinstance(value, dict) else ""
            yield from _lines(one, joined(path, name), label, depth + 1, "" if number == last else ",")
        yield Line(indent, "", brackets[1], end, "")
    else:
        text = _quoted(value, LONGEST_VALUE) if isinstance(value, str) else _plain(value)
        yield Line(indent, key, text, end, path)


def _quoted(text: str, most: int) -> str:
    cut = text if len(text) <= most else text[: most - 1] + "…"
    return shown(clean_text(json.dumps(cut, ensure_ascii=False))[0])


def _plain(value: Any) -> str:
    try:
        text = json.dumps(value)
    except ValueError:  # an integer too long for its digits
        return "…"
    return text if len(text) <= LONGEST_VALUE else text[: LONGEST_VALUE - 1] + "…"
