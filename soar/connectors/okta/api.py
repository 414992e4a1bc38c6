"""Calls of Okta's management API, and its errors understood: ``{"errorCode", "errorSummary", "errorCauses"}``."""

from __future__ import annotations

import json
import time
from email.utils import parsedate_to_datetime
from typing import Any

from soar.connectors.base import ConnectorError
from soar.connectors.responder import Responder
from soar.lib.answers import TEMPORARY
from soar.lib.clock import seconds_until
from soar.lib.http import Answer, Limits

Row = dict[str, Any]
WAIT = 60.0  # seconds after a 429 that does not tell: Okta counts by the minute
LONGEST_WAIT = 900.0
STATE = "E0000001"  # the state of the user stands against it
WORDS = {
    401: "Okta does not take the API token: it is wrong, was revoked, or was not used for 30 days",
    403: "Okta does not allow this: a role of the token's owner is missing, or the state of the user stands against it",
    404: "Okta does not know this",
    429: "Okta counts too many requests; it is asked again later",
}


class OktaError(ConnectorError):
    """``code``: the error's name at Okta (E0000001), "" when it told none."""

    code = ""


class OktaApi(Responder):
    """What signs in and calls."""

    def sign_in(self, secrets: Row) -> tuple[dict[str, str], tuple[str, str] | None]:
        """The API token, by Okta's own scheme."""
        return {"Authorization": f"SSWS {secrets.get('token', '')}"}, None

    def limits(self) -> Limits:
        """A worker does not sleep through a long pause: the task is tried again when it is over."""
        seconds = self.account.timeout_seconds
        return Limits(read=seconds, total=2 * seconds, longest_wait=5.0)

    def get(self, operation: str, path: str, **content: Any) -> Any:
        """The JSON of a GET. Raises OktaError."""
        return understood(self.call(operation, "GET", path, **content))

    def send(self, operation: str, method: str, path: str, *, key: str, **content: Any) -> Answer:
        """A call that changes something. Raises OktaError; what a failing server did is unknown."""
        answer = self.call(operation, method, path, idempotency_key=key, idempotent=False, **content)
        understood(answer, effect=True)
        return answer


def understood(answer: Answer, *, effect: bool = False) -> Any:
    """The JSON of a good answer, None for an empty one. ``effect``: the call may have changed something.

    Raises OktaError."""
    empty = not answer.body.strip()
    document = None if empty else _document(answer)
    if answer.ok and (empty or document is not None):
        return document
    if answer.ok:
        text = "Okta answered with something that is no data."
        raise OktaError(text, permanent=False, status=answer.status, outcome_unknown=effect)
    told = document if isinstance(document, dict) else {}
    detail = answer.redactor.text(_said(told) or _rest(answer), at_most=400)
    error = OktaError(
        f"{WORDS.get(answer.status, f'Okta answered {answer.status}')} ({detail}).",
        permanent=answer.status < 500 and answer.status not in TEMPORARY,
        status=answer.status,
        retry_after=_wait(answer),
        outcome_unknown=effect and answer.status >= 500,
    )
    error.code = str(told.get("errorCode") or "")
    raise error


def _document(answer: Answer) -> Any:
    try:
        found = json.loads(answer.body)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict | list) else None


def _said(told: Row) -> str:
    causes = told.get("errorCauses")
    rows = [one for one in causes if isinstance(one, dict)] if isinstance(causes, list) else []
    parts = [told.get("errorCode"), told.get("errorSummary"), *(one.get("errorSummary") for one in rows[:2])]
    return ": ".join(str(one) for one in parts if one)


def _wait(answer: Answer) -> float | None:
    """Okta tells the moment at which its minute is over, in seconds since 1970 by its own clock."""
    asked = seconds_until(answer.headers.get("retry-after", ""))
    if asked is not None or answer.status != 429:
        return asked
    told = str(answer.headers.get("x-rate-limit-reset", ""))
    if not (told.isascii() and told.isdigit() and len(told) < 12):
        return WAIT
    return min(max(1.0, int(told) - _now(answer)), LONGEST_WAIT)


def _now(answer: Answer) -> float:
    try:
        return parsedate_to_datetime(str(answer.headers.get("date", ""))).timestamp()
    except ValueError:
        return time.time()


def _rest(answer: Answer) -> str:
    if answer.media_type == "text/html" or answer.text.lstrip()[:1] == "<":
        return "an HTML page"
    return answer.text.strip()[:200] or "nothing more"
