"""What Vision One says, as values or as a ConnectorError: it answers in JSON, in text and in HTML."""

from __future__ import annotations

import json
from typing import Any

from soar.connectors.base import ConnectorError
from soar.lib.answers import RemoteError, json_or_error
from soar.lib.clock import seconds_until
from soar.lib.http import Answer

# Requests are counted in windows of 60 seconds and no Retry-After is promised.
WAIT = 30.0
WORDS = {
    401: "Vision One does not take the token: it is wrong or has expired. Make a new API key there and set it here",
    403: "The role of the API key does not allow this in Vision One",
    413: "The request is larger than Vision One takes (1 MB)",
    429: "Vision One counts too many requests; it is asked again later",
    504: "Vision One took too long",
}


def understood(answer: Answer, *, effect: bool = False) -> Any:
    """The JSON of a good answer, None for an empty one. ``effect``: the call may have changed something there.

    Raises ConnectorError with Vision One's own words. After a call with an effect, a failure of the server or an
    answer that cannot be read leaves the outcome unknown."""
    if answer.ok:
        try:
            return json_or_error(answer)
        except RemoteError as error:
            raise ConnectorError(error.message, permanent=not effect, outcome_unknown=effect) from None
    code, message = spoken(answer)
    said = ": ".join(part for part in (code, message) if part) or _rest(answer)
    known = WORDS.get(answer.status)
    text = f"{known} ({said})." if known else f"Vision One answered {answer.status}: {said}"
    raise ConnectorError(
        answer.redactor.text(text, at_most=500),
        permanent=permanent(answer.status),
        status=answer.status,
        outcome_unknown=effect and answer.status >= 500,
        retry_after=_wait(answer),
    )


def permanent(status: int) -> bool:
    """Whether the same request would be answered the same next time."""
    return status < 500 and status not in {408, 409, 412, 423, 425, 429}


def spoken(answer: Answer) -> tuple[str, str]:
    """Code and message of an error answer; ("", "") when it has none."""
    try:
        return error_of(json_of(answer))
    except ValueError:
        return "", ""


def error_of(document: Any) -> tuple[str, str]:
    """Code and message of ``{"error": {"code", "message"}}``, whatever stands there instead."""
    error = document.get("error") if isinstance(document, dict) else None
    if isinstance(error, str):
        return "", error[:300]
    if not isinstance(error, dict):
        return "", ""
    return str(error.get("code") or "")[:100], str(error.get("message") or "")[:300]


def json_of(answer: Answer) -> Any:
    """The body as JSON, whatever the status. Raises ValueError."""
    try:
        return json.loads(answer.body)
    except RecursionError:
        raise ValueError("nested too deep") from None


def _rest(answer: Answer) -> str:
    text = answer.text.strip()
    if answer.media_type == "text/html" or text[:1] == "<":
        return "an HTML page"
    return answer.redactor.text(text, at_most=200) or "nothing more"


def _wait(answer: Answer) -> float | None:
    asked = seconds_until(answer.headers.get("retry-after", ""))
    return asked if asked is not None else (WAIT if answer.status == 429 else None)
