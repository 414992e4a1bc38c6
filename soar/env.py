"""Typed readers of the environment that fail loudly.

Each reader also looks at ``NAME_FILE`` so that secrets can come from files (operations.md 2).
"""

from __future__ import annotations

import os
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

TRUE = {"1", "true", "yes", "on"}
FALSE = {"0", "false", "no", "off", ""}


def text(name: str, default: str | None = None) -> str:
    """The variable ``name``, or what the file named by ``name_FILE`` holds, or ``default``.

    Raises ImproperlyConfigured when it is missing and there is no default.
    """
    if name in os.environ:
        return os.environ[name]
    if path := os.environ.get(f"{name}_FILE"):
        try:
            return Path(path).read_text(encoding="utf-8").strip()
        except OSError as error:
            raise ImproperlyConfigured(f"{name}_FILE={path!r} cannot be read: {error}") from error
    if default is None:
        raise ImproperlyConfigured(f"The environment variable {name} is not set.")
    return default


def choice(name: str, words: tuple[str, ...]) -> str:
    """One of ``words``; the first where the variable is not set. Raises ImproperlyConfigured for another."""
    value = text(name, words[0]).strip().lower()
    if value not in words:
        raise ImproperlyConfigured(f"{name} is {value!r}, not one of {', '.join(words)}.")
    return value


def flag(name: str, default: bool) -> bool:
    """A yes/no variable: 1, true, yes, on or 0, false, no, off. Raises ImproperlyConfigured otherwise."""
    value = text(name, str(int(default))).lower()
    if value in TRUE:
        return True
    if value in FALSE:
        return False
    raise ImproperlyConfigured(f"{name}={value!r} is neither yes nor no (1, true, yes, on / 0, false, no, off).")


def number(name: str, default: int, *, least: int = 0) -> int:
    """A whole number of at least ``least``. Raises ImproperlyConfigured otherwise."""
    value = text(name, str(default))
    try:
        result = int(value)
    except ValueError as error:
        raise ImproperlyConfigured(f"{name}={value!r} is not a whole number.") from error
    if result < least:
        raise ImproperlyConfigured(f"{name}={result} is less than {least}.")
    return result


def paths(name: str) -> list[Path]:
    """A list of folders separated like PATH; empty parts are left out."""
    return [Path(part).expanduser().resolve() for part in text(name, "").split(os.pathsep) if part]


def words(name: str, default: str = "") -> list[str]:
    """A comma-separated list of words without blanks."""
    return [word.strip() for word in text(name, default).split(",") if word.strip()]


def pairs(name: str) -> dict[str, str]:
    """``a=b`` separated by commas. Raises ImproperlyConfigured for a part without both sides."""
    found = {}
    for word in words(name):
        left, equals, right = (part.strip() for part in word.partition("="))
        if not (left and equals and right):
            raise ImproperlyConfigured(f"{name}: {word!r} is not of the form value=name.")
        found[left] = right
    return found
