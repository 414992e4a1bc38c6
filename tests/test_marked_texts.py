"""What people are told is marked for translation (interface.md 10): no plain sentence is handed to what refuses,
answers or stands beside an input, and what is marked can be found by xgettext and filled in."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parent.parent
ROOMS = ("cases", "playbooks", "soar")
# Told to those who start programs, by stand-ins of other products, or with made-up people: nobody translates these.
LEFT_OUT = {"migrations", "standins", "management", "demo", "embedded", "backup", "up"}
MARKS = {"_", "gettext", "gettext_lazy", "gettext_noop", "ngettext", "ngettext_lazy", "pgettext"}
# What tells a sentence to a person, and at which place it takes it.
TELLING = {
    **dict.fromkeys(("CaseError", "Refused", "Conflict", "Missing", "Forbidden", "Stale", "missing_as"), 0),
    **dict.fromkeys(("ValidationError", "PermissionDenied", "NotFound", "Http404", "ParseError"), 0),
    **dict.fromkeys(
        ("FilterError", "BadMapping", "BadCursor", "BadPath", "BadTemplate", "Illegal", "toast", "live"), 0
    ),
    **dict.fromkeys(("BadPolicy", "BadRule", "add_error", "need"), 1),
    "needs": 2,
}
OF_GRAPHS = {"wrong": 1, "Problem": 2}
MESSAGES = {"success", "error", "warning", "info"}


@cache
def trees() -> dict[str, ast.Module]:
    """Each file that tells something to people, by its path."""
    paths = [path for room in ROOMS for path in (ROOT / room).rglob("*.py") if not LEFT_OUT & set(path.parts)]
    return {str(path.relative_to(ROOT)): ast.parse(path.read_text(encoding="utf-8")) for path in sorted(paths)}


def name_of(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""


def derived() -> set[str]:
    """The classes of ours that are a CaseError."""
    bases = {
        node.name: {name_of(base) for base in node.bases}
        for tree in trees().values()
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
    }
    known = {"CaseError"}
    while more := {name for name, above in bases.items() if above & known} - known:
        known |= more
    return known


def is_sentence(node: ast.expr) -> bool:
    """Two words or more. ``accounts.view_cases`` and ``{name}: {error}`` are none."""
    parts = node.values if isinstance(node, ast.JoinedStr) else [node]
    text = "".join(str(part.value) for part in parts if isinstance(part, ast.Constant) and isinstance(part.value, str))
    return " " in text.strip() and re.search(r"[A-Za-z]{2}", text) is not None


def unmarked(node: ast.AST, given: dict[str, list[ast.expr]]) -> Iterator[ast.expr]:
    """The plain sentences that this may be. ``given``: what the names around it are."""
    match node:
        case ast.Constant() | ast.JoinedStr():
            yield from [node] if is_sentence(node) else []
        case ast.IfExp():
            yield from (*unmarked(node.body, given), *unmarked(node.orelse, given))
        case ast.BinOp(op=ast.Mod()):
            yield from unmarked(node.left, given)
        case ast.BinOp():
            yield from (*unmarked(node.left, given), *unmarked(node.right, given))
        case ast.BoolOp() | ast.Dict():
            yield from (one for value in node.values for one in unmarked(value, given))
        case ast.List() | ast.Tuple():
            yield from (one for value in node.elts for one in unmarked(value, given))
        case ast.DictComp():
            yield from unmarked(node.value, given)
        case ast.Call(func=ast.Attribute(attr="format" | "strip", value=text)):
            yield from unmarked(text, given)
        case ast.Call(func=ast.Name(id="str"), args=[text]):
            yield from unmarked(text, given)
        case ast.Name(id=name) if name in given:
            without = {key: value for key, value in given.items() if key != name}
            yield from (one for value in given[name] for one in unmarked(value, without))


def inside(body: ast.AST) -> Iterator[ast.AST]:
    """The nodes of a function or module, without those of the functions inside of it."""
    waiting = list(ast.iter_child_nodes(body))
    while waiting:
        node = waiting.pop()
        yield node
        if not isinstance(node, ast.FunctionDef):
            waiting += ast.iter_child_nodes(node)


def names(body: ast.AST) -> dict[str, list[ast.expr]]:
    """What the names of a function or module are set to."""
    found: dict[str, list[ast.expr]] = {}
    for node in inside(body):
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                found.setdefault(name, []).append(value)
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                found.setdefault(name, []).append(value)
            case ast.NamedExpr(target=ast.Name(id=name), value=value):
                found.setdefault(name, []).append(value)
    return found


def told(node: ast.AST, telling: dict[str, int]) -> list[ast.expr]:
    """What a person reads of a call, and of an error that is put beside an input."""
    if isinstance(node, ast.Assign):
        beside = [one for one in node.targets if isinstance(one, ast.Subscript) and name_of(one.value) == "errors"]
        return [node.value] if beside else []
    if not isinstance(node, ast.Call):
        return []
    name, place = name_of(node.func), telling.get(name_of(node.func))
    if isinstance(node.func, ast.Attribute) and name_of(node.func.value) == "messages" and name in MESSAGES:
        place = 1
    if place is None:
        return []
    named = [keyword.value for keyword in node.keywords if keyword.arg in ("message", "sentence")]
    return [*node.args[place : place + 1], *named]


def plain(path: str, tree: ast.Module, telling: dict[str, int]) -> Iterator[str]:
    """``file:line: sentence`` of each that is handed over unmarked."""
    telling = telling | OF_GRAPHS if path.startswith("playbooks/graph/") else telling
    for body in [tree, *(node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))]:
        arguments = [argument for node in inside(body) for argument in told(node, telling)]
        given = names(tree) | names(body) if arguments else {}
        for argument in arguments:
            yield from (f"{path}:{one.lineno}: {ast.unparse(one)[:100]}" for one in unmarked(argument, given))


def test_no_sentence_for_people_is_unmarked() -> None:
    telling = TELLING | dict.fromkeys(derived(), 0)
    found = {line for path, tree in trees().items() for line in plain(path, tree, telling)}
    advice = "Put these into gettext, with their values after a %, as in _('There is no task %(pk)s.') % {'pk': pk}:"
    assert not found, "\n".join((advice, *sorted(found)))


def marked() -> Iterator[tuple[str, ast.Call]]:
    for path, tree in trees().items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and name_of(node.func) in MARKS and node.args:
                yield f"{path}:{node.lineno}", node


def test_what_is_marked_is_a_plain_text_that_xgettext_finds() -> None:
    found = [
        place
        for place, call in marked()
        if isinstance(call.args[0], ast.JoinedStr | ast.BinOp)
        or (isinstance(call.args[0], ast.Call) and name_of(call.args[0].func) == "format")
    ]
    assert not found, f"Put the values after the call: _('… %(name)s') % {{'name': name}}: {found}"


def filled() -> Iterator[tuple[str, str, list[str]]]:
    """Where a marked text is filled in on the spot: the place, the text, and the names that are given."""
    for path, tree in trees().items():
        for node in ast.walk(tree):
            match node:
                case ast.BinOp(op=ast.Mod(), left=ast.Call(func=func, args=args), right=ast.Dict(keys=keys)):
                    if name_of(func) in MARKS and all(isinstance(key, ast.Constant) for key in keys):
                        given = [str(key.value) for key in keys if isinstance(key, ast.Constant)]
                        texts = [one.value for one in args if isinstance(one, ast.Constant)]
                        yield from ((f"{path}:{node.lineno}", text, given) for text in texts if isinstance(text, str))


def test_each_gap_of_a_text_is_given() -> None:
    """Many of these are told in rare cases only: a name that is missing would be a 500 there."""
    found = []
    for place, text, given in filled():
        try:
            text % dict.fromkeys(given, 0)
        except (KeyError, ValueError, TypeError) as error:
            found.append(f"{place}: {text!r} with {given}: {error!r}")
    assert not found, "\n".join(found)
