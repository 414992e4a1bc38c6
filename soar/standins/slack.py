"""Slack's incoming webhooks: "ok" as text/html, errors as bare words, limits on blocks, one message a second."""

from __future__ import annotations

from typing import Any, ClassVar

from soar.standins.base import Request, Response, Standin, text_response
from soar.standins.keeping import Pace, keep

HOOK = "/services/T0PRACTICE/B0PRACTICE/practice"
LIMITS = {"header": 150, "section": 3000}
LARGEST = 13_000


class Slack(Standin):
    """``messages``: what the channel shows. A hook that ends in ``archived`` is one of an archived channel."""

    kind = "slack"
    settings: ClassVar[dict[str, str]] = {"cleared": "red"}
    lasting = True

    def __init__(self) -> None:
        super().__init__()
        self._pace = Pace(5)  # Slack allows short bursts over its one a second

    def url(self, base: str) -> str:
        """An incoming webhook."""
        return base + HOOK

    def fresh(self) -> dict[str, Any]:
        """An empty channel."""
        return {"messages": []}

    def answer(self, request: Request) -> Response:
        """The message is shown, or the word for why not."""
        if not request.path.startswith("/services/T0PRACTICE/"):
            return _words("no_team", 404)
        if request.path.endswith("/archived"):
            return _words("channel_is_archived", 410)
        if request.path != HOOK:
            return _words("no_service", 404)
        if request.method != "POST":
            return _words("invalid_payload", 400)
        if self._pace.late():
            return self.hurried()
        return self._post(request)

    def hurried(self) -> Response:
        """Slack says how long to wait."""
        late = _words("rate_limited", 429)
        late.headers["Retry-After"] = "1"
        return late

    def refused(self, status: int) -> Response:
        """A webhook that was revoked."""
        return _words("invalid_token", 403)

    def gone(self, status: int) -> Response:
        """A webhook that was removed, or whose channel was archived."""
        return _words("channel_is_archived" if status == 410 else "no_service", status)

    def _post(self, request: Request) -> Response:
        try:
            body = request.json()
        except ValueError:
            return _words("invalid_payload", 400)
        if not isinstance(body, dict):
            return _words("invalid_payload", 400)
        if not body.get("text") and not body.get("blocks"):
            return _words("no_text", 400)
        if problem := _problem(body.get("blocks", []), len(request.body)):
            return _words(problem, 400)
        keep(self.state, "messages", {"text": body.get("text", ""), "blocks": body.get("blocks", [])})
        return _words("ok", 200)


def _problem(blocks: Any, size: int) -> str:
    if not isinstance(blocks, list) or len(blocks) > 50 or not all(_fits(block) for block in blocks):
        return "invalid_blocks"
    return "msg_blocks_too_long" if size > LARGEST else ""


def _fits(block: Any) -> bool:
    if not isinstance(block, dict):
        return False
    texts = [block["text"]] if "text" in block else []
    most = LIMITS.get(block.get("type", ""), 3000)
    fields = block.get("fields", [])
    elements = block.get("elements", [])
    return (
        all(0 < len(one.get("text", "")) <= most for one in texts)
        and len(fields) <= 10
        and all(0 < len(one.get("text", "")) <= 2000 for one in fields)
        and len(elements) <= (10 if block.get("type") == "context" else 25)
    )


def _words(text: str, status: int) -> Response:
    return text_response(text, status, "text/html")
