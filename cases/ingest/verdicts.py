"""Verdicts and states of sources in the portal's words (ingest-and-api.md 8a)."""

from __future__ import annotations

import re
from typing import Any

CLOSED = frozenset(
    ["closed", "close", "resolved", "done", "completed", "dismissed", "solved", "inactive", "remediated", "ended"]
)
# The first sign that is found in the verdict decides, so "benign true positive" is benign.
VERDICTS = (
    ("benign", ("benign", "falsepositive", "notmalicious", "expectedactivity", "authorized", "harmless")),
    ("malicious", ("truepositive", "malicious", "confirmed", "compromised")),
    ("suspicious", ("suspicious", "noteworthy")),
)
UNDECIDED = ("undetermined", "unconfirmed", "notset", "unknown", "nofindings", "undefined")
SHORT = {"fp": "benign", "btp": "benign", "bp": "benign", "tp": "malicious"}
LETTERS = re.compile("[^a-z]")


def verdict_of(value: Any) -> str | None:
    """``malicious``, ``suspicious`` or ``benign`` for a source's verdict in any spelling, else None."""
    if not isinstance(value, str) or len(value) > 200:
        return None
    word = LETTERS.sub("", value.lower())
    if word in SHORT:
        return SHORT[word]
    if word.startswith(UNDECIDED):
        return None
    for determination, signs in VERDICTS:
        if any(sign in word for sign in signs):
            return determination
    return None


def is_closed(state: str) -> bool:
    """Whether a source's own state means that nobody works on the alert there any more."""
    return LETTERS.sub(" ", state.lower()).strip().split(" ")[0] in CLOSED
