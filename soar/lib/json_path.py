"""Paths into JSON, a small and linear part of what JSONPath knows: ``$.door.name``, ``events[0].id``, ``a[*].b``.

``$.`` may be left out; a name of other characters stands as ``["odd name"]``. Of names that follow each other the
longest that is there as one key wins, so ``host.name`` finds ``{"host.name": ...}`` before ``{"host": {"name": ...}}``.
"""

from __future__ import annotations

import json
import re
from typing import Any

from django.utils.translation import gettext as _

LONGEST = 300  # characters of a path
DEEPEST = 32  # names and indexes of a path
MOST_VALUES = 1_000  # that one path finds with [*]
ALL = "[*]"
PART = re.compile(
    r"""\.?(?:(?P<name>[^.\[\]"'$\s{}](?:[^.\[\]"'{}]{0,198}[^.\[\]"'\s{}])?)
    |\[(?P<index>[0-9]{1,4})\]
    |\[(?P<all>\*)\]
    |\[(?P<quoted>"(?:[^"\\]|\\.){0,200}"|'[^']{0,200}')\])""",
    re.X,
)

Step = tuple[str, ...] | int | str  # names in a row, an index, or ALL
Plan = list[list[tuple[str, int]]]


class BadPath(ValueError):
    """What was written is no path; the sentence is for the person who wrote it."""


class Path:
    """A path that was read once, to be followed often."""

    __slots__ = ("_plans", "steps", "text")

    def __init__(self, text: str) -> None:
        """Read ``text``. Raises BadPath."""
        self.text = text.strip()
        self.steps = _steps(self.text)
        self._plans = [_plan(step) if isinstance(step, tuple) else step for step in self.steps]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Path) and self.steps == other.steps

    def __hash__(self) -> int:
        return hash(self.steps)

    @property
    def several(self) -> bool:
        """Whether it may find more than one value."""
        return ALL in self.steps

    @property
    def last(self) -> str:
        """The last name in it, "" if there is none."""
        return next((step[-1] for step in reversed(self.steps) if isinstance(step, tuple)), "")

    def find(self, document: Any, most: int = MOST_VALUES) -> list[Any]:
        """The values in ``document``, in order: none, one, or with ``[*]`` up to ``most``."""
        found = [document]
        for step in self._plans:
            if step.__class__ is list:
                found = [value for one in found if (value := _by_names(one, step)) is not None]
            elif step.__class__ is int:
                found = [one[step] for one in found if isinstance(one, list) and len(one) > step]
            else:
                found = [item for one in found if isinstance(one, list) for item in one[:most]][:most]
            if not found:
                return found
        return found if found[0] is not None and len(found) == 1 else [value for value in found if value is not None]


def _plan(names: tuple[str, ...]) -> Plan:
    """For each place in the row the keys that may stand there, the longest first, and where each leads to."""
    end = len(names)
    return [[(".".join(names[at:upto]), upto) for upto in range(end, at, -1)] for at in range(end)]


def _by_names(value: Any, plan: Plan) -> Any:
    """What stands under names in a row, or None. The longest key that is there is taken and never given back, so the
    work is bounded by the path's own length, whatever the document holds."""
    at, end = 0, len(plan)
    while at < end:
        if value.__class__ is not dict:
            return None
        for key, upto in plan[at]:
            if key in value:
                value, at = value[key], upto
                break
        else:
            return None
    return value


def _steps(text: str) -> tuple[Step, ...]:
    if not text:
        raise BadPath(_("The path is empty."))
    if len(text) > LONGEST:
        raise BadPath(_("A path has at most %(longest)s characters.") % {"longest": LONGEST})
    steps: list[Step] = []
    for part in _parts(text):
        if isinstance(part, tuple) and steps and isinstance(steps[-1], tuple):
            steps[-1] = steps[-1] + part
        else:
            steps.append(part)
    if sum(len(step) if isinstance(step, tuple) else 1 for step in steps) > DEEPEST:
        raise BadPath(_("A path has at most %(deepest)s names and indexes.") % {"deepest": DEEPEST})
    return tuple(steps)


def _parts(text: str) -> list[Step]:
    at = 1 if text[0] == "$" else 0
    parts: list[Step] = []
    while at < len(text):
        match = PART.match(text, at)
        if not match or (text[at] != "." and match["name"] and parts):
            raise BadPath(
                _("The path cannot be read from '%(text)s' on. It looks like $.events[0].host.name.")
                % {"text": text[at : at + 20]}
            )
        parts.append(_part(match))
        at = match.end()
    return parts


def _part(match: re.Match[str]) -> Step:
    if match["name"] is not None:
        return (match["name"],)
    if match["index"] is not None:
        return int(match["index"])
    return ALL if match["all"] else (_unquoted(match["quoted"]),)


def _unquoted(text: str) -> str:
    if text[0] == "'":
        return text[1:-1]
    try:
        name = json.loads(text)
    except ValueError as error:
        raise BadPath(_("%(text)s is no text in quotes.") % {"text": text}) from error
    return str(name)


def joined(path: str, key: str | int) -> str:
    """``path`` followed by a key or an index, as ``Path`` reads it: ``$.door`` and ``id`` are ``$.door.id``."""
    if isinstance(key, int):
        return f"{path}[{key}]"
    match = PART.fullmatch(key)
    plain = match is not None and match["name"] == key
    return f"{path}.{key}" if plain else f"{path}[{json.dumps(key, ensure_ascii=False)}]"
