"""Items of a Markdown list that begin with ``[ ]`` or ``[x]``, as other products write what is to be done."""

from __future__ import annotations

from markdown_it import MarkdownIt
from markdown_it.rules_core import StateCore
from markdown_it.token import Token

_SIGNS = {"[ ] ": "☐ ", "[x] ": "☑ ", "[X] ": "☑ "}


def with_checklists(parser: MarkdownIt) -> MarkdownIt:
    """The parser with the rule: a box that is empty or ticked, to be read, not to be pressed."""
    parser.core.ruler.push("checklist", _checklist)
    return parser


def _checklist(state: StateCore) -> None:
    for item, paragraph, inline in zip(state.tokens, state.tokens[1:], state.tokens[2:], strict=False):
        if (item.type, paragraph.type, inline.type) == ("list_item_open", "paragraph_open", "inline"):
            _ticked(inline.children or [])


def _ticked(words: list[Token]) -> None:
    first = words[0] if words else None
    if first is not None and first.type == "text" and first.content[:4] in _SIGNS:
        first.content = _SIGNS[first.content[:4]] + first.content[4:]
