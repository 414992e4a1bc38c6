"""A message as an Adaptive Card in the envelope that a Teams workflow expects."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from soar.connectors.messages import Message, Row
from soar.connectors.rendering import words
from soar.lib.parts import label

STYLES = {"critical": "attention", "high": "attention", "medium": "warning", "low": "good", "informational": "good"}
TYPE = "application/vnd.microsoft.card.adaptive"
SCHEMA = "http://adaptivecards.io/schemas/adaptive-card.json"


def body_of(message: Message) -> dict[str, Any]:
    """The JSON to post. Without this envelope a workflow answers 202 and shows nothing."""
    card: dict[str, Any] = {
        "$schema": SCHEMA,
        "type": "AdaptiveCard",
        "version": "1.4",
        "msteams": {"width": "full"},
        "fallbackText": message.title,
        "body": list(_body(message)),
    }
    if _has_link(message):
        card["actions"] = [{"type": "Action.OpenUrl", "title": message.link_label, "url": message.link}]
    return {"type": "message", "attachments": [{"contentType": TYPE, "contentUrl": None, "content": card}]}


def _body(message: Message) -> Iterator[dict[str, Any]]:
    title = [_words(_run(message.title, weight="Bolder", size="Large"))]
    yield {"type": "Container", "style": STYLES.get(message.severity, "default"), "bleed": True, "items": title}
    yield from (_words(_run(line)) for line in message.text.split("\n") if line)
    facts = [("Severity", label(message.severity))] if message.severity else []
    for name, value in (*facts, *message.facts, ("TLP", message.tlp.upper())):
        yield _words(_run(f"{name}: ", weight="Bolder"), _run(value))
    for section in message.sections:
        yield {**_words(_run(section.title, weight="Bolder")), "separator": True, "spacing": "Medium"}
        yield from (_row(row) for row in section.rows)
    if _has_link(message):  # as text, too: the button does not come along when a card is forwarded
        yield _words(_run(message.link, isSubtle=True))


def _row(row: Row) -> dict[str, Any]:
    said = words(row)
    return _words(_run(f"• {row.text}"), *([_run(f"  {said}", isSubtle=True)] if said else []))


def _words(*runs: dict[str, Any]) -> dict[str, Any]:
    # Rich text knows no Markdown: what an alert's title holds cannot become a link or a mention.
    return {"type": "RichTextBlock", "inlines": list(runs), "spacing": "Small"}


def _run(text: str, **look: Any) -> dict[str, Any]:
    return {"type": "TextRun", "text": text, **look}


def _has_link(message: Message) -> bool:
    return message.link.startswith(("https://", "http://"))
