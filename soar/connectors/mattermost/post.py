"""A message as a Mattermost post with one attachment."""

from __future__ import annotations

import re
from typing import Any

from soar.connectors.messages import Message, Section
from soar.connectors.rendering import words
from soar.lib.parts import label

LONGEST = 16_000  # characters of a post
COLOURS = {"critical": "#8a1420", "high": "#c4361c", "medium": "#b06f00", "low": "#2f6f4f", "informational": "#5a6472"}
MARKDOWN = re.compile(r"([\\`*_{}\[\]()#+!|~<>-])")


def body_of(message: Message) -> dict[str, Any]:
    """The JSON to post."""
    title = escaped(message.title)
    heading = f"**[{title}]({message.link})**" if message.link.startswith(("https://", "http://")) else f"**{title}**"
    attachment = {
        "fallback": message.title,
        "color": COLOURS.get(message.severity, COLOURS["informational"]),
        "text": "\n\n".join(part for part in (escaped(message.text), *map(_lines, message.sections)) if part),
        "fields": [{"short": True, "title": escaped(name), "value": escaped(value)} for name, value in _facts(message)],
    }
    return {"text": heading, "attachments": [attachment]}


def escaped(text: str) -> str:
    """``text`` without Markdown, and without mentions: a joiner of no width stands behind each @."""
    return MARKDOWN.sub(r"\\\1", text).replace("@", "@\u2060")


def within(body: dict[str, Any]) -> bool:
    """Whether it is no longer than a post may be."""
    attachment = body["attachments"][0]
    fields = sum(len(one["title"]) + len(one["value"]) for one in attachment["fields"])
    return len(body["text"]) + len(attachment["text"]) + len(attachment["fallback"]) + fields <= LONGEST


def _facts(message: Message) -> list[tuple[str, str]]:
    marks = [("Severity", label(message.severity))] if message.severity else []
    return [*marks, *message.facts, ("TLP", message.tlp.upper())]


def _lines(section: Section) -> str:
    lines = [f"**{escaped(section.title)}**"]
    for row in section.rows:
        said = words(row)
        lines.append(f"* {escaped(row.text)}" + (f" – {escaped(said)}" if said else ""))
    return "\n".join(lines)
