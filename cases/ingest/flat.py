"""Looking fields up by name in any JSON object, however it nests or spells them.

``host.name`` is found as ``{"host": {"name": ...}}``, as ``{"host.name": ...}`` and as any mixture of both;
``sourceIp``, ``source_ip`` and ``Source-IP`` are one name.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from cases.ingest.text import DEEPEST, as_text

MOST_FIELDS = 20_000  # of one payload; what comes later is read by text extraction only
EMPTY: tuple[Any, ...] = (None, "", [], {})


@lru_cache(maxsize=10_000)
def plain(name: str) -> str:
    """``Source_IP`` and ``sourceIp`` as ``sourceip``; dots are kept."""
    return name.lower().replace("_", "").replace("-", "").replace(" ", "")


class Flat:
    """The fields of a payload by their dotted path, spelled plainly; the first of two equal paths counts."""

    def __init__(self, payload: dict[Any, Any], wrappers: frozenset[str] = frozenset()) -> None:
        """Read ``payload``; what stands in an object named in ``wrappers`` is found without that name too."""
        self.fields: dict[str, Any] = {}
        inner = [value for key, value in payload.items() if key in wrappers and isinstance(value, dict)]
        for part in (payload, *inner):
            self._add(part, "", 0)

    def _add(self, part: dict[Any, Any], prefix: str, depth: int) -> None:
        fields = self.fields
        for key, value in part.items():
            path = prefix + plain(str(key)[:200])
            if value.__class__ is dict and depth < DEEPEST:
                self._add(value, path + ".", depth + 1)
            elif value.__class__ is list and value and value[0].__class__ is dict:
                self._add_list(value, path, depth)
            if len(fields) < MOST_FIELDS and path not in fields:
                fields[path] = value

    def _add_list(self, items: list[Any], path: str, depth: int) -> None:
        """A list of objects is entered by its first one; all of them are had by ``all``."""
        if depth < DEEPEST:
            self._add(items[0], path + ".", depth + 1)

    def first(self, *names: str) -> Any:
        """The value of the first name that has one (a list of one counts as its item), or None."""
        fields = self.fields
        for name in names:
            value = fields.get(name)
            if value is None:
                continue
            if value.__class__ is list and len(value) == 1:
                value = value[0]
            if value not in EMPTY:
                return value
        return None

    def text(self, *names: str) -> str:
        """The first value that is text, a number, or a list that begins with one; "" when none is."""
        fields = self.fields
        for name in names:
            value = fields.get(name)
            if value is None:
                continue
            if value.__class__ is list and value:
                value = value[0]
            if value.__class__ is str:
                if value and not value.isspace():
                    return str(value)
            elif isinstance(value, int | float) and not isinstance(value, bool):
                return as_text(value)
        return ""

    def texts(self, *names: str) -> list[str]:
        """All texts and numbers under these names, lists opened."""
        fields = self.fields
        return [text for name in names if name in fields for text in _leaves(fields[name])]


def _leaves(value: Any) -> Iterator[str]:
    if isinstance(value, list):
        for item in value:
            if isinstance(item, str | int | float) and not isinstance(item, bool) and item != "":
                yield as_text(item)
    elif isinstance(value, str | int | float) and not isinstance(value, bool) and value != "":
        yield as_text(value)


def objects(value: Any) -> list[dict[str, Any]]:
    """The objects in ``value``: itself, the members of a list, or none."""
    if isinstance(value, dict):
        return [value]
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def string(value: Any) -> str:
    """``value`` if it is text or a number, as text; else ""."""
    if isinstance(value, str):
        return value.strip()
    return as_text(value) if isinstance(value, int | float) and not isinstance(value, bool) else ""
