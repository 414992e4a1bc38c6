"""Calls of Vision One: addresses below ``/v3.0``, answers understood, pages followed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from soar.connectors.base import ConnectorError
from soar.connectors.links import following
from soar.connectors.responder import Responder
from soar.connectors.visionone.errors import understood
from soar.lib.http import Answer

VERSION = "v3.0"
MOST_PAGES = 100


class Api(Responder):
    """What the parts of the connector have in common."""

    def path(self, path: str) -> str:
        """``path`` below the version; the account's address may end in it already."""
        given = str(self.account.settings.get("url", "")).rstrip("/")
        return path if given.endswith(f"/{VERSION}") else f"{VERSION}/{path}"

    def get(self, operation: str, path: str, **content: Any) -> Any:
        """The JSON of a GET. Raises ConnectorError."""
        return understood(self.call(operation, "GET", self.path(path), **content))

    def send(self, operation: str, method: str, path: str, *, key: str = "", **content: Any) -> Answer:
        """A call that changes something. Raises ConnectorError, also for an answer that is no success."""
        answer = self.call(operation, method, self.path(path), idempotency_key=key, idempotent=False, **content)
        if not answer.ok:
            understood(answer, effect=True)
        return answer

    def pages(self, operation: str, path: str, *, most: int = MOST_PAGES, **content: Any) -> Iterator[dict[str, Any]]:
        """Page by page what a list answers; ``nextLink`` is followed with the same headers. Raises ConnectorError."""
        headers = content.pop("headers", None) or {}
        where: str | None = self.path(path)
        for _ in range(most):
            if where is None:
                return
            page = understood(self.call(operation, "GET", where, headers=headers, **content))
            if not isinstance(page, dict):
                raise ConnectorError("Vision One answered a list with something else.", permanent=True)
            yield page
            content.pop("params", None)  # the link carries them
            where = following(str(self.account.settings.get("url", "")), page.get("nextLink"), "Vision One")
        if where is not None:
            raise ConnectorError(f"Vision One has more than {most} pages of {path}.", permanent=True)

    def items(self, operation: str, path: str, *, most: int = MOST_PAGES, **content: Any) -> Iterator[dict[str, Any]]:
        """The objects of all pages. Raises ConnectorError."""
        for page in self.pages(operation, path, most=most, **content):
            yield from objects(page.get("items"))


def objects(value: Any) -> list[dict[str, Any]]:
    """The members of a list that are objects; anything else is no list."""
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def quoted(value: str) -> str:
    """``value`` as a text of a TMV1-Filter or TMV1-Query."""
    return value.replace("\\", "\\\\").replace("'", "\\'")


def ascii_header(text: str) -> str:
    """``text`` for a header. Raises ConnectorError: h11 sends ASCII, and a line break would begin another header."""
    if not text.isascii() or not text.isprintable():
        raise ConnectorError("Vision One takes only plain characters in a search.", permanent=True)
    return text
