"""What the stand-ins of Microsoft's products have in common: the sign-in that gives tokens, and the form of errors."""

from __future__ import annotations

import base64
import json
from typing import Any, ClassVar

from soar.standins.base import Request, Response, Standin, json_response

SIGN_IN = "/oauth2/v2.0/token"


class MicrosoftStandin(Standin):
    """State: ``uses``: after so many calls a token is at its end (0: it lasts). ``secret``: the one that is right, ""
    for any. ``roles``: the application permissions that tokens name; None for a token that tells nothing."""

    settings: ClassVar[dict[str, str]] = {"tenant": "practice.example.com", "client_id": "practice"}

    def fresh(self) -> dict[str, Any]:
        return {"uses": 0, "tokens": {}, "grants": 0, "secret": "", "roles": None}

    def answer(self, request: Request) -> Response:
        """See Standin."""
        if request.path.endswith(SIGN_IN):
            return self._grant(request)
        return self._refusal_of(request) or self.serve_signed_in(request)

    def serve_signed_in(self, request: Request) -> Response:
        """The answer to somebody whose token is good."""
        return failure(404, "ResourceNotFound", "Invalid version or path")

    def hurried(self) -> Response:
        answer = failure(429, "TooManyRequests", "Too many requests")
        answer.headers["Retry-After"] = "120"
        return answer

    def refused(self, status: int) -> Response:
        if status == 401:
            return failure(401, "InvalidAuthenticationToken", "Lifetime validation failed, the token is expired.")
        return failure(403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.")

    def _grant(self, request: Request) -> Response:
        form = request.form()
        secret = self.state["secret"]
        if form.get("grant_type") != "client_credentials" or not form.get("scope", "").endswith("/.default"):
            return json_response({"error": "invalid_request", "error_description": "AADSTS900144: wrong grant"}, 400)
        if not form.get("client_id") or not form.get("client_secret") or secret not in ("", form["client_secret"]):
            told = "AADSTS7000215: Invalid client secret provided.\r\nTrace ID: 7d1b"
            return json_response({"error": "invalid_client", "error_description": told}, 401)
        self.state["grants"] += 1
        token = f"practice-access-{self.state['grants']:04d}"
        if self.state["roles"] is not None:
            claims = base64.urlsafe_b64encode(json.dumps({"roles": self.state["roles"]}).encode()).decode().rstrip("=")
            token = f"eyJ0eXAiOiJKV1QifQ.{claims}.{token}"
        self.state["tokens"][token] = 0
        return json_response({"token_type": "Bearer", "expires_in": 3599, "access_token": token})

    def _refusal_of(self, request: Request) -> Response | None:
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        uses = self.state["tokens"].get(token)
        if uses is None or 0 < self.state["uses"] <= uses:
            return self.refused(401)
        self.state["tokens"][token] += 1
        return None


def failure(status: int, code: str, message: str) -> Response:
    """An error as Graph and Defender word it."""
    return json_response(
        {"error": {"code": code, "message": message, "innerError": {"client-request-id": "0"}}}, status
    )
