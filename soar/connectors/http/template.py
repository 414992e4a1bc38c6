"""Templates of the HTTP action: Django's language without loaders, with tags and filters that do a bounded amount of
work, over plain dictionaries (rulings 29).

In a body each text of the JSON is a template of its own, so no value can break out of its place; a text that is nothing
but ``{{ name }}`` becomes the value itself, be it a number or a list. In a path what comes out of each ``{{ … }}`` is
written as an address needs it. A value that is not there is an error, never an empty place: ``hosts//isolate`` is
another request. Names find members of dictionaries and lists, never what Python adds to them."""

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
from django.template.base import FilterExpression, Lexer, NodeList, Parser, VariableNode, tag_re
from django.utils.translation import gettext as _

TAGS = ("if", "firstof", "comment", "with")
FILTERS = ("cut", "first", "join", "last", "length", "lower", "slice", "upper", "yesno")
ALONE = re.compile(r"\s*\{\{\s*([A-Za-z_][\w.]*)\s*\}\}\s*")
SIGNS = ("{{", "}}", "{%", "%}", "{#", "#}")
DEEPEST = 32  # of a body
MOST_TEXTS = 500  # of one body


class BadTemplate(ValueError):
    """The template cannot be used; the sentence is for who wrote it."""


class Lacking(ValueError):
    """The object lacks what the template names."""


class _Name(Variable):
    """A dotted name. None is not there either."""

    def resolve(self, context: Any) -> Any:
        """The value. Raises VariableDoesNotExist."""
        if self.lookups is None:
            return super().resolve(context)
        found = context
        for part in self.lookups:
            found = _member(found, part)
        if found is None:
            raise VariableDoesNotExist("%s", (self.var,))
        return found


def _member(value: Any, part: str) -> Any:
    """None if there is none; Django would look for methods too, and call them."""
    if isinstance(value, Context | dict):
        return value.get(part)
    if isinstance(value, list | tuple) and part.isdecimal():
        return next(iter(value[int(part) :]), None)
    return None


class _Expression(FilterExpression):
    """What stands in ``{{ … }}`` and behind tags, its names looked up in our way."""

    def __init__(self, token: str, parser: Parser) -> None:
        super().__init__(token, parser)
        self.var = _Name(self.var.var) if self.is_var else self.var
        self.filters = [
            (change, [(named, _Name(given.var) if named else given) for named, given in arguments])
            for change, arguments in self.filters
        ]

    def resolve(self, context: Context, ignore_failures: bool = False) -> Any:
        """The value. Raises VariableDoesNotExist; if ``ignore_failures``, what is not there is None to the filters."""
        if self.is_var and not ignore_failures:
            self.var.resolve(context)
        return super().resolve(context, ignore_failures)


class _InPath:
    """An expression whose outcome is written as an address needs it. What would make another path counts as missing."""

    def __init__(self, expression: Any) -> None:
        self.expression = expression

    def resolve(self, context: Context, ignore_failures: bool = False) -> Any:
        """See _Expression."""
        value = self.expression.resolve(context, ignore_failures)
        if ignore_failures and not value:
            return None
        if str(value).strip() not in ("", ".", ".."):
            return quote(str(value), safe="")
        if ignore_failures:
            return None
        raise VariableDoesNotExist("%s", (self.expression.var,))


class _Parser(Parser):
    def compile_filter(self, token: str) -> FilterExpression:
        return _Expression(token, self)


class _Template(Template):
    def compile_nodelist(self) -> NodeList:
        tokens = Lexer(str(self.source)).tokenize()
        return _Parser(tokens, self.engine.template_libraries, self.engine.template_builtins, self.origin).parse()


@lru_cache(maxsize=1)
def _engine() -> Engine:
    engine = Engine(loaders=[], libraries={}, autoescape=False)
    known = Library()
    known.tags = {name: tags.register.tags[name] for name in TAGS}
    known.filters = {name: filters.register.filters[name] for name in FILTERS}
    engine.template_builtins = [known]
    return engine


@lru_cache(maxsize=500)
def _read(text: str, in_path: bool = False) -> Template:
    if left := next((sign for sign in SIGNS if sign in tag_re.sub("", text)), ""):
        raise BadTemplate(
            _("The template cannot be read: there is a %(left)s without its other half.") % {"left": left}
        )
    try:
        made = _Template(text, engine=_engine())
    except TemplateSyntaxError as error:
        raise BadTemplate(
            _("The template cannot be read: %(error)s.") % {"error": str(error)[:300].rstrip(".")}
        ) from None
    except RecursionError:
        raise BadTemplate(_("The template is nested too deeply.")) from None
    if in_path:
        _write_for_addresses(made.nodelist)
    return made


def _write_for_addresses(nodes: NodeList) -> None:
    """What puts a value into the text, not what keeps it under a name. A text of the template itself stays as it is."""
    shown: Any
    for shown in nodes.get_nodes_by_type(VariableNode):
        shown.filter_expression = _written(shown.filter_expression)
    for shown in nodes.get_nodes_by_type(tags.FirstOfNode):
        if not shown.asvar:
            shown.vars = [_written(one) for one in shown.vars]


def _written(expression: Any) -> Any:
    return _InPath(expression) if expression.is_var or expression.filters else expression


def check_path(text: str) -> None:
    """Raises BadTemplate."""
    _read(text)


def check_body(text: str) -> None:
    """Raises BadTemplate."""
    document = _document(text)
    texts = list(_texts(document))
    if len(texts) > MOST_TEXTS:
        raise BadTemplate(
            _("A body has at most %(most_texts)s texts; this one has %(count)s.")
            % {"most_texts": MOST_TEXTS, "count": f"{len(texts):,}"}
        )
    for one in texts:
        _read(one)


def path_of(text: str, values: dict[str, Any]) -> str:
    """The path with the values in it, each written as an address needs it. Raises Lacking, BadTemplate."""
    return _rendered(text, _there(values), in_path=True)


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
        message = _(
            "The body is no JSON (%(error)s). Put each {{ … }} in quotes: one that stands alone keeps its kind."
        ) % {"error": error}
        raise BadTemplate(message) from None
    except RecursionError:
        document = None
    if not _within(document, DEEPEST):
        raise BadTemplate(_("The body is nested more than %(deepest)s deep.") % {"deepest": DEEPEST})
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
        return _Name(alone[1]).resolve(Context(values, autoescape=False))
    except (VariableDoesNotExist, TemplateSyntaxError):
        raise Lacking(alone[1]) from None


def _rendered(text: str, values: dict[str, Any], *, in_path: bool = False) -> str:
    try:
        made: str = _read(text, in_path).render(Context(values, autoescape=False))
    except VariableDoesNotExist as error:
        raise Lacking(str(error)) from None
    except (ArithmeticError, LookupError, TypeError, ValueError, AttributeError) as error:
        raise BadTemplate(_("The template failed (%(name)s).") % {"name": type(error).__name__}) from None
    return made
