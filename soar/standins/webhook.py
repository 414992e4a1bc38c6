"""A receiver of Standard Webhooks: checks the signature, refuses what is stale, takes each id once."""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
from typing import Any, ClassVar

from soar.standins.base import Request, Response, Standin, json_response
from soar.standins.keeping import keep

# Known to everybody: it protects nothing but the practice range.
KEY = b"practice range, nothing secret here"
SECRET = "whsec_" + base64.b64encode(KEY).decode()
TOLERANCE = 300


class Webhook(Standin):
    """``messages``: what was taken: ``signed`` (true, false, or null without a signature), ``copies`` that came."""

    kind = "webhook"
    settings: ClassVar[dict[str, str]] = {"cleared": "red"}
    secrets: ClassVar[dict[str, str]] = {"secret": SECRET}
    lasting = True

    def url(self, base: str) -> str:
        """The address that takes messages."""
        return f"{base}/hook"

    def fresh(self) -> dict[str, Any]:
        """Nothing taken."""
        return {"messages": []}

    def answer(self, request: Request) -> Response:
        """204 for what was taken, now or before."""
        if request.method != "POST" or request.path != "/hook":
            return json_response({"error": "POST to /hook"}, 404)
        stamp = request.headers.get("webhook-timestamp", "")
        if stamp and not (stamp.isdecimal() and abs(time.time() - int(stamp)) <= TOLERANCE):
            return json_response({"error": "the timestamp is too old or too new"}, 400)
        signed = _signed(request)
        if signed is False:
            return json_response({"error": "the signature does not match"}, 401)
        return self._take(request, signed)

    def _take(self, request: Request, signed: bool | None) -> Response:
        identity = request.headers.get("webhook-id", "")
        before = next((one for one in self.state["messages"] if identity and one["webhook_id"] == identity), None)
        if before is not None:
            before["copies"] += 1
            return Response(204)
        headers = {name: value for name, value in request.headers.items() if name not in ("host", "content-length")}
        text = request.body.decode("utf-8", "replace")
        entry = {"webhook_id": identity, "signed": signed, "copies": 1, "headers": headers, "body": text}
        keep(self.state, "messages", entry)
        return Response(204)


def _signed(request: Request) -> bool | None:
    given = request.headers.get("webhook-signature", "")
    if not given:
        return None
    head = f"{request.headers.get('webhook-id', '')}.{request.headers.get('webhook-timestamp', '')}."
    right = base64.b64encode(hmac.digest(KEY, head.encode() + request.body, hashlib.sha256)).decode()
    return any(hmac.compare_digest(one, f"v1,{right}") for one in given.split())
