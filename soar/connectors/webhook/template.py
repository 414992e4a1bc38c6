"""The body of a webhook: Standard Webhooks' form, or a template with ``$title$``, ``$type$`` and ``$payload$``."""

from __future__ import annotations

import json
from typing import Any

from soar.connectors.messages import Message

NAMES = ("title", "type", "payload", "text", "link", "severity", "tlp")
# A bare $payload$ in a JSON template ({"a": $payload$}) is read as if it stood in quotes: it becomes the object.
BARE, QUOTED = "$payload$", '"$payload$"'


def standard(message: Message, timestamp: str, truncated: bool) -> bytes:
    """``{"type", "timestamp", "data"}``. ``truncated`` says that rows were left out."""
    body: dict[str, Any] = {"type": f"soar.{message.type}", "timestamp": timestamp, "data": message.data()}
    return _json(body | ({"truncated": True} if truncated else {}))


def filled(template: str, message: Message) -> tuple[bytes, str]:
    """The template with the message in it, and its media type. In JSON every value is put in as JSON needs it; a text
    that is nothing but ``$payload$`` becomes the object itself. Anything else is plain text."""
    values = _values(message)
    document = parsed(template)
    if document is None:
        return _replaced(template, values).encode(), "text/plain; charset=utf-8"
    return _json(_walk(document, values, message.data())), "application/json"


def parsed(template: str) -> Any:
    """The template as JSON, or None if it is none."""
    for text in (template, _quoted(template)):
        try:
            return json.loads(text)
        except (ValueError, RecursionError):
            continue
    return None


def _quoted(template: str) -> str:
    return template.replace(QUOTED, BARE).replace(BARE, QUOTED)


def _values(message: Message) -> dict[str, str]:
    plain = {name: str(getattr(message, name)) for name in NAMES if name != "payload"}
    return plain | {"payload": json.dumps(message.data(), ensure_ascii=False)}


def _walk(part: Any, values: dict[str, str], payload: dict[str, Any]) -> Any:
    if isinstance(part, dict):
        return {_replaced(key, values): _walk(value, values, payload) for key, value in part.items()}
    if isinstance(part, list):
        return [_walk(value, values, payload) for value in part]
    if isinstance(part, str):
        return payload if part == BARE else _replaced(part, values)
    return part


def _replaced(text: str, values: dict[str, str]) -> str:
    """One pass, so that a title which holds ``$payload$`` itself stays a title."""
    parts = text.split("$")
    made, index = parts[0], 1
    while index < len(parts):
        if parts[index] in values and index + 1 < len(parts):
            made += values[parts[index]] + parts[index + 1]
            index += 2
        else:
            made += "$" + parts[index]
            index += 1
    return made


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "replace")
