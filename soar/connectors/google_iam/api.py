"""Calls of Google's IAM, signed in, and its errors understood: ``{"error": {"code", "message", "status"}}``."""

from __future__ import annotations

import json
from typing import Any, ClassVar

from soar.connectors import tokens
from soar.connectors.base import ConnectorError
from soar.connectors.bearer import Bearer
from soar.connectors.google_iam import signing_in
from soar.connectors.responder import Responder
from soar.connectors.tokens import Access
from soar.lib import clock
from soar.lib.answers import TEMPORARY
from soar.lib.clock import seconds_until
from soar.lib.http import Answer, Limits

Row = dict[str, Any]
WAIT = 30.0  # seconds after a 429 that does not tell
WORDS = {
    401: "Google does not take the access token",
    403: "The service account of the connector lacks a permission in Google Cloud, or there is no such thing",
    404: "Google Cloud does not know this",
    409: "Google Cloud was changed by somebody else at the same moment",
    429: "Google counts too many requests; it is asked again later",
}
CLOCK = "reasonable timeframe"


class GoogleError(ConnectorError):
    """An answer of Google that is no success. ``word``: the status it names ("NOT_FOUND"), "" when it named none."""

    word = ""


class Google(Bearer, Responder):
    """What signs in and calls."""

    token_settings: ClassVar[tuple[str, ...]] = ("url",)
    _assertion = ""

    def limits(self) -> Limits:
        """A worker does not sleep through a long pause: the task is tried again when it is over."""
        seconds = self.account.timeout_seconds
        return Limits(read=seconds, total=2 * seconds, longest_wait=5.0)

    def key_file(self) -> signing_in.KeyFile:
        """The key of the account. Raises ConnectorError."""
        try:
            return signing_in.read(str(self.account.secrets.get("key_file") or ""))
        except ValueError as error:
            raise ConnectorError(str(error), permanent=True) from None

    def token_place(self) -> str:
        """See Bearer."""
        return signing_in.place(super().token_place())

    def ask_for_token(self) -> Access:
        """See Bearer."""
        self._assertion = signing_in.assertion(self.key_file(), f"{self.token_place().rstrip('/')}/token")
        form = {"grant_type": signing_in.GRANT, "assertion": self._assertion}
        try:
            answer = self.signing_in("oauth.token", "POST", "token", data=form, idempotent=True)
        finally:
            self._assertion = ""
        document = object_of(answer) or {}
        token = document.get("access_token")
        if not answer.ok or not isinstance(token, str) or not token:
            why = str(document.get("error_description") or document.get("error") or "")
            text = "Google gives no access token"
            text = f"{text}: the clock here is wrong, or theirs" if CLOCK in why else text
            refused = refusal(answer, text, why)
            refused.permanent = refused.permanent and not answer.ok
            raise refused
        return Access(token, "", clock.now() + tokens.span(document.get("expires_in")))

    def hidden(self) -> list[str]:
        """See Connector; the private key by itself too, and the claim that is exchanged for a token."""
        try:
            parts = [self.key_file().private_key]
        except ConnectorError:
            parts = []
        return [*super().hidden(), *parts, *([self._assertion] if self._assertion else [])]

    def get(self, operation: str, path: str, **content: Any) -> Row:
        """The object of a GET. Raises GoogleError."""
        return understood(self.call(operation, "GET", path, **content))

    def change(self, operation: str, path: str, *, key: str) -> None:
        """A POST that changes something; its body has to be empty. Raises GoogleError; what a failing server did is
        unknown."""
        understood(self.call(operation, "POST", path, idempotency_key=key, idempotent=False), effect=True)


def understood(answer: Answer, *, effect: bool = False) -> Row:
    """The object of a good answer. ``effect``: the call may have changed something. Raises GoogleError."""
    document = object_of(answer) if answer.body.strip() else {}
    if answer.ok and document is not None and "error" not in document:
        return document
    if answer.ok:
        text = "Google answered with something that is no data."
        raise GoogleError(text, permanent=False, status=answer.status, outcome_unknown=effect)
    told = (document or {}).get("error")
    told = told if isinstance(told, dict) else {}
    why = str(told.get("message") or told.get("status") or "")
    error = refusal(answer, WORDS.get(answer.status, f"Google answered {answer.status}"), why)
    error.word = str(told.get("status") or "")
    error.outcome_unknown = effect and answer.status >= 500
    raise error


def refusal(answer: Answer, text: str, why: str) -> GoogleError:
    """The error of an answer that is no success."""
    asked = seconds_until(answer.headers.get("retry-after", ""))
    return GoogleError(
        f"{text} ({answer.redactor.text(why or _rest(answer), at_most=400)}).",
        permanent=answer.status < 500 and answer.status not in TEMPORARY,
        status=answer.status,
        retry_after=asked if asked is not None else (WAIT if answer.status == 429 else None),
    )


def object_of(answer: Answer) -> Row | None:
    """The body as a JSON object, whatever the status; None when it is none."""
    try:
        document = json.loads(answer.body)
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None


def _rest(answer: Answer) -> str:
    if answer.media_type == "text/html" or answer.text.lstrip()[:1] == "<":
        return "an HTML page"
    return answer.text.strip()[:200] or "nothing more"
