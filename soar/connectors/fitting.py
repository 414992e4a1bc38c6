"""Cutting a message until it fits a channel: rows and long texts go first, title and link stay (connectors.md 7)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

from soar.connectors.messages import Message, Row, Section

T = TypeVar("T")
# (rows of a section, characters of a text) from generous to hardly anything.
STEPS = ((60, 1500), (30, 800), (15, 400), (8, 200), (3, 120), (0, 120))
MOST_FACTS, MOST_SECTIONS, LONGEST_TITLE = 20, 8, 250


def fit(message: Message, build: Callable[[Message], T], fits: Callable[[T], bool]) -> T:
    """What ``build`` makes of the message, of as much of it as ``fits`` allows; at last of title and link alone."""
    for rows, characters in STEPS:
        made = build(shortened(message, rows, characters))
        if fits(made):
            return made
    bare = Message(cut(message.title, 150), type=message.type, link=message.link, severity=message.severity)
    return build(bare)


def shortened(message: Message, rows: int, characters: int) -> Message:
    """The message with at most ``rows`` lines a section and ``characters`` a text; what was left out is counted."""
    return replace(
        message,
        title=cut(message.title, LONGEST_TITLE),
        text=cut(message.text, 2 * characters),
        facts=tuple((cut(name, 80), cut(value, characters)) for name, value in message.facts[:MOST_FACTS]),
        sections=tuple(_section(part, rows, characters) for part in message.sections[:MOST_SECTIONS]),
    )


def cut(text: str, most: int) -> str:
    """``text`` with an ellipsis for what is beyond ``most`` characters."""
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"


def _section(section: Section, most: int, characters: int) -> Section:
    kept = [Row(cut(one.text, characters), one.state, cut(one.detail, characters)) for one in section.rows[:most]]
    if left := len(section.rows) - len(kept) + section.more:
        kept.append(Row(f"… and {left} more" if kept else f"{left} in all"))
    return Section(cut(section.title, 120), tuple(kept))
