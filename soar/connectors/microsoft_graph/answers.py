"""What Graph and its sign-in say, as values or as a ConnectorError in their own words."""

from __future__ import annotations

import json
from typing import Any

from soar.connectors.errors import ConnectorError
from soar.lib.answers import TEMPORARY
from soar.lib.clock import seconds_until
from soar.lib.http import Answer

WAIT = 30.0  # seconds after a 429 that does not tell
WORDS = {
    401: "Microsoft Graph does not take the access token",
    403: "The app may not read this: grant it the application permission SecurityAlert.Read.All"
    " (for incidents SecurityIncident.Read.All) with admin consent",
    404: "Microsoft Graph has nothing at this address",
    429: "Microsoft Graph counts too many requests; it is asked again later",
}


def understood(answer: Answer) -> dict[str, Any]:
    """The JSON object of a good answer. Raises ConnectorError."""
    document = object_of(answer)
    if answer.ok and document is not None and "error" not in document:
        return document
    if answer.ok:
        raise ConnectorError("Microsoft Graph answered with something that is no data.", permanent=False)
    raise refusal(answer, WORDS.get(answer.status, f"Microsoft Graph answered {answer.status}"), said(document))


def refusal(answer: Answer, text: str, why: str) -> ConnectorError:
    """The error of an answer that is no success."""
    detail = answer.redactor.text(why or _rest(answer), at_most=400)
    asked = seconds_until(answer.headers.get("retry-after", ""))
    return ConnectorError(
        f"{text} ({detail}).",
        permanent=answer.status < 500 and answer.status not in TEMPORARY,
        status=answer.status,
        retry_after=asked if asked is not None else (WAIT if answer.status == 429 else None),
    )


def object_of(answer: Answer) -> dict[str, Any] | None:
    """The body as a JSON object, whatever the status; None when it is none."""
    try:
        document = json.loads(answer.body)
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None


def said(document: dict[str, Any] | None) -> str:
    """Code and message of ``{"error": {"code", "message"}}``; "" when it has none."""
    error = document.get("error") if document else None
    if not isinstance(error, dict):
        return ""
    return ": ".join(part for name in ("code", "message") if (part := str(error.get(name) or "").strip()))


def _rest(answer: Answer) -> str:
    if answer.media_type == "text/html" or answer.text.lstrip()[:1] == "<":
        return "an HTML page"
    return answer.text.strip()[:200] or "nothing more"
