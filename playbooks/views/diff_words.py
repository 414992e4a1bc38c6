"""Which words of two texts differ, so that a change of one word is seen in a long sentence."""

from __future__ import annotations

import re
from difflib import SequenceMatcher

from playbooks.graph.diff import Change

LONGEST = 4_000  # characters; longer ones are told as a whole
WORD = re.compile(r"\s+|[^\s]+")
Piece = tuple[str, bool]


def marked(change: Change) -> dict[str, object]:
    """A change as its row shows it: ``before`` and ``after`` as pieces, (text, whether it differs)."""
    before, after = pieces(change.before, change.after)
    return {"where": change.where, "what": change.what, "before": before, "after": after}


def pieces(before: str, after: str) -> tuple[list[Piece], list[Piece]]:
    """Both texts in pieces. Where they have little in common, each is one piece that differs."""
    if not before or not after or max(len(before), len(after)) > LONGEST:
        return _whole(before), _whole(after)
    old, new = WORD.findall(before), WORD.findall(after)
    found = SequenceMatcher(None, old, new, autojunk=False)
    if found.ratio() < 0.5:
        return _whole(before), _whole(after)
    left: list[Piece] = []
    right: list[Piece] = []
    for tag, a, b, c, d in found.get_opcodes():
        left += _piece(old[a:b], tag != "equal")
        right += _piece(new[c:d], tag != "equal")
    return left, right


def _piece(words: list[str], differs: bool) -> list[Piece]:
    return [("".join(words), differs)] if words else []


def _whole(text: str) -> list[Piece]:
    return [(text, True)] if text else []
