"""``@name`` in Markdown: a rule of the parser, so that code, links, addresses and escaped signs are no mentions.

A name is what a user name may be made of (letters of any script, digits, ``_ . @ + -``), so it may be an e-mail
address. What stands behind it as punctuation is not part of it: ``@anna.`` is anna, unless there is an "anna."."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from html import escape

from markdown_it import MarkdownIt
from markdown_it.rules_inline import StateInline

LONGEST = 150
_NAME = re.compile(rf"[\w.@+-]{{1,{LONGEST + 1}}}")
_WITHIN = re.compile(r"[\w@./+-]")
_TRAILING = "._@+-"


def candidates(written: str) -> Iterator[str]:
    """What may be meant by the characters behind an ``@``, the longest first: all of it, or less punctuation."""
    while written:
        yield written
        if written[-1] not in _TRAILING:
            return
        written = written[:-1]


def plain(name: str) -> str:
    """The form in which names are compared: user names are kept in NFKC."""
    return unicodedata.normalize("NFKC", name)


def with_mentions(parser: MarkdownIt) -> MarkdownIt:
    """The parser with the rule. Its environment may hold ``people``, a mapping of what may stand behind an ``@`` to
    what is shown, and ``found``, a list that takes what stands behind each ``@``."""
    parser.inline.ruler.push("mention", _mention)
    return parser


def _mention(state: StateInline, silent: bool) -> bool:
    written = _written(state)
    if not written:
        return False
    found = state.env.get("found")
    if found is not None and not silent:
        found.append(written)
    people = state.env.get("people") or {}
    name = next((one for one in candidates(written) if one in people), "")
    if not name:
        return False
    if not silent:
        token = state.push("html_inline", "", 0)
        token.content = f'<span class="at">@{escape(people[name])}</span>'
    state.pos += 1 + len(name)
    return True


def _written(state: StateInline) -> str:
    """What stands behind the ``@`` at this place, "" where none begins a name: in a word, an address or a link."""
    at = state.pos
    if state.src[at] != "@" or state.linkLevel or (at and _WITHIN.match(state.src[at - 1])):
        return ""
    match = _NAME.match(state.src, at + 1, state.posMax)
    return match[0] if match and len(match[0]) <= LONGEST else ""
