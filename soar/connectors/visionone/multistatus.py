"""Answers with one status per item (207). Our calls have one item. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from soar.connectors.base import ConnectorError
from soar.connectors.visionone.client import objects
from soar.connectors.visionone.errors import WAIT, error_of, json_of, permanent
from soar.lib.http import Answer


@dataclass(frozen=True, slots=True)
class Item:
    """``location``: the task that it became, "" if none. ``body``: what the product says of it."""

    status: int
    location: str
    body: dict[str, Any]
    code: str
    message: str

    @property
    def ok(self) -> bool:
        """Whether the product took it."""
        return 200 <= self.status < 300

    @property
    def duplicate(self) -> bool:
        """Whether the same command is under way already."""
        return self.code == "TaskError" and "duplication" in self.message.lower()


def item_of(answer: Answer) -> Item:
    """The one item of an answer. Raises ConnectorError, outcome unknown, for what cannot be read."""
    try:
        document = json_of(answer) if answer.body.strip() else []
    except ValueError:
        text = "Vision One answered with something that is not JSON."
        raise ConnectorError(text, permanent=False, outcome_unknown=True) from None
    first = (objects(document) or objects([document]) or [{}])[0]
    told = first.get("status")
    location = _location(first) or str(answer.headers.get("operation-location", ""))
    body = first.get("body")
    code, message = error_of(body)
    return Item(
        status=told if isinstance(told, int) else answer.status,
        location=location.rstrip("/").rpartition("/")[2],
        body=body if isinstance(body, dict) else first,
        code=code,
        message=message,
    )


def task_of(answer: Answer) -> str:
    """The id of the task that the item became. "Task duplication." names the one under way already: to us the same.

    Raises ConnectorError when the item was refused."""
    item = item_of(answer)
    if item.location and (item.ok or item.duplicate):
        return item.location
    raise refused(item)


def refused(item: Item) -> ConnectorError:
    """The error that a refused item is."""
    said = ": ".join(part for part in (item.code, item.message) if part) or f"status {item.status}"
    if item.duplicate:
        text = "The same task is under way in Vision One, which does not say which one it is."
        return ConnectorError(text, permanent=False, status=item.status)
    if item.ok:
        text = "Vision One took the task without saying which one it is."
        return ConnectorError(text, permanent=False, status=item.status, outcome_unknown=True)
    return ConnectorError(
        f"Vision One refused: {said}.",
        permanent=permanent(item.status),
        status=item.status,
        outcome_unknown=item.status >= 500,
        retry_after=WAIT if item.status == 429 else None,
    )


def kept(answer: Answer) -> Any:
    """The answer as it may be kept with a task."""
    try:
        return answer.redactor.data(json_of(answer))
    except ValueError:
        return answer.redactor.text(answer.text)


def _location(item: dict[str, Any]) -> str:
    for header in objects(item.get("headers")):
        if str(header.get("name", "")).lower() == "operation-location":
            return str(header.get("value") or "")
    return ""
