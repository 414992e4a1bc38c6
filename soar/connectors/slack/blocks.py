"""A message as Slack's blocks, within Slack's limits: 50 blocks, 3,000 characters a text, 10 fields a section."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from soar.connectors.fitting import cut
from soar.connectors.messages import Message, Section
from soar.connectors.rendering import words
from soar.lib.parts import label

LONGEST_HEADER, LONGEST_TEXT, LONGEST_FIELD, LONGEST_URL = 150, 3000, 2000, 3000
FIELDS, BLOCKS = 10, 50


def body_of(message: Message) -> dict[str, Any]:
    """The JSON to post: ``text`` for notifications, ``blocks`` for the channel."""
    return {"text": cut(escaped(message.title), LONGEST_TEXT), "blocks": list(_blocks(message)), "unfurl_links": False}


def escaped(text: str) -> str:
    """What Slack would take for mentions, links and its own commands, as it must be written."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def within(body: dict[str, Any]) -> bool:
    """Whether the limits on the number of blocks and on their texts are kept."""
    blocks = body["blocks"]
    return len(blocks) <= BLOCKS and all(len(_text(block)) <= LONGEST_TEXT for block in blocks)


def _blocks(message: Message) -> Iterator[dict[str, Any]]:
    yield {"type": "header", "text": {"type": "plain_text", "text": cut(message.title, LONGEST_HEADER), "emoji": False}}
    if message.text:
        yield _section(escaped(message.text))
    facts = [("Severity", label(message.severity))] if message.severity else []
    facts += [*message.facts, ("TLP", message.tlp.upper())]
    for start in range(0, len(facts), FIELDS):
        fields = [_mrkdwn(_fact(name, value)) for name, value in facts[start : start + FIELDS]]
        yield {"type": "section", "fields": fields}
    for section in message.sections:
        yield _section(_lines(section))
    if message.link.startswith(("https://", "http://")) and len(message.link) <= LONGEST_URL:
        yield from _way(message)


def _fact(name: str, value: str) -> str:
    return cut(f"*{escaped(name)}*\n{escaped(value)}", LONGEST_FIELD)


def _lines(section: Section) -> str:
    lines = [f"*{escaped(section.title)}*"]
    for row in section.rows:
        said = words(row)
        lines.append(f"• {escaped(row.text)}" + (f" – {escaped(said)}" if said else ""))
    return "\n".join(lines)


def _way(message: Message) -> Iterator[dict[str, Any]]:
    button = {"type": "plain_text", "text": cut(message.link_label, 75), "emoji": False}
    yield {"type": "actions", "elements": [{"type": "button", "text": button, "url": message.link}]}
    # The address as text, too: not every client draws buttons.
    yield {"type": "context", "elements": [{"type": "mrkdwn", "text": f"<{escaped(message.link)}>"}]}


def _section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": _mrkdwn(text)}


def _mrkdwn(text: str) -> dict[str, Any]:
    # verbatim: no names of channels or people and no bare addresses are made into links.
    return {"type": "mrkdwn", "text": text, "verbatim": True}


def _text(block: dict[str, Any]) -> str:
    text = block.get("text")
    return str(text["text"]) if isinstance(text, dict) else ""
