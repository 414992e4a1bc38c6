"""A feed: a plain list behind an address, with ETag, that changes when it is told to."""

from __future__ import annotations

import hashlib
from typing import Any, ClassVar

from soar.standins.base import Request, Response, Standin, text_response
from soar.standins.reputation import BAD_NAMES, EICAR

PLACE = "/list.txt"


class Feed(Standin):
    """``lines``: what the list holds; ``sent``: how often it was sent, ``unchanged``: how often it was not."""

    kind = "feed"
    settings: ClassVar[dict[str, str]] = {"format": "plain", "effect": "malicious", "every_minutes": "60"}

    def url(self, base: str) -> str:
        """The list."""
        return base + PLACE

    def fresh(self) -> dict[str, Any]:
        """Names and files of the demo's attackers."""
        return {"lines": [*BAD_NAMES[:3], *EICAR], "sent": 0, "unchanged": 0}

    def answer(self, request: Request) -> Response:
        """The list, or 304 for who has it."""
        if request.path != PLACE:
            return super().answer(request)
        body = "# practice range\n" + "".join(f"{line}\n" for line in self.state["lines"])
        tag = f'"{hashlib.sha256(body.encode()).hexdigest()[:16]}"'
        if request.headers.get("if-none-match") == tag:
            self.state["unchanged"] += 1
            return Response(304, b"", {"ETag": tag})
        self.state["sent"] += 1
        answer = text_response(body)
        answer.headers["ETag"] = tag
        return answer
