"""Templates of the HTTP action: Django's language without loaders, with tags and filters that do a bounded amount of
work, over plain dictionaries (rulings 29).

In a body each text of the JSON is a template of its own, so no value can break out of its place; a text that is nothing
but ``{{ name }}`` becomes the value itself, be it a number or a list. In a path every value is written as an address
needs it. A value that is not there is an error, never an empty place: ``hosts//isolate`` is another request."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any
from urllib.parse import quote

from django.template import Context, Engine, Library, Template, TemplateSyntaxError, Variable, VariableDoesNotExist
from django.template import defaultfilters as filters
from django.template import defaulttags as tags
from django.template.base import tag_re

TAGS = ("if", "firstof", "comment", "with")
FILTERS = ("cut", "first", "join", "last", "length", "lower", "slice", "upper", "yesno")
ALONE = re.compile(r"\s*\{\{\s*([A-Za-z_][\w.]*)\s*\}\}\s*")
MARK = "\x00"  # around the name of what is not there; no setting may hold it
MISSING = re.compile(f"{MARK}(.*?){MARK}", re.DOTALL)
SIGNS = ("{{", "}}", "{%", "%}", "{#", "#}")
DEEPEST = 32  # of a body
MOST_TEXTS = 500  # of one body


class BadTemplate(ValueError):
    """The template cannot be used; the sentence is for who wrote it."""


class Lacking(ValueError):
    """The object lacks what the template names."""


@lru_cache(maxsize=1)
def _engine() -> Engine:
    engine = Engine(loaders=[], libraries={}, autoescape=False, string_if_invalid=f"{MARK}%s{MARK}")
    known = Library()
    known.tags = {name: tags.register.tags[name] for name in TAGS}
    known.filters = {name: filters.register.filters[name] for name in FILTERS}
    engine.template_builtins = [known]
    return engine


@lru_cache(maxsize=500)
def _read(text: str) -> Template:
    if left := next((sign for sign in SIGNS if sign in tag_re.sub("", text)), ""):
        raise BadTemplate(f"The template cannot be read: there is a {left} without its other half.")
    try:
        return _engine().from_string(text)
    except TemplateSyntaxError as error:
        raise BadTemplate(f"The template cannot be read: {str(error)[:300].rstrip('.')}.") from None
    except RecursionError:
        raise BadTemplate("The template is nested too deeply.") from None


def check_path(text: str) -> None:
    """Raises BadTemplate."""
    _read(text)


def check_body(text: str) -> None:
    """Raises BadTemplate."""
    document = _document(text)
    texts = list(_texts(document))
    if len(texts) > MOST_TEXTS:
        raise BadTemplate(f"A body has at most {MOST_TEXTS} texts; this one has {len(texts):,}.")
    for one in texts:
        _read(one)


def path_of(text: str, values: dict[str, Any]) -> str:
    """The path with the values in it, each written as an address needs it. Raises Lacking, BadTemplate."""
    return _rendered(text, _there(_mapped(values, _in_path)))


def body_of(text: str, values: dict[str, Any]) -> dict[str, Any]:
    """What ``Connector.call`` takes: ``json``, or ``content`` and headers for a body that is plain text, or nothing.

    Raises Lacking, BadTemplate."""
    document, values = _document(text), _there(values)
    if document is None:
        return {}
    if isinstance(document, str):
        made = _rendered(document, values).encode("utf-8", "replace")
        return {"content": made, "headers": {"Content-Type": "text/plain; charset=utf-8"}}
    return {"json": _mapped(document, lambda one: _value(one, values))}


def _document(text: str) -> Any:
    """The template as JSON, or as plain text when it does not look like JSON; None for nothing."""
    bare = text.strip()
    if not bare:
        return None
    if not bare.startswith(("{", "[")) or bare.startswith(("{{", "{%", "{#")):
        return text
    try:
        document = json.loads(bare)
    except ValueError as error:
        message = (
            f"The body is no JSON ({error}). Put each {{{{ … }}}} in quotes: one that stands alone keeps its kind."
        )
        raise BadTemplate(message) from None
    except RecursionError:
        document = None
    if not _within(document, DEEPEST):
        raise BadTemplate(f"The body is nested more than {DEEPEST} deep.")
    return document


def _within(document: Any, deepest: int) -> bool:
    """Whether it is nested no deeper, and is there at all."""
    if isinstance(document, dict | list):
        inner = document.values() if isinstance(document, dict) else document
        return deepest > 0 and all(_within(one, deepest - 1) for one in inner if isinstance(one, dict | list))
    return False


def _texts(document: Any) -> Iterable[str]:
    if isinstance(document, dict):
        for value in document.values():
            yield from _texts(value)
    elif isinstance(document, list):
        for value in document:
            yield from _texts(value)
    elif isinstance(document, str):
        yield document


def _mapped(part: Any, change: Callable[[str], Any]) -> Any:
    """The same with each text of it changed."""
    if isinstance(part, dict):
        return {key: _mapped(value, change) for key, value in part.items()}
    if isinstance(part, list | tuple):
        return [_mapped(value, change) for value in part]
    return change(part) if isinstance(part, str) else part


def _there(values: Any) -> Any:
    """Without what is None: it counts as missing."""
    if isinstance(values, dict):
        return {key: _there(value) for key, value in values.items() if value is not None}
    return values


def _value(text: str, values: dict[str, Any]) -> Any:
    if not (alone := ALONE.fullmatch(text)):
        return _rendered(text, values)
    try:
        found = Variable(alone[1]).resolve(Context(values, autoescape=False))
    except (VariableDoesNotExist, TemplateSyntaxError):
        found = None
    if found is None or callable(found):
        raise Lacking(alone[1])
    return found


def _rendered(text: str, values: dict[str, Any]) -> str:
    try:
        made: str = _read(text).render(Context(values, autoescape=False))
    except (ArithmeticError, LookupError, TypeError, ValueError, AttributeError) as error:
        raise BadTemplate(f"The template failed ({type(error).__name__}).") from None
    if missing := MISSING.search(made):
        raise Lacking(missing[1])
    return made


def _in_path(value: str) -> str | None:
    """None, so that it counts as missing, for what would make another path of it."""
    return quote(value, safe="") if value.strip() not in ("", ".", "..") else None
