"""Mattermost's incoming webhooks: "ok" in text, errors in JSON, 400 for a webhook that is not there."""

from __future__ import annotations

import re
from typing import Any, ClassVar

from soar.standins.base import Request, Response, Standin, json_response, text_response
from soar.standins.keeping import keep

HOOK = "/hooks/practice"
NOBODY = "@nobody"  # all other names are somebody's, who is written to directly
CHANNELS = {"", "practice", "town-square"}
LONGEST = 16_383
MENTION = re.compile(r"@(channel|all|here|[a-z][a-z0-9._-]+)", re.IGNORECASE)


class Mattermost(Standin):
    """``messages``: what the channel shows, each with the people and channels that it called by @."""

    kind = "mattermost"
    settings: ClassVar[dict[str, str]] = {"cleared": "red"}
    lasting = True

    def url(self, base: str) -> str:
        """An incoming webhook."""
        return base + HOOK

    def fresh(self) -> dict[str, Any]:
        """An empty channel."""
        return {"messages": []}

    def answer(self, request: Request) -> Response:
        """The post is shown, or JSON says why not."""
        if request.path != HOOK:
            return self.gone(400)
        try:
            body = request.json()
        except ValueError:
            return _error(400, "web.incoming_webhook.parse.app_error", "Unable to parse incoming data.")
        if not isinstance(body, dict) or not (body.get("text") or body.get("attachments")):
            return _error(400, "web.incoming_webhook.text.app_error", "No text specified.")
        channel = str(body.get("channel", ""))
        if channel == NOBODY:
            return _error(404, "web.incoming_webhook.user.app_error", "Couldn't find the user.")
        if channel not in CHANNELS and not channel.startswith("@"):
            return _error(404, "web.incoming_webhook.channel.app_error", "Couldn't find the channel.")
        return self._post(body)

    def gone(self, status: int) -> Response:
        """A webhook that was deleted is answered 400."""
        return _error(400, "web.incoming_webhook.invalid.app_error", "Invalid webhook.")

    def _post(self, body: dict[str, Any]) -> Response:
        texts = [str(body.get("text", "")), *(str(one.get("text", "")) for one in body.get("attachments", []))]
        if sum(map(len, texts)) > LONGEST:
            return _error(400, "model.post.is_valid.msg.app_error", "Invalid message.")
        called = [found for text in texts for found in MENTION.findall(text)]
        shown = {"text": body.get("text", ""), "attachments": body.get("attachments", []), "mentions": called}
        keep(self.state, "messages", {**shown, "channel": body.get("channel", "")})
        return text_response("ok")


def _error(status: int, identity: str, message: str) -> Response:
    return json_response({"id": identity, "message": message, "status_code": status}, status)
