"""A workflow of Teams: takes nearly everything with 202 and shows a card only if envelope and size are right."""

from __future__ import annotations

import json
from typing import Any, ClassVar

from soar.standins.base import Request, Response, Standin, json_response
from soar.standins.keeping import Pace, keep

PATH = "/workflows/practice/triggers/manual/paths/invoke"
SIGNATURE = "practice-signature"
CARD = "application/vnd.microsoft.card.adaptive"
LARGEST = 28 * 1024


class Teams(Standin):
    """``messages``: what the channel shows; ``dropped``: what was accepted and never shown, with the reason."""

    kind = "teams"
    settings: ClassVar[dict[str, str]] = {"cleared": "red"}
    lasting = True

    def __init__(self) -> None:
        super().__init__()
        self._pace = Pace(4)

    def url(self, base: str) -> str:
        """The address of a workflow: the signature in its query is all the sign-in there is."""
        return f"{base}{PATH}?api-version=2016-06-01&sp=%2Ftriggers%2Fmanual%2Frun&sv=1.0&sig={SIGNATURE}"

    def fresh(self) -> dict[str, Any]:
        """An empty channel."""
        return {"messages": [], "dropped": []}

    def answer(self, request: Request) -> Response:
        """202 for whatever has the signature."""
        if request.path != PATH:
            return self.gone(404)
        if request.argument("sig") != SIGNATURE:
            return self.refused(401)
        if self._pace.late():
            return self.hurried()
        why = _why_not(request)
        keep(self.state, "dropped" if why else "messages", {"reason": why} if why else {"card": _card(request)})
        return Response(202)

    def hurried(self) -> Response:
        """With the seconds to wait."""
        return json_response({"error": {"code": "TooManyRequests"}}, 429, Retry_After="1")

    def refused(self, status: int) -> Response:
        """What the service says to a wrong signature."""
        error = {"code": "DirectApiAuthorizationRequired", "message": "The OAuth authorization scheme is required."}
        return json_response({"error": error}, status)

    def gone(self, status: int) -> Response:
        """A flow that was deleted, or whose owner has left."""
        return json_response(
            {"error": {"code": "WorkflowNotFound", "message": "The workflow could not be found."}}, status
        )


def _why_not(request: Request) -> str:
    try:
        body = request.json()
    except ValueError:
        return "not JSON"
    if not isinstance(body, dict) or body.get("type") != "message" or not body.get("attachments"):
        return "no envelope of type message with attachments"
    attachment = body["attachments"][0]
    if attachment.get("contentType") != CARD or attachment.get("content", {}).get("type") != "AdaptiveCard":
        return "the attachment is no Adaptive Card"
    # Teams writes the card anew, in UTF-16 with everything escaped: 24 KB of letters become 29.
    return "larger than 28 KB" if len(json.dumps(body)) * 1.18 > LARGEST else ""


def _card(request: Request) -> dict[str, Any]:
    card: dict[str, Any] = request.json()["attachments"][0]["content"]
    # Only links survive in a card that a flow posts.
    card["actions"] = [one for one in card.get("actions", []) if one.get("type") == "Action.OpenUrl"]
    return card
