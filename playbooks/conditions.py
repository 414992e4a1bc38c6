"""Does an alert meet the conditions of a playbook? Pure (python-playbooks.md 1).

Different keys AND; a list value means "any of"; a list field matches on overlap; a dotted key reaches nested
fields and, when its first part is no field of the alert, the raw payload. Texts are compared without case."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

Fields = Mapping[str, Any]
_VALUES_AT_MOST = 10_000


def matches(conditions: Mapping[str, Any], fields: Fields) -> bool:
    """Whether ``fields`` (the alert, dict-like; ``raw`` may be loaded only when asked for) meets all conditions.

    A key that leads nowhere does not match."""
    return all(_meets(wanted, fields, key) for key, wanted in conditions.items())


def _meets(wanted: Any, fields: Fields, key: str) -> bool:
    options = wanted if isinstance(wanted, list | tuple | set | frozenset) else [wanted]
    found = list(_first(values_at(fields, key)))
    if not found:
        return False
    return any(same(option, value) for option in options for value in found)


def _first(values: Iterator[Any]) -> Iterator[Any]:
    for number, value in enumerate(values):
        if number >= _VALUES_AT_MOST:
            return
        yield value


def values_at(fields: Fields, key: str) -> Iterator[Any]:
    """All single values that ``key`` leads to; lists on the way and at the end are opened."""
    if key in fields:
        yield from _leaves(fields[key])
        return
    head = key.partition(".")[0]
    if "." not in key:
        return
    if head in fields:
        yield from _walk(fields[head], key.partition(".")[2])
    elif "raw" in fields:
        yield from _walk(fields["raw"], key)


def _walk(value: Any, path: str) -> Iterator[Any]:
    """``a.b.c`` below ``value``. Payloads also write ``{"a.b": {"c": 1}}``: every cut of the path is tried."""
    if isinstance(value, list | tuple):
        for item in value:
            yield from _walk(item, path)
    elif isinstance(value, Mapping):
        if path in value:
            yield from _leaves(value[path])
        for head, rest in _cuts(path):
            if head in value:
                yield from _walk(value[head], rest)


def _cuts(path: str) -> Iterator[tuple[str, str]]:
    at = path.find(".")
    while at != -1:
        yield path[:at], path[at + 1 :]
        at = path.find(".", at + 1)


def _leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, list | tuple):
        for item in value:
            yield from _leaves(item)
    else:
        yield value


def same(wanted: Any, value: Any) -> bool:
    """Equal, where texts have no case, ``5`` is ``"5"`` and ``5.0``, but ``True`` is not ``1``."""
    if wanted is None or value is None:
        return wanted is None and (value is None or value == "")
    if isinstance(wanted, bool) or isinstance(value, bool):
        return _word(wanted) == _word(value) if isinstance(wanted, str | bool) else False
    if isinstance(wanted, str) or isinstance(value, str):
        return str(wanted).strip().casefold() == str(value).strip().casefold()
    return bool(wanted == value)


def _word(value: Any) -> str:
    return str(value).strip().casefold() if isinstance(value, str | bool) else "\x00"


def check(conditions: Any) -> dict[str, Any]:
    """The conditions, if they are such: a dict of texts to JSON values or lists of them. Raises TypeError."""
    if not isinstance(conditions, Mapping):
        raise TypeError("conditions= must be a dict.")
    checked: dict[str, Any] = {}
    for key, value in conditions.items():
        if not isinstance(key, str) or not key:
            raise TypeError(f"conditions=: {key!r} is not the name of a field.")
        options = list(value) if isinstance(value, list | tuple | set | frozenset) else [value]
        if not all(option is None or isinstance(option, str | int | float | bool) for option in options):
            raise TypeError(f"conditions=: the value of {key!r} must be a text, a number, or a list of them.")
        checked[key] = options if isinstance(value, list | tuple | set | frozenset) else value
    return checked
